/**
 * Ledgers from a Stellar RPC server: the live source, which knows the last few days and has a new ledger within seconds.
 *
 * Pages of a few ledgers, the next one fetched while one is worked on. A server that does not have the wanted ledger yet is asked again: several
 * nodes behind one URL disagree on the newest, and a ledger is final once it is there, so that fewer ledgers than before mean nothing but to wait.
 * What the server does not have any more comes from a lake where there is one, up to the first ledger that the server has. What is retried
 * and what halts stands in RpcFailure.ts.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as Path from "@effect/platform/Path"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import * as LakeSource from "./LakeSource.js"
import { LedgerSource, LedgerSourceError, type RawLedger, type Shape } from "./LedgerSource.js"
import * as RpcClient from "./RpcClient.js"
import * as RpcConfig from "./RpcConfig.js"
import * as RpcGap from "./RpcGap.js"
import * as RpcPages from "./RpcPages.js"
import * as RpcRetry from "./RpcRetry.js"
import { allowed, type RpcUrl } from "./RpcUrl.js"

/** How to read an RPC server. */
export interface Options {
  /** Where it is. */
  readonly endpoint: RpcUrl
  /** The network it must belong to. */
  readonly networkPassphrase: string
  /** Ledgers to ask for at once, 1 to 200. Default 10. At most three pages are in memory at a time. */
  readonly pageSize?: number
  /** How often to ask for a ledger that is not there yet. Default 2 s. */
  readonly pollInterval?: Duration.DurationInput
  /** How long one request may take, its body included. Default 30 s. */
  readonly requestTimeout?: Duration.DurationInput
  /** Bytes that one answer may have, decompressed; a page with more is asked for again with fewer ledgers. Default 64 MiB. */
  readonly maximumResponseSize?: number
  /** Where the ledgers come from that the server does not have any more. Default: nowhere, and the stream ends naming them. */
  readonly lake?: Shape | undefined
}

/** How long the start waits for the server to say which network it belongs to; it is asked again before the first ledger is read. */
export const startPatience = Duration.seconds(5)

const annotated = Effect.annotateLogs({ component: "RpcSource" })

/** Where a stream stands. */
interface Position {
  readonly start: number
  /** The server's newest ledger, as it said last. */
  readonly latest: number | undefined
  /** Done when the server may be asked. */
  readonly ready: Effect.Effect<void>
}

/**
 * A source on an RPC server. Ends in `unreadable` when the server belongs to another network, naming both, or refuses to say; one that
 * is away for a moment does not keep the service from starting, and is asked before the first ledger is read.
 */
