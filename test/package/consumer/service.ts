/** What an engineer with another Effect service writes: nothing but the public entries, under plain `NodeRuntime.runMain`. */
import { HttpRouter, HttpServer, HttpServerResponse } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Duration, Effect, Layer, Option } from "effect"
import { DrainingServer, Upgrades } from "stellar-insights/http"
import { Lifecycle, NodeLaunch, Resource, Task } from "stellar-insights/lifecycle"
import { EventLog, Hub, SessionStore } from "stellar-insights/realtime"

const Store = Resource.named("store", { limit: Duration.seconds(2) })(
  Layer.scopedDiscard(Effect.acquireRelease(Effect.log("store open"), () => Effect.log("store closed")))
)

const Worker = Resource.named("worker", { limit: Duration.seconds(2) })(
  Layer.scopedDiscard(
    Task.run({
      name: "worker",
      limit: Duration.seconds(5),
      next: Effect.sleep("50 millis"),
      unit: () => Effect.void
    })
  )
)

const Ticks = Layer.scopedDiscard(
  Effect.gen(function* () {
    const [hub, log] = [yield* Hub.Hub, yield* EventLog.MemoryLog]
    const tick = Effect.gen(function* () {
      const event = { id: (yield* log.head) + 1, channels: ["clock"], type: "tick", payload: null }
      yield* log.append([event])
      yield* hub.publish([event])
    })
    yield* Effect.forkScoped(Effect.forever(Effect.zipRight(Effect.sleep("50 millis"), tick)))
  })
)

const Live = Hub.layer({ path: "/ws", accepts: () => Option.none() })

const Phases = Layer.scopedDiscard(
  Effect.flatMap(Lifecycle.Lifecycle, (lifecycle) =>
    Effect.forkScoped(Effect.zipRight(lifecycle.awaitPhase("draining"), Effect.log("told to drain")))
  )
)

const Http = HttpServer.serve(
  HttpRouter.empty.pipe(HttpRouter.get("/", HttpServerResponse.text("hello")))
).pipe(HttpServer.withLogAddress, Layer.provide(DrainingServer.layer({ port: 0, host: "127.0.0.1" })))

const app = Http.pipe(
  Layer.provide([Worker, Phases, Ticks]),
  Layer.provide(Live),
  Layer.provide([EventLog.layerMemory(1000), SessionStore.layerMemory, Upgrades.layer]),
  Layer.provide(Store)
)

NodeRuntime.runMain(NodeLaunch.launch(app))
