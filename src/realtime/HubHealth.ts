/**
 * The hub as metrics, and as the section `realtime` of `/health`.
 *
 * | metric | type | what |
 * | --- | --- | --- |
 * | `ws_connections` | gauge | clients connected now |
 * | `sse_streams` | gauge | streams of server-sent events that are open now |
 * | `ws_connections_total{outcome}` | counter | clients and streams since the start, `accepted` and `refused` |
 * | `ws_messages_total` | counter | client messages handled since the start |
 * | `ws_dead_total` | counter | clients terminated since the start because they left pings unanswered, or their stream unread |
 * | `ws_subscription_groups` | gauge | distinct sets of channels that clients have |
 * | `ws_queued_bytes` | gauge | bytes that wait for clients that do not read |
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as HealthDetails from "../http/HealthDetails.js"
import * as Samples from "../lifecycle/Samples.js"
import * as Hub from "./Hub.js"

const gauge = (name: string, description: string) => Metric.gauge(name, { description })
const counter = (name: string, description: string) =>
  Metric.counter(name, { description, incremental: true })

const connections = gauge("ws_connections", "Clients connected now")
const streams = gauge("sse_streams", "Streams of server-sent events that are open now")
const groups = gauge("ws_subscription_groups", "Distinct sets of channels that clients have")
const queued = gauge("ws_queued_bytes", "Bytes that wait for clients that do not read")
const clients = counter("ws_connections_total", "Clients since the start")
const accepted = Metric.tagged(clients, "outcome", "accepted")
const refused = Metric.tagged(clients, "outcome", "refused")
const messages = counter("ws_messages_total", "Client messages handled since the start")
const dead = counter("ws_dead_total", "Clients terminated for pings that they left unanswered")

/** Sets the gauges, and adds to the counters what has come since the last time. */
const updates = ({ unsafeNumbers }: Hub.Shape): Effect.Effect<void> => {
  let before = { accepted: 0, refused: 0, messages: 0, dead: 0 }
  return Effect.suspend(() => {
    const now = unsafeNumbers()
    const all = [
      Metric.set(connections, now.connections),
      Metric.set(streams, now.streams),
      Metric.set(groups, now.groups),
      Metric.set(queued, now.queued),
      Metric.incrementBy(accepted, now.accepted - before.accepted),
      Metric.incrementBy(refused, now.refused - before.refused),
      Metric.incrementBy(messages, now.messages - before.messages),
      Metric.incrementBy(dead, now.dead - before.dead)
    ]
    before = now
    return Effect.all(all, { discard: true })
  })
}

/** The section, and the metrics whenever they are told: these to the end, also while the hub says goodbye. */
export const layer: Layer.Layer<never, never, Hub.Hub | HealthDetails.HealthDetails | Samples.Samples> =
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const hub = yield* Hub.Hub
      const health = yield* HealthDetails.HealthDetails
      yield* health.add(
        "realtime",
        Effect.sync(() => ({ ...hub.unsafeNumbers() }))
      )
      const { keep } = yield* Samples.Samples
      yield* keep(updates(hub))
    })
  )
