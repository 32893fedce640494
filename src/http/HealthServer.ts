/**
 * A listener of its own for probes and metrics (`HEALTH_PORT`). It opens early, so that a start can be watched, and is not part of the
 * drain: it answers until it is released, which is for the layer graph to place just before telemetry.
 *
 * @module
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpRouter from "@effect/platform/HttpRouter"
import type * as HttpServer from "@effect/platform/HttpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Lifecycle from "../lifecycle/Lifecycle.js"
import * as Connection from "./Connection.js"
import { Connections } from "./Connections.js"
import * as EventLoop from "./EventLoop.js"
import * as Health from "./Health.js"
import type { HealthDetails } from "./HealthDetails.js"
import * as HttpListener from "./HttpListener.js"
import * as HttpServerConfig from "./HttpServerConfig.js"
import * as MethodNotAllowed from "./MethodNotAllowed.js"
import * as Problem from "./Problem.js"
import * as ProblemMiddleware from "./ProblemMiddleware.js"
import * as RequestObserver from "./RequestObserver.js"
import { naming, routed, tracked } from "./Tracked.js"

/** Where the health listener is. */
export interface Shape {
  /** Host and port, with the port that the system chose where 0 was asked for. */
  readonly address: HttpServer.TcpAddress
}

/** The health listener. */
export class HealthServer extends Context.Tag("stellar-insights/http/HealthServer")<HealthServer, Shape>() {}

/** How long answers that are under way at the release are waited for, in milliseconds. */
const releaseMillis = 250

const open = (config: HttpServerConfig.HttpServerConfig, port: number, routes: HttpRouter.HttpRouter) =>
  Effect.gen(function* () {
    const { unsafeListeners: listeners } = yield* RequestObserver.RequestObserver
    const clock = yield* Effect.clock
    let closing = false
    const connections = new Connections({
      stopping: () => closing,
      now: () => clock.unsafeCurrentTimeMillis(),
      maxBody: config.maxBody,
      listeners
    })
    const allowed = yield* MethodNotAllowed.make(routes)
    const app = ProblemMiddleware.middleware(Effect.flatten(HttpRouter.toHttpApp(routed(routes))), allowed)
    const handle = yield* naming(NodeHttpServer.makeHandler(app, tracked))
    const listener = yield* HttpListener.open({
      config: { ...config, port },
      key: "HEALTH_PORT",
      connections,
      handle,
      refuse: () => undefined,
      upgrade: (request, socket) => {
        socket.on("error", () => {})
        Connection.of(socket)?.refuse(Problem.make(404, "no other protocol is spoken here"), request)
      }
    })
    yield* Effect.addFinalizer(() =>
      Effect.gen(function* () {
        closing = true
        yield* listener.stopListening
        const idle = [...connections.open].filter((connection) => connection.isIdle)
        yield* EventLoop.inSlices(idle, 8, (connection) => {
          if (connection.isIdle) connection.shut()
        })
        const answered = Effect.repeat(EventLoop.turn, { while: () => connections.requests > 0 })
        yield* Effect.raceFirst(
          Effect.interruptible(answered),
          Effect.interruptible(Effect.sleep(releaseMillis))
        )
      })
    )
    return { address: listener.address }
  })

/**
 * Opens `port` for the routes of {@link Health.router} and `extra` ones (metrics). Fails with {@link HttpListener.ListenFailed}. The release
 * closes idle connections at once and is bounded by half a second.
 */
export const layer = (
  port: number,
  options: {
    /** Host and limits; the port is ignored. Default: all defaults. */
    readonly config?: HttpServerConfig.HttpServerConfig
    /** Routes beside health. Default: none. */
    readonly extra?: HttpRouter.HttpRouter
  } = {}
): Layer.Layer<HealthServer, HttpListener.ListenFailed, Lifecycle.Lifecycle | HealthDetails> =>
  Layer.scoped(
    HealthServer,
    Effect.flatMap(Health.router, (routes) =>
      open(
        options.config ?? HttpServerConfig.defaults,
        port,
        HttpRouter.concat(routes, options.extra ?? HttpRouter.empty)
      )
    )
  ).pipe(Layer.provide(RequestObserver.layer))
