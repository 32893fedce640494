/**
 * Redis as metrics, where there is one.
 *
 * | metric | type | what |
 * | --- | --- | --- |
 * | `redis_connected` | gauge | 1 while it is connected, answers and refuses nothing, else 0 |
 * | `redis_pending_commands` | gauge | commands that wait for their answers |
 * | `redis_commands_total{outcome}` | counter | commands: `answered` (of these `refused` again by themselves), `unanswered`, `unsent` |
 * | `redis_reconnects_total` | counter | times that a connection could be used again |
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { sampleInterval } from "../lifecycle/ShutdownMetrics.js"
import * as Redis from "./Redis.js"

const connected = Metric.gauge("redis_connected", { description: "1 while Redis can be used" })
const pending = Metric.gauge("redis_pending_commands", {
  description: "Commands that wait for Redis to answer"
})
const commands = Metric.counter("redis_commands_total", {
  description: "Commands to Redis by what became of them",
  incremental: true
})
const reconnects = Metric.counter("redis_reconnects_total", {
  description: "Times that a connection to Redis could be used again",
  incremental: true
})

/** Raises a counter to what was counted elsewhere. */
const raise = (metric: Metric.Metric.Counter<number>, total: number) =>
  Effect.flatMap(Metric.value(metric), ({ count }) => Metric.update(metric, Math.max(0, total - count)))

const outcomes = ["answered", "refused", "unanswered", "unsent"] as const

const set = (status: Redis.Status): Effect.Effect<void> =>
  Effect.all(
    [
      Metric.set(connected, status.state === "connected" ? 1 : 0),
      Metric.set(pending, status.pending),
      ...outcomes.map((outcome) => raise(Metric.tagged(commands, "outcome", outcome), status[outcome])),
      raise(reconnects, status.reconnects)
    ],
    { discard: true }
  )

/** Brings the metrics up to date at once: for an endpoint that is about to tell them. Never fails; nothing happens where there is no Redis. */
export const update: Effect.Effect<void, never, Redis.Configured> = Effect.flatMap(
  Redis.Configured,
  Option.match({
    onNone: () => Effect.void,
    onSome: ({ status }) => Effect.flatMap(status, set)
  })
)

/** {@link update}, every `ShutdownMetrics.sampleInterval`. */
export const layer: Layer.Layer<never, never, Redis.Configured> = Layer.scopedDiscard(
  Effect.forkScoped(Effect.repeat(update, Schedule.spaced(sampleInterval)))
)
