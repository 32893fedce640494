/**
 * A small service composed from the public parts, with knobs for what may go wrong: what an engineer with another Effect service writes.
 *
 * KNOB: `leak` keeps a handle for ever, `throw` throws where nothing catches, `reject` rejects where nothing handles, `hang` has a release that never ends,
 * `stall` never acquires its last layer.
 */
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as DrainingServer from "../../../src/http/DrainingServer.js"
import * as NodeLaunch from "../../../src/lifecycle/node/NodeLaunch.js"
import * as Resource from "../../../src/lifecycle/Resource.js"

const knob = process.env.KNOB

const database = Resource.named("database", { limit: Duration.seconds(2) })(
  Layer.scopedDiscard(Effect.acquireRelease(Effect.log("database open"), () => Effect.log("database closed")))
)

const cache = Resource.named("cache", { limit: Duration.seconds(1) })(
  Layer.scopedDiscard(
    Effect.addFinalizer(() => (knob === "hang" ? Effect.never : Effect.log("cache closed")))
  )
)

const gate = Layer.effectDiscard(knob === "stall" ? Effect.never : Effect.void)

const number = (request: HttpServerRequest.HttpServerRequest, key: string) =>
  Number(new URL(request.url, "http://localhost").searchParams.get(key))

const router = HttpRouter.empty.pipe(
  HttpRouter.get("/fast", HttpServerResponse.json({ ok: true })),
  HttpRouter.get(
    "/slow",
    Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
      Effect.zipRight(
        Effect.sleep(Duration.millis(number(request, "ms"))),
        HttpServerResponse.json({ ok: true })
      )
    )
  ),
  HttpRouter.get(
    "/block",
    Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
      Effect.sync(() => {
        const until = performance.now() + number(request, "ms")
        while (performance.now() < until);
        return HttpServerResponse.empty()
      })
    )
  )
)

const app = HttpServer.serve(router).pipe(
  HttpServer.withLogAddress,
  Layer.provide(DrainingServer.layerConfig),
  Layer.provide(gate),
  Layer.provide(cache),
  Layer.provide(database)
)

if (knob === "leak") setInterval(() => {}, 1_000_000)
if (knob === "throw")
  setTimeout(() => {
    throw new Error("thrown at nobody")
  }, 1000)
if (knob === "reject") setTimeout(() => void Promise.reject(new Error("rejected at nobody")), 1000)

NodeRuntime.runMain(NodeLaunch.launch(app))
