/** What an engineer with another Effect service writes: nothing but the public entries, under plain `NodeRuntime.runMain`. */
import { HttpRouter, HttpServer, HttpServerResponse } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Duration, Effect, Layer } from "effect"
import { DrainingServer } from "stellar-insights/http"
import { Lifecycle, NodeLaunch, Resource, Task } from "stellar-insights/lifecycle"

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

const Phases = Layer.scopedDiscard(
  Effect.flatMap(Lifecycle.Lifecycle, (lifecycle) =>
    Effect.forkScoped(Effect.zipRight(lifecycle.awaitPhase("draining"), Effect.log("told to drain")))
  )
)

const Http = HttpServer.serve(
  HttpRouter.empty.pipe(HttpRouter.get("/", HttpServerResponse.text("hello")))
).pipe(HttpServer.withLogAddress, Layer.provide(DrainingServer.layer({ port: 0, host: "127.0.0.1" })))

NodeRuntime.runMain(NodeLaunch.launch(Http.pipe(Layer.provide([Worker, Phases]), Layer.provide(Store))))
