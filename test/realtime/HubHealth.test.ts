import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as HealthDetails from "../../src/http/HealthDetails.js"
import * as Samples from "../../src/lifecycle/Samples.js"
import * as Hub from "../../src/realtime/Hub.js"
import * as HubHealth from "../../src/realtime/HubHealth.js"

const zero: Hub.Numbers = {
  connections: 0,
  streams: 0,
  accepted: 0,
  refused: 0,
  messages: 0,
  dead: 0,
  groups: 0,
  queued: 0
}

describe("the hub's health", () => {
  it.scoped("is what the hub counts: in /health and in the metrics, totals only rising", () =>
    Effect.gen(function* () {
      let numbers = zero
      // Only what is asked for.
      const hub = Layer.succeed(Hub.Hub, { unsafeNumbers: () => numbers } as Hub.Shape)
      const context = yield* HubHealth.layer.pipe(
        Layer.provide(hub),
        Layer.provideMerge(Layer.merge(HealthDetails.layer, Samples.layer)),
        Layer.build
      )
      numbers = { ...zero, connections: 3, accepted: 5, messages: 40, queued: 7 }
      const { realtime } = yield* Context.get(context, HealthDetails.HealthDetails).all
      assert.deepStrictEqual(realtime, { ...numbers })
      const accepted = Metric.tagged(
        Metric.counter("ws_connections_total", {
          description: "Clients since the start",
          incremental: true
        }),
        "outcome",
        "accepted"
      )
      const connections = Metric.gauge("ws_connections", { description: "Clients connected now" })
      const told = Effect.map(
        Effect.all([Metric.value(accepted), Metric.value(connections)]),
        ([{ count }, { value }]) => [count, value]
      )
      const { update } = Context.get(context, Samples.Samples)
      yield* update
      assert.deepStrictEqual(yield* told, [5, 3])
      numbers = { ...numbers, connections: 1, accepted: 6 }
      yield* update
      assert.deepStrictEqual(yield* told, [6, 1])
    })
  )
})
