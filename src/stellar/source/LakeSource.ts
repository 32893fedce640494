/**
 * Ledgers from a lake (SEP-54, as Galexie writes it): the public ones of pubnet and testnet, or one of your own, in a folder or behind a server.
 *
 * The next object not being there is how a lake says "not yet": it is asked for again every second, for ever, and nothing is ever skipped.
 * Every object is checked as far as it can be without knowing the network: the checksum, the form of every ledger, and that it holds the ledgers of its name.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Path from "@effect/platform/Path"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Network from "../Network.js"
import * as LakeFolder from "./LakeFolder.js"
import * as LakeHttp from "./LakeHttp.js"
import * as LakeReader from "./LakeReader.js"
import * as LakeSchema from "./LakeSchema.js"
import { allowedLocations, type Location, parseLocation } from "./LakeStore.js"
import * as LakeTip from "./LakeTip.js"
import { LedgerSource, LedgerSourceError, type RawLedger, type Shape } from "./LedgerSource.js"
import * as Setting from "./Setting.js"

/** How to read a lake. */
export interface Options {
  /** Where it is. */
  readonly location: Location
  /** The network it must belong to, where its `.config.json` says which. */
  readonly networkPassphrase: string
  /** How often to ask for an object that is not there yet. Default 1 s. */
  readonly pollInterval?: Duration.DurationInput
  /** Objects fetched ahead of the one that is wanted, 1 and more. Default 4. At most two more than this are in memory at a time. */
  readonly prefetch?: number
  /** How long one try of one request over HTTP may take, its body included. Default 30 s. */
  readonly requestTimeout?: Duration.DurationInput
  /** Compressed bytes that one object may have. Default 64 MiB. */
  readonly maximumObjectSize?: number
}

/**
 * A source on a lake. Ends in `unreadable` when a folder is not there or its `.config.json` is wrong or of another network; a server is
 * asked for the first time when ledgers are, and the stream then ends in the same.
 */
export const make = Effect.fn("LakeSource.make")(function* (options: Options) {
  const store = yield* openStore(options)
  const reader = yield* LakeReader.make(store, {
    networkPassphrase: options.networkPassphrase,
    pollInterval: options.pollInterval ?? "1 second"
  })
  // What is wrong with a folder is told at once; a server may be away for a moment, which must not keep the service from starting.
  if (options.location._tag !== "Http") yield* reader.schema

  const ledgers = (start: number): Stream.Stream<RawLedger, LedgerSourceError> =>
    Stream.unwrap(
      Effect.map(reader.schema, (described) => {
        const job = (sequence: number, before: Deferred.Deferred<void>) =>
          Effect.map(Deferred.make<void>(), (found): LakeReader.Job => ({
            range: LakeSchema.batchOf(described, sequence),
            before,
            found
          }))
        return Stream.fromEffect(
          Effect.tap(Deferred.make<void>(), (none) => Deferred.succeed(none, undefined))
        ).pipe(
          Stream.flatMap((none) =>
            Stream.unfoldEffect({ sequence: start, before: none }, ({ before, sequence }) =>
              sequence > LakeSchema.lastSequence
                ? Effect.succeedNone
                : Effect.map(job(sequence, before), (next) =>
                    Option.some([next, { sequence: next.range.end + 1, before: next.found }] as const)
                  )
            )
          ),
          // Failures travel in line, so that what was found before a broken object is still delivered.
          Stream.mapEffect((next) => Effect.either(reader.load(described, next)), {
            concurrency: options.prefetch ?? 4
          }),
          Stream.mapEffect((result) => result),
          Stream.flattenChunks,
          Stream.dropWhile((ledger) => ledger.sequence < start),
          Stream.concat(Stream.never)
        )
      })
    )

  const firstSequence = Effect.gen(function* () {
    const described = yield* reader.schema
    const keys = yield* store.newestKeys
    const newest =
      keys === undefined
        ? yield* LakeTip.probe(described, reader.exists(described))
        : LakeSchema.newestOf(keys)
    if (newest !== undefined) return Math.max(2, newest)
    return yield* new LedgerSourceError({
      reason: "unreadable",
      object: store.name,
      message: `no newest ledger was found in ${store.name}: check STELLAR_LAKE_URL, or set STELLAR_START_LEDGER`
    })
  })

  const annotated = Effect.annotateLogs({ component: "LakeSource" })
  return {
    description: `lake ${store.name} (${options.networkPassphrase})`,
    networkPassphrase: options.networkPassphrase,
    firstSequence: annotated(firstSequence),
    ledgers: (start) => ledgers(start)
  } satisfies Shape as Shape
})

