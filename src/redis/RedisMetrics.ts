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
import * as Samples from "../lifecycle/Samples.js"
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

const outcomes = ["answered", "refused", "unanswered", "unsent"] as const

const set = (status: Redis.Status): Effect.Effect<void> =>
  Effect.all(
    [
      Metric.set(connected, status.state === "connected" ? 1 : 0),
      Metric.set(pending, status.pending),
      ...outcomes.map((outcome) =>
        Samples.raise(Metric.tagged(commands, "outcome", outcome), status[outcome])
      ),
      Samples.raise(reconnects, status.reconnects)
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

/** {@link update}, whenever metrics are told, to the end: what is read is in memory. */
export const layer: Layer.Layer<never, never, Redis.Configured | Samples.Samples> = Layer.effectDiscard(
  Effect.gen(function* () {
    const redis = yield* Redis.Configured
    const { keep } = yield* Samples.Samples
    yield* keep(Effect.provideService(update, Redis.Configured, redis))
  })
)
