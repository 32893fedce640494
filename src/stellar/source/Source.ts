/** Which source the service reads from, and where it begins. */
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as Path from "@effect/platform/Path"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as LakeSource from "./LakeSource.js"
import type { LedgerSource } from "./LedgerSource.js"
import * as RpcSource from "./RpcSource.js"
import * as Setting from "./Setting.js"
import * as SimulatedSource from "./SimulatedSource.js"

/** The names of the sources, as `STELLAR_SOURCE` has them. */
export const names = ["simulated", "lake", "rpc"] as const

/**
 * The choice as configured.
 *
 * | key | default | allowed |
 * |---|---|---|
 * | `STELLAR_SOURCE` | `simulated` | `simulated`, `lake`, `rpc` |
 * | `STELLAR_START_LEDGER` | the source's own: the tip of a lake or an RPC server, the first ledger of a simulation | 2 to 4294967295 |
 */
export const SourceConfig: Config.Config<{
  /** Where ledgers come from. */
  readonly source: (typeof names)[number]
  /** The sequence to begin with when nothing is stored yet; none leaves it to `LedgerSource.firstSequence`. */
  readonly startLedger: Option.Option<number>
}> = Config.all({
  source: Setting.oneOf("STELLAR_SOURCE", names).pipe(Config.withDefault("simulated" as const)),
  startLedger: Config.option(Setting.integer("STELLAR_START_LEDGER", 2, 4_294_967_295))
})

const layers = {
  simulated: SimulatedSource.layerConfig,
  lake: LakeSource.layerConfig,
  rpc: RpcSource.layerConfig
} as const

/** The configured source. A simulation needs neither the client nor the file system. Ends in a `ConfigError` of one line that names key, value and what is allowed. */
export const layerConfig: Layer.Layer<
  LedgerSource,
  ConfigError.ConfigError,
  HttpClient.HttpClient | FileSystem.FileSystem | Path.Path
> = Layer.unwrapEffect(Effect.map(SourceConfig, ({ source }) => layers[source]))
