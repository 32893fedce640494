/**
 * The task that turns facts into scores: corridors and anchors over 1 hour, 24 hours, 7 and 30 days, and an event where one does worse, or well again.
 *
 * "Now" is the close time of the last ledger. A unit is one sync of everything; it is made of short transactions, each right by itself, so one that is cut has
 * brought some rows up to date and the next one goes on with the others.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Duration from "effect/Duration"
import * as Cache from "../../cache/Cache.js"
import * as Budget from "../../lifecycle/Budget.js"
import * as SupervisedTask from "../../lifecycle/SupervisedTask.js"
import * as Database from "../Database.js"
import * as Freshness from "../Freshness.js"
import * as LedgerStore from "../LedgerStore.js"
import * as AnchorSync from "./AnchorSync.js"
import * as CorridorSync from "./CorridorSync.js"
import * as Intervals from "./Intervals.js"
import * as Watermark from "./Watermark.js"

/** How the task is called in logs, health, reports and `task_watermark`. */
export const name = "metrics-sync"

/** What it works with: sums in memory, which a failure or an interruption leaves in no known state. */
const makeState = Effect.all({ corridors: CorridorSync.make, anchors: AnchorSync.make })

/** One sync, up to the last ledger; nothing where there is none. Fails with `SqlError`. */
export const makeUnit = Effect.gen(function* () {
  const context = yield* Effect.context<Effect.Effect.Context<typeof makeState>>()
  const store = yield* LedgerStore.LedgerStore
  const { transaction, write } = yield* Database.Database
  let state: Effect.Effect.Success<typeof makeState> | undefined
  return Effect.gen(function* () {
    const latest = yield* store.latest
    if (Option.isNone(latest)) return
    state ??= yield* Effect.provide(makeState, context)
    yield* state.corridors.run(latest.value)
    yield* state.anchors.run(latest.value)
    yield* transaction(Watermark.set(write, name, latest.value.sequence))
  }).pipe(
    Effect.onError(() =>
      Effect.sync(() => {
        state = undefined
      })
    )
  )
})

/** The task at a given interval: for tests and tools. */
export const layer = (options: {
  readonly interval: Duration.Duration
  readonly limit: Duration.Duration
  readonly delay?: Duration.Duration
}) =>
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const cache = yield* Cache.Cache
      const unit = Effect.zipLeft(yield* makeUnit, cache.invalidate(Freshness.metrics))
      yield* SupervisedTask.periodic({ name, ...options, unit, lag: yield* Watermark.lag(name) })
    }).pipe(Effect.annotateLogs({ component: "MetricsSync" }))
  )

/** The task of the environment; a unit may take `SHUTDOWN_BACKGROUND_TIMEOUT` when the service stops. Fails with `ConfigError`. */
export const layerConfig = Layer.unwrapEffect(
  Effect.gen(function* () {
    const { stages } = yield* Budget.Budget
    const { metricsSync } = yield* Intervals.config
    return layer({ interval: metricsSync, limit: stages.background, delay: Intervals.delay })
  })
)
