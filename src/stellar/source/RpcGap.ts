/** Ledgers that an RPC server does not have any more: from a lake where there is one, else the end, in words that say what is missing. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Network from "../Network.js"
import * as LakeSource from "./LakeSource.js"
import { LedgerSourceError, type RawLedger, type Shape } from "./LedgerSource.js"

/** Between whom the gap is. */
export interface Options {
  /** The RPC server, for messages. */
  readonly server: string
  /** The network, whose public lake is named to whoever has configured none. */
  readonly networkPassphrase: string
  /** What fills it. */
  readonly lake: Shape | undefined
}

/** A lake that has given nothing for so long does not have what is missing: it is no tip that is waited for here. */
export const patience = Duration.minutes(2)

const publicLake = (passphrase: string): string | undefined =>
  Object.entries(LakeSource.publicLakes).find(
    ([name]) => (Network.passphrases as Readonly<Record<string, string>>)[name] === passphrase
  )?.[1]

/**
 * The ledgers `from` to `to`, both included. Ends in `missing`, naming the ledgers and what to set, when there is no lake or it has not given the next one for two minutes,
 * and in what the lake ends in.
 */
export const make =
  ({ lake, networkPassphrase, server }: Options) =>
  (from: number, to: number): Stream.Stream<RawLedger, LedgerSourceError> => {
    const missing = (why: string) =>
      new LedgerSourceError({
        reason: "missing",
        object: server,
        message: `ledgers ${from} to ${to} are missing: ${server} begins with ledger ${to + 1}, and ${why}`
      })
    if (lake === undefined) {
      const known = publicLake(networkPassphrase)
      const example = known === undefined ? "" : ` (such as ${known})`
      return Stream.fail(
        missing(
          `no lake is configured to fill the gap; set STELLAR_LAKE_URL to one that has them${example}, or STELLAR_RPC_URL to an archive`
        )
      )
    }
    const begin = Effect.logInfo("Filling a gap from the ledger lake").pipe(
      Effect.annotateLogs({ component: "RpcSource", from, to, lake: lake.description, server })
    )
    const end = Effect.logInfo("The gap is filled, going on with the RPC server").pipe(
      Effect.annotateLogs({ component: "RpcSource", from: to + 1, server })
    )
    return Stream.execute(begin).pipe(
      Stream.concat(
        lake.ledgers(from, undefined).pipe(
          Stream.timeoutFail(
            () =>
              missing(
                `${lake.description} has given none for ${Duration.format(patience)}; set STELLAR_LAKE_URL to a lake that has them`
              ),
            patience
          ),
          Stream.take(to - from + 1)
        )
      ),
      Stream.concat(Stream.execute(end))
    )
  }
