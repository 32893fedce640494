/**
 * A service that stops as it should: the draining server with health, an endless stream of events and WebSockets, which the drill must find
 * nothing wrong with.
 *
 * `START_MS` is how long it takes to start, in milliseconds.
 */
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { type WebSocket, WebSocketServer } from "ws"
import { announce, routes } from "../../../bench/peers/routes.js"
import * as DrainingServer from "../../../src/http/DrainingServer.js"
import * as Health from "../../../src/http/Health.js"
import * as HealthDetails from "../../../src/http/HealthDetails.js"
import * as Upgrades from "../../../src/http/Upgrades.js"
import * as Lifecycle from "../../../src/lifecycle/Lifecycle.js"
import * as NodeLaunch from "../../../src/lifecycle/node/NodeLaunch.js"
import * as Resource from "../../../src/lifecycle/Resource.js"

/** How long a client may take to answer the close, in milliseconds. */
const patience = 1000

/** WebSockets: an echo, a goodbye and 1001 when the drain begins, and an end to who does not answer. */
const sockets = Layer.scopedDiscard(
  Effect.gen(function* () {
    const lifecycle = yield* Lifecycle.Lifecycle
    const upgrades = yield* Upgrades.Upgrades
    const hub = new WebSocketServer({ noServer: true })
    hub.on("connection", (socket: WebSocket) => {
      socket.on("error", () => {})
      socket.on("message", (data: Buffer) => socket.send(data.toString()))
    })
    yield* upgrades.register("/ws", (request, socket, head) =>
      hub.handleUpgrade(request, socket, head, (client) => hub.emit("connection", client, request))
    )
    const said = Effect.sync(() => {
      for (const client of hub.clients) {
        client.send(JSON.stringify({ type: "ServerShutdown" }))
        client.close(1001, "stopping")
      }
    })
    const gone = Effect.sleep("10 millis").pipe(
      Effect.repeat({ while: () => hub.clients.size > 0 }),
      Effect.timeoutTo({ duration: patience, onSuccess: () => {}, onTimeout: () => {} })
    )
    const cut = Effect.sync(() => {
      for (const client of hub.clients) client.terminate()
    })
    yield* lifecycle.addQuiesce({
      name: "sockets",
      limit: Duration.seconds(5),
      run: Effect.ensuring(Effect.zipRight(said, gone), cut)
    })
  })
)

/** Events until the drain begins; then a last one. */
const events = Effect.map(Lifecycle.Lifecycle, (lifecycle) => {
  const bytes = (text: string) => new TextEncoder().encode(text)
  const beats = Stream.repeatEffectWithSchedule(
    Effect.succeed(bytes("data: beat\n\n")),
    Schedule.spaced("50 millis")
  )
  const body = beats.pipe(
    Stream.interruptWhen(lifecycle.awaitPhase("draining")),
    Stream.concat(Stream.succeed(bytes("event: shutdown\ndata: {}\n\n")))
  )
  return HttpServerResponse.stream(body, { contentType: "text/event-stream" })
})

const served = Layer.unwrapScoped(
  Effect.gen(function* () {
    const health = yield* Health.router
    const all = HttpRouter.concat(routes, health).pipe(HttpRouter.get("/sse", yield* events))
    return HttpServer.serve(all)
  })
)

const slowStart = Resource.named("slow-start", { limit: Duration.seconds(1) })(
  Layer.effectDiscard(Effect.sleep(Number(process.env["START_MS"] ?? 0)))
)

Layer.merge(announce, sockets).pipe(
  Layer.provideMerge(served),
  Layer.provide(DrainingServer.layer({ port: Number(process.env["PORT"] ?? 0), host: "127.0.0.1" })),
  Layer.provide(Upgrades.layer),
  Layer.provide(HealthDetails.layer),
  Layer.provide(slowStart),
  NodeLaunch.launch,
  NodeRuntime.runMain
)
