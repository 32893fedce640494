import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as DrainingServer from "../../src/http/DrainingServer.js"
import * as Upgrades from "../../src/http/Upgrades.js"
import * as HostTest from "../../src/lifecycle/HostTest.js"
import * as Launch from "../../src/lifecycle/Launch.js"
import * as Resource from "../../src/lifecycle/Resource.js"
import * as ShutdownConfig from "../../src/lifecycle/ShutdownConfig.js"
import * as EventLog from "../../src/realtime/EventLog.js"
import * as Hub from "../../src/realtime/Hub.js"
import * as SessionStore from "../../src/realtime/SessionStore.js"
import { accepts } from "./support/HubHarness.js"
import { connect } from "./support/WsClient.js"

const shutdown: ShutdownConfig.ShutdownConfig = {
  ...ShutdownConfig.defaults,
  stages: { ...ShutdownConfig.defaults.stages, websocket: Option.some(Duration.millis(600)) },
  idleGrace: Option.some(Duration.millis(50))
}

describe("a service with a hub", () => {
  it.scopedLive(
    "on SIGTERM publishes what is left, says bye, closes with 1001, and ends with 0, also with a silent peer",
    () =>
      Effect.gen(function* () {
        const host = yield* HostTest.make
        const listening = yield* Deferred.make<number>()
        /** Publishes its last event when it is released, as a consumer does that passes on what producers committed. */
        const Publisher = Layer.scopedDiscard(
          Effect.gen(function* () {
            const hub = yield* Hub.Hub
            yield* Effect.addFinalizer(() =>
              hub.publish([{ id: 7, channels: ["news"], type: "said", payload: "the last word" }])
            )
          })
        ).pipe(Resource.named("publisher", { limit: Duration.seconds(1) }))
        const Server = HttpServer.serve(HttpServerResponse.text("hello")).pipe(
          Layer.tap(() =>
            Effect.flatMap(HttpServer.HttpServer, ({ address }) =>
              Deferred.succeed(listening, address._tag === "TcpAddress" ? address.port : 0)
            )
          ),
          Layer.provide(DrainingServer.layer({ port: 0, host: "127.0.0.1" })),
          Resource.named("http", { limit: Duration.seconds(1) })
        )
        const app = Server.pipe(
          Layer.provide(Publisher),
          Layer.provide(Hub.layer({ path: "/ws", accepts })),
          Layer.provide([EventLog.layerMemory(100), SessionStore.layerMemory, Upgrades.layer])
        )
        const service = yield* Launch.launch(app, { shutdown, startupTimeout: Duration.seconds(10) }).pipe(
          Effect.provide(host.layer),
          Logger.withMinimumLogLevel(LogLevel.None),
          Effect.fork
        )
        const port = yield* Deferred.await(listening)
        const client = yield* connect(port)
        yield* client.subscribe("news")
        const silent = yield* connect(port)
        silent.ws.pause()
        yield* host.signal("SIGTERM")
        const report = yield* Fiber.join(service)
        assert.deepStrictEqual(host.exitCodes, [0])
        assert.strictEqual((yield* client.end).code, 1001)
        assert.deepStrictEqual(
          client.messages.map(({ op }) => op),
          ["connected", "subscription_confirm", "server_shutdown", "event", "bye"]
        )
        const steps = report.steps.map(({ kind, name }) => `${kind} ${name}`)
        assert.include(steps, "quiesce realtime")
        assert.isBelow(steps.indexOf("release publisher"), steps.indexOf("release realtime"))
        assert.isBelow(steps.indexOf("release http"), steps.indexOf("release publisher"))
      })
  )
})
