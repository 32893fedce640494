/**
 * A network that exists only here: a few hundred accounts that pay, trade, trust and fail, always the same for the same seed, in ledgers as real as XDR can
 * make them.
 *
 * It needs no server, key or file, and goes through the same decoder and the same checks as any other. Close times follow from the sequence (five
 * seconds a ledger from the beginning of 2026 on), since they are part of what is hashed; only the pace at which ledgers come follows the clock.
 */
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Network from "../Network.js"
import { LedgerSource, type RawLedger, type Shape } from "./LedgerSource.js"
import * as Setting from "./Setting.js"
import * as SimulatedLedger from "./SimulatedLedger.js"

/** The passphrase of the simulated network, where none is configured. */
export const passphrase = "Stellar Insights Simulated Network"

/** How to simulate. */
export interface Options {
  /** Any text; the same one gives the same ledgers. Default `1`. */
  readonly seed?: string
  /** Between two ledgers; 0 is as fast as they are asked for. Default 5 s. */
  readonly interval?: Duration.DurationInput
  /** Transactions in a ledger, 0 to 10,000. Default 100. */
  readonly transactions?: number
  /** Operations in every transaction that calls no contract, 1 to 100, for tests of large ledgers. Default: 1 in most, 3 or 12 in some. */
  readonly operations?: number | undefined
  /** The network that transactions are hashed for. Default {@link passphrase}. */
  readonly networkPassphrase?: string
}

/** A simulated source; never fails, and neither do its ledgers. */
export const make = (options: Options = {}): Shape => {
  const seed = options.seed ?? "1"
  const networkPassphrase = options.networkPassphrase ?? passphrase
  const transactions = options.transactions ?? 100
  const interval = Duration.toMillis(options.interval ?? "5 seconds")
  const simulation = SimulatedLedger.make({
    seed,
    networkPassphrase,
    transactions,
    operations: options.operations
  })
  const object = `simulated:${seed}`

  // The first ledger is due at once, the others an interval after the one before was due. Who comes late by more than an interval finds one
  // ledger waiting and not a row of them.
  const pace = Effect.fnUntraced(function* (due: number | undefined) {
    if (interval === 0) {
      yield* Effect.yieldNow()
      return 0
    }
    const now = yield* Clock.currentTimeMillis
    if (due !== undefined && due > now) yield* Effect.sleep(due - now)
    const expected = due ?? now
    return (now - expected > interval ? now : expected) + interval
  })

  const ledgers = (start: number, previousHash: string | undefined): Stream.Stream<RawLedger> =>
    Stream.suspend(() => {
      const walk = simulation.walk()
      return Stream.unfoldEffect(
        {
          sequence: start,
          previous:
            previousHash === undefined ? simulation.originBefore(start) : Buffer.from(previousHash, "hex"),
          due: undefined as number | undefined
        },
        Effect.fnUntraced(function* ({ due, previous, sequence }) {
          const next = yield* pace(due)
          const { bytes, hash } = yield* walk(sequence, previous)
          return Option.some([
            { sequence, bytes, object },
            { sequence: sequence + 1, previous: hash, due: next }
          ] as const)
        })
      )
    })

  return {
    description: `simulated ${seed} (${networkPassphrase})`,
    networkPassphrase,
    firstSequence: Effect.succeed(SimulatedLedger.firstSequence),
    ledgers
  }
}

/** A simulated network as the service's source. Never fails. */
export const layer = (options?: Options): Layer.Layer<LedgerSource> =>
  Layer.sync(LedgerSource, () => make(options))

/**
 * The simulated network as configured.
 *
 * | key | default | allowed |
 * |---|---|---|
 * | `STELLAR_SIMULATED_SEED` | `1` | any text |
 * | `STELLAR_SIMULATED_INTERVAL` | 5 s | 0 to 1 hour; 0 is as fast as ledgers are asked for |
 * | `STELLAR_SIMULATED_TRANSACTIONS` | 100 | 0 to 10000, in every ledger |
 *
 * The network's keys (see Network.ts) name another passphrase to hash with; without them it is the simulation's own.
 */
export const SimulatedConfig: Config.Config<Required<Omit<Options, "operations">>> = Config.all({
  seed: Setting.text("STELLAR_SIMULATED_SEED", "a text that is not empty").pipe(Config.withDefault("1")),
  interval: Setting.duration("STELLAR_SIMULATED_INTERVAL", "1 hour").pipe(
    Config.withDefault(Duration.seconds(5))
  ),
  transactions: Setting.integer("STELLAR_SIMULATED_TRANSACTIONS", 0, 10_000).pipe(Config.withDefault(100)),
  networkPassphrase: Config.map(
    Network.configOption,
    Option.match({ onNone: () => passphrase, onSome: (network) => network.passphrase })
  )
})

/** The simulated network of the configuration. Ends in a `ConfigError` of one line that names key, value and what is allowed. */
export const layerConfig: Layer.Layer<LedgerSource, ConfigError.ConfigError> = Layer.effect(
  LedgerSource,
  Effect.map(SimulatedConfig, make)
)