export const make = Effect.fn("RpcSource.make")(function* (options: Options) {
  const { networkPassphrase } = options
  const client = yield* RpcClient.make({
    endpoint: options.endpoint,
    requestTimeout: options.requestTimeout ?? RpcConfig.requestTimeout,
    maximumResponseSize: options.maximumResponseSize ?? 64 * 1024 * 1024
  })
  const server = client.name
  const isVerified = yield* Ref.make(false)
  const compare = (theirs: string) =>
    theirs === networkPassphrase
      ? Ref.set(isVerified, true)
      : Effect.fail(
          new LedgerSourceError({
            reason: "unreadable",
            object: server,
            message:
              `${server} belongs to the network ${JSON.stringify(theirs.slice(0, 200))}, configured is "${networkPassphrase}": ` +
              "change STELLAR_RPC_URL, or STELLAR_NETWORK and STELLAR_NETWORK_PASSPHRASE"
          })
        )

  const which = { server, method: "getNetwork" }
  const verify = Effect.unlessEffect(
    Effect.flatMap(RpcRetry.insist(which, client.network), compare),
    Ref.get(isVerified)
  )
  const away = (why: string) =>
    Effect.logWarning("The RPC server does not say yet which network it belongs to").pipe(
      Effect.annotateLogs({ server, why })
    )
  const atStart = client.network.pipe(
    Effect.timeoutOption(startPatience),
    Effect.matchEffect({
      onSuccess: Option.match({ onNone: () => away("no answer in time"), onSome: compare }),
      onFailure: (failure) =>
        failure._tag === "Passing" || failure._tag === "Wrong"
          ? away(failure.why)
          : Effect.fail(RpcRetry.refusal(which, failure))
    })
  )

  const next = yield* RpcPages.make(client, {
    pageSize: options.pageSize ?? RpcConfig.pageSize,
    pollInterval: options.pollInterval ?? RpcConfig.pollInterval,
    patience: options.lake === undefined ? 3 : 1
  })
  const fill = RpcGap.make({ server, networkPassphrase, lake: options.lake })

  /** The next stretch of ledgers, a page or a gap, and where the one after it begins. */
  const stretch = Effect.fnUntraced(function* ({ latest, ready, start }: Position) {
    yield* ready
    const found = yield* next(start, latest)
    if (found._tag === "Page") {
      const position: Position = {
        start: start + found.ledgers.length,
        latest: found.latest,
        ready: Effect.void
      }
      return Option.some([Stream.fromIterable(found.ledgers), position] as const)
    }
    // Not asked for more before the gap is filled: by then the server has moved on.
    const filled = yield* Deferred.make<void>()
    const gap = Stream.concat(
      fill(start, found.oldest - 1),
      Stream.execute(Deferred.succeed(filled, undefined))
    )
    return Option.some([
      gap,
      { start: found.oldest, latest: undefined, ready: Deferred.await(filled) }
    ] as const)
  })

  const ledgers = (start: number): Stream.Stream<RawLedger, LedgerSourceError> =>
    Stream.fromEffect(annotated(verify)).pipe(
      Stream.flatMap(() =>
        Stream.unfoldEffect({ start, latest: undefined, ready: Effect.void } as Position, (position) =>
          annotated(stretch(position))
        )
      ),
      Stream.buffer({ capacity: 1 }),
      Stream.flatMap((part: Stream.Stream<RawLedger, LedgerSourceError>) => part)
    )

  yield* annotated(atStart)
  return {
    description: `rpc ${server} (${networkPassphrase})`,
    networkPassphrase,
    firstSequence: annotated(
      Effect.map(
        Effect.zipRight(verify, RpcRetry.insist({ server, method: "getHealth" }, client.health)),
        ({ latest }) => Math.max(2, latest)
      )
    ),
    ledgers: (start) => ledgers(start)
  } satisfies Shape as Shape
})

/** An RPC server as the service's source. Ends in what {@link make} ends in. */
export const layer = (
  options: Options
): Layer.Layer<LedgerSource, LedgerSourceError, HttpClient.HttpClient> =>
  Layer.effect(LedgerSource, make(options))

/**
 * The RPC server of the configuration (see RpcConfig.ts), and behind it the lake when `STELLAR_LAKE_URL` is set: the public one is never asked by
 * itself. Ends in a `ConfigError` of one line that names the key and what is allowed, also when the server or the lake belongs to another network.
 */
export const layerConfig: Layer.Layer<
  LedgerSource,
  ConfigError.ConfigError,
  HttpClient.HttpClient | FileSystem.FileSystem | Path.Path
> = Layer.scoped(
  LedgerSource,
  Effect.gen(function* () {
    const { endpoint, ...settings } = yield* RpcConfig.RpcConfig
    if (Option.isNone(endpoint)) {
      const message = `${RpcConfig.urlKey} is not set: it must be ${allowed}`
      return yield* Effect.fail(ConfigError.MissingData([RpcConfig.urlKey], message))
    }
    const hasLake = Option.isSome(yield* Config.option(Config.string(LakeSource.urlKey)))
    const lake = hasLake ? Context.get(yield* Layer.build(LakeSource.layerConfig), LedgerSource) : undefined
    return yield* Effect.mapError(make({ ...settings, endpoint: endpoint.value, lake }), ({ message }) =>
      RpcConfig.refuse(`${RpcConfig.urlKey} is not valid: ${message}`)
    )
  })
)
