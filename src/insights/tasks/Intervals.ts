/**
 * How often the tasks that compute and keep house do so.
 *
 * | key | default | allowed |
 * |---|---|---|
 * | `METRICS_SYNC_INTERVAL` | 60 s | 1 s to 1 h |
 * | `POOL_SNAPSHOT_INTERVAL` | 300 s | 1 s to 1 h |
 * | `TRUSTLINE_SNAPSHOT_INTERVAL` | 900 s | 1 s to 1 h |
 */
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as DurationConfig from "../../lifecycle/DurationConfig.js"

/**
 * From when these tasks are run to their first units: whoever has just taken over from another process gets to its first ledger before it computes what that one had
 * computed already.
 */
export const delay = Duration.millis(250)

/** Of each task, from the end of one unit to the begin of the next. */
export interface Intervals {
  readonly metricsSync: Duration.Duration
  /** Also the length of the buckets that snapshots are kept by. */
  readonly poolSnapshots: Duration.Duration
  /** Also the length of the buckets that snapshots are kept by. */
  readonly trustlineSnapshots: Duration.Duration
}

/** Everything at its default. */
export const defaults: Intervals = {
  metricsSync: Duration.seconds(60),
  poolSnapshots: Duration.seconds(300),
  trustlineSnapshots: Duration.seconds(900)
}

const bounds: DurationConfig.Bounds = { min: Duration.seconds(1), max: Duration.hours(1) }

const interval = (key: string, otherwise: Duration.Duration) =>
  Config.withDefault(DurationConfig.duration(key, bounds), otherwise)

/** The keys above. */
export const config: Config.Config<Intervals> = Config.all({
  metricsSync: interval("METRICS_SYNC_INTERVAL", defaults.metricsSync),
  poolSnapshots: interval("POOL_SNAPSHOT_INTERVAL", defaults.poolSnapshots),
  trustlineSnapshots: interval("TRUSTLINE_SNAPSHOT_INTERVAL", defaults.trustlineSnapshots)
})
