/** Pages of ledgers from an RPC server, one after the other: how large, when, and what it means when there is none. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Backoff from "./Backoff.js"
import type { LedgerSourceError } from "./LedgerSource.js"
import type { RpcClient } from "./RpcClient.js"
import type * as RpcFailure from "./RpcFailure.js"
import type { Page } from "./RpcPage.js"
import * as RpcRetry from "./RpcRetry.js"
import * as RpcTip from "./RpcTip.js"

/** How to read. */
export interface Options {
  /** Ledgers to ask for at once, at least 1. */
  readonly pageSize: number
  /** How often to ask for a ledger that is not there yet. */
  readonly pollInterval: Duration.DurationInput
  /** How often in a row the server has to say that a ledger is too old before it is believed, at least 1: another node may know more. */
  readonly patience: number
}

/** What comes next: some ledgers, or the news that the server's first one is later than the wanted one. */
export type Next = ({ readonly _tag: "Page" } & Page) | { readonly _tag: "Gap"; readonly oldest: number }

/** The codes of parameters that a server does not take. Not every server says in the same words that it is the ledger. */
const parameterCodes: ReadonlySet<number | undefined> = new Set([-32600, -32602])

/**
 * A reader of pages. Given the wanted ledger, and the server's latest when it is known, it waits for as long as that ledger is not there. Ends in what
 * {@link RpcRetry.persist} ends in, and in `unreadable` when the server refuses.
 */
export const make = Effect.fnUntraced(function* (client: RpcClient, options: Options) {
  const server = client.name
  const question: RpcRetry.Question = { server, method: "getLedgers" }
  const waitAtTip = yield* RpcTip.make(server, options.pollInterval)
  /** `size` is what is asked for, and `most` what it may grow to. */
  const paging = yield* Ref.make({ size: options.pageSize, most: options.pageSize })

  // Halved when a page fails for its size, one more after every page that did not: between the two it settles near what the server can do.
  const shrink = (failure: RpcFailure.Passing | RpcFailure.Wrong) =>
    Ref.modify(paging, (now) =>
      failure.smaller === true && now.size > 1 ? [true, { ...now, size: now.size >> 1 }] : [false, now]
    )
  const grow = Ref.update(paging, ({ most, size }) => ({ most, size: Math.min(most, size + 1) }))

  const ask = (start: number) =>
    RpcRetry.persist(
      question,
      Effect.flatMap(Ref.get(paging), ({ size }) => client.ledgers(start, size)),
      shrink
    )

  /** Asks for less from now on; refused when that was asked for already. */
  const obey = Effect.fnUntraced(function* (failure: RpcFailure.LimitTooHigh) {
    const { limit } = failure
    if (limit < 1 || limit >= (yield* Ref.get(paging)).size) return yield* RpcRetry.refusal(question, failure)
    yield* Ref.set(paging, { size: limit, most: limit })
    yield* Effect.logWarning("The RPC server gives smaller pages than STELLAR_RPC_PAGE_SIZE asks for").pipe(
      Effect.annotateLogs({ server, limit })
    )
  })

  return Effect.fnUntraced(function* (
    start: number,
    latest: number | undefined
  ): Effect.fn.Return<Next, LedgerSourceError> {
    if (latest !== undefined && latest < start) yield* waitAtTip(start, latest)
    let refusals = 0
    let tooOld = 0
    for (;;) {
      const result = yield* Effect.either(ask(start))
      if (result._tag === "Right") {
        yield* grow
        return { _tag: "Page", ...result.right }
      }
      const failure = result.left
      if (failure._tag === "LedgerSourceError") return yield* failure
      if (failure._tag === "LimitTooHigh") {
        yield* obey(failure)
        continue
      }
      let range: { readonly oldest: number; readonly latest: number }
      if (failure._tag === "OutOfRange") range = failure
      else {
        if (!parameterCodes.has(failure.code)) return yield* RpcRetry.refusal(question, failure)
        range = yield* RpcRetry.insist({ server, method: "getHealth" }, client.health)
        // The ledger may have come between the two questions; refused again, it was not about the ledger.
        const isThere = range.oldest <= start && start <= range.latest
        if (isThere && ++refusals > 1) return yield* RpcRetry.refusal(question, failure)
        if (isThere) continue
      }
      if (start >= range.oldest) yield* waitAtTip(start, range.latest)
      else if (++tooOld >= options.patience) return { _tag: "Gap", oldest: range.oldest }
      else yield* Effect.sleep(yield* Backoff.afterFailures(tooOld))
    }
  })
})
