/**
 * What the health page and the metrics say of the run itself: how the one before ended, and what is in hand now.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as LastRun from "../lifecycle/LastRun.js"
import * as LastRunLog from "../lifecycle/LastRunLog.js"
import type * as Lifecycle from "../lifecycle/Lifecycle.js"
import * as Samples from "../lifecycle/Samples.js"
import * as ShutdownMetrics from "../lifecycle/ShutdownMetrics.js"
import * as HealthDetails from "./HealthDetails.js"
import * as InFlight from "./InFlight.js"

/** The section `lastRun` of `/health`, and the metrics that are carried over from the runs before. */
export const lastRun: Layer.Layer<never, never, LastRun.LastRun | HealthDetails.HealthDetails> = Layer.merge(
  ShutdownMetrics.layer,
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const { ending } = yield* LastRun.LastRun
      const details = yield* HealthDetails.HealthDetails
      yield* details.add("lastRun", Effect.succeed(LastRunLog.toJson(ending)))
    })
  )
)

/** Has the gauges of requests and readiness read whenever metrics are told. */
export const sampled: Layer.Layer<never, never, InFlight.InFlight | Lifecycle.Lifecycle | Samples.Samples> =
  Layer.scopedDiscard(Effect.flatMap(InFlight.InFlight, ({ numbers }) => ShutdownMetrics.sample(numbers)))