const openStore = (options: Options) =>
  Effect.gen(function* () {
    const maximumObjectSize = options.maximumObjectSize ?? 64 * 1024 * 1024
    const location = options.location
    switch (location._tag) {
      case "Http":
        return yield* LakeHttp.make(location.url, {
          maximumObjectSize,
          requestTimeout: options.requestTimeout ?? "30 seconds"
        })
      case "Folder":
        return yield* LakeFolder.make(location.path, { maximumObjectSize })
      case "FileUrl": {
        const path = yield* Path.Path
        const folder = yield* Effect.mapError(
          path.fromFileUrl(location.url),
          (cause) =>
            new LedgerSourceError({
              reason: "unreadable",
              object: location.url.href,
              message: `${location.url.href} is not the URL of a folder here`,
              cause
            })
        )
        return yield* LakeFolder.make(folder, { maximumObjectSize })
      }
    }
  })

/** Where the public lakes are, by name of network: anonymous, over HTTPS. */
export const publicLakes: Readonly<Record<string, string>> = {
  pubnet: "https://aws-public-blockchain.s3.us-east-2.amazonaws.com/v1.1/stellar/ledgers/pubnet",
  testnet: "https://aws-public-blockchain.s3.us-east-2.amazonaws.com/v1.1/stellar/ledgers/testnet"
}

/** The key that says where the lake is. */
export const urlKey = "STELLAR_LAKE_URL"

/**
 * The lake as configured.
 *
 * | key | default | allowed |
 * |---|---|---|
 * | `STELLAR_LAKE_URL` | the network's public lake, for pubnet and testnet | a folder's path, a `file://`, `http://` or `https://` URL |
 *
 * and the network's keys, see Network.ts.
 */
export const LakeConfig: Config.Config<Options & { readonly text: string }> = Config.all({
  network: Network.config,
  given: Config.option(
    Setting.parsed(urlKey, allowedLocations, (text) => {
      const location = parseLocation(text)
      return location && { location, text }
    })
  )
}).pipe(
  Config.mapOrFail(({ given, network }) => {
    const passphraseOf = Network.passphrases as Readonly<Record<string, string>>
    const text = passphraseOf[network.name] === network.passphrase ? publicLakes[network.name] : undefined
    const known = text === undefined ? undefined : { location: parseLocation(text)!, text }
    const lake = Option.getOrElse(given, () => known)
    return lake === undefined
      ? Either.left(
          ConfigError.MissingData(
            [urlKey],
            `${urlKey} is not set and the network ${JSON.stringify(network.name)} has no public lake: it must be ${allowedLocations}`
          )
        )
      : Either.right({ ...lake, networkPassphrase: network.passphrase })
  })
)

/** A lake as the service's source. Ends in what {@link make} ends in. */
export const layer = (
  options: Options
): Layer.Layer<LedgerSource, LedgerSourceError, HttpClient.HttpClient | FileSystem.FileSystem | Path.Path> =>
  Layer.effect(LedgerSource, make(options))

/**
 * The lake of the configuration. Ends in a `ConfigError` of one line that names key, value and what is allowed: also where a folder
 * is not there, cannot be read, or is of another network.
 */
export const layerConfig: Layer.Layer<
  LedgerSource,
  ConfigError.ConfigError,
  HttpClient.HttpClient | FileSystem.FileSystem | Path.Path
> = Layer.effect(
  LedgerSource,
  Effect.flatMap(LakeConfig, (options) =>
    Effect.mapError(make(options), (error) =>
      ConfigError.InvalidData(
        [urlKey],
        `${urlKey}=${JSON.stringify(options.text)} is not valid: ${error.message}; it must be ${allowedLocations}`
      )
    )
  )
)
