/**
 * The HTTP server of a service that stops without losing a request: `@effect/platform`'s `HttpServer`, so `HttpApiBuilder.serve` and any
 * HttpApp work on it unchanged.
 *
 * The layer opens nothing. `serve` does: the port opens when the app is complete, and the drain belongs to the scope of `serve`, so that
 * everything the app is built on is still there while requests are answered. A client that closes its side is taken to have gone, as in
 * node: the fiber that answers it is interrupted.
 *
 * @module
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import type * as HttpApp from "@effect/platform/HttpApp"
import type * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpServer from "@effect/platform/HttpServer"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type * as Http from "node:http"
import type { Duplex } from "node:stream"
import * as Budget from "../lifecycle/Budget.js"
import * as Lifecycle from "../lifecycle/Lifecycle.js"
import * as Phase from "../lifecycle/Phase.js"
import * as Admission from "./Admission.js"
import * as Connection from "./Connection.js"
import { Connections } from "./Connections.js"
import * as Drain from "./Drain.js"
import * as EventLoop from "./EventLoop.js"
import { isProbe } from "./Health.js"
import * as HttpListener from "./HttpListener.js"
import * as HttpServerConfig from "./HttpServerConfig.js"
import * as InFlight from "./InFlight.js"
import { Response } from "./Message.js"
import * as Problem from "./Problem.js"
import { pathOf } from "./ProblemMiddleware.js"
import * as RequestObserver from "./RequestObserver.js"
import { naming, tracked } from "./Tracked.js"
import * as Upgrades from "./Upgrades.js"

/** How quiesce, events and logs call the server. */
export const name = "http"

/** A request that asks for another protocol: whoever registered for its path gets the socket. */
const upgrader =
  (
    upgrades: Upgrades.Shape,
    isDraining: () => boolean,
    serve: (request: Http.IncomingMessage, response: Response) => void
  ) =>
  (request: Http.IncomingMessage, socket: Duplex, head: Buffer): void => {
    const connection = Connection.of(socket)
    if (connection === undefined) return void socket.destroy()
    // Node has taken its listeners off; without one an error of the socket would be nobody's and end the process.
    socket.on("error", () => {})
    const path = pathOf(request.url ?? "")
    const refuse = (problem: Problem.Problem) => connection.refuse(problem, request)
    if (isDraining()) return refuse(Problem.stopping)
    const handler = upgrades.unsafeFind(path)
    if (handler !== undefined && connection.pending === 0) {
      connection.handOver()
      return handler(request, socket, head)
    }
    if (/websocket/i.test(request.headers.upgrade ?? "")) {
      return refuse(Problem.make(404, `there is no WebSocket at ${path}`))
    }
    const { "content-length": length = "0", "transfer-encoding": encoding } = request.headers
    if (connection.pending > 0 || length !== "0" || encoding !== undefined) {
      return refuse(Problem.make(400, `the protocol "${request.headers.upgrade}" is not spoken here`))
    }
    // An offer that nobody takes up may be ignored (RFC 9110, 7.8): the request is answered as it stands.
    const response = new Response(request)
    response.assignSocket(connection.socket)
    response.shouldKeepAlive = false
    response.on("finish", () => response.detachSocket(connection.socket))
    connection.begin(response)
    serve(request, response)
  }

/** What a server is made of. */
interface Parts {
  readonly config: HttpServerConfig.HttpServerConfig
  readonly lifecycle: Lifecycle.Shape
  readonly budget: Budget.Shape
  readonly upgrades: Upgrades.Shape
  readonly inFlight: InFlight.Shape
  readonly observer: RequestObserver.Shape
}

/** Opens the port for `app`; the drain and the closing are the scope's. */
const open = (
  parts: Parts,
  app: HttpApp.Default<unknown>,
  middleware: HttpMiddleware.HttpMiddleware | undefined
): Effect.Effect<HttpListener.HttpListener, HttpListener.ListenFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const { budget, config, inFlight, lifecycle, observer } = parts
    const clock = yield* Effect.clock
    let drain: Drain.Drain | undefined
    const isDraining = () =>
      drain?.unsafeBegun() === true || Phase.isAtLeast(lifecycle.unsafePhase(), "draining")
    // Asked twice a request, while the phase changes a few times in a life.
    let phase = lifecycle.unsafePhase()
    let stopping = Phase.isStopping(phase)
    const connections = new Connections({
      stopping: () => {
        const now = lifecycle.unsafePhase()
        if (now !== phase) {
          phase = now
          stopping = Phase.isStopping(now)
        }
        return stopping || drain?.unsafeBegun() === true
      },
      now: () => clock.unsafeCurrentTimeMillis(),
      maxBody: config.maxBody,
      listeners: observer.unsafeListeners
    })
    inFlight.unsafeAttach(connections)
    const refuse = (request: Http.IncomingMessage) =>
      isDraining() &&
      Admission.isRefused(budget.newRequests, request.method) &&
      !isProbe(pathOf(request.url ?? ""))
        ? Problem.stopping
        : undefined
    // A middleware costs the platform a frame around every request, so there is one only where the app brings it.
    const handle = yield* naming(
      middleware === undefined
        ? NodeHttpServer.makeHandler(tracked(app))
        : NodeHttpServer.makeHandler(app, (inner) => tracked(middleware(inner)))
    )
    const listener: HttpListener.HttpListener = yield* HttpListener.open({
      config,
      key: "SERVER_PORT",
      connections,
      handle,
      refuse,
      upgrade: upgrader(parts.upgrades, isDraining, (request, response) =>
        listener.dispatch(request, response)
      )
    })
    const made = yield* Drain.make({
      name,
      listener,
      connections,
      lifecycle,
      idleGrace: budget.idleGrace,
      limit: budget.stages.graceful,
      wait: budget.waitForConnections
    })
    drain = made
    yield* Effect.addFinalizer(() => made.finish)
    yield* lifecycle.addQuiesce({ name, limit: budget.stages.graceful, run: made.run })
    return listener
  })

/**
 * The server. `serve` opens the port, unless the service is stopping already; where that fails it dies with
 * {@link HttpListener.ListenFailed}, since the platform's interface has no error ({@link withListenFailed} gives it back its type). Until
 * then `address` is what was asked for, afterwards where it really listens.
 */
export const make = (
  config: HttpServerConfig.HttpServerConfig
): Effect.Effect<
  HttpServer.HttpServer,
  never,
  | Lifecycle.Lifecycle
  | Budget.Budget
  | Upgrades.Upgrades
  | InFlight.InFlight
  | RequestObserver.RequestObserver
> =>
  Effect.gen(function* () {
    const parts: Parts = {
      config,
      lifecycle: yield* Lifecycle.Lifecycle,
      budget: yield* Budget.Budget,
      upgrades: yield* Upgrades.Upgrades,
      inFlight: yield* InFlight.InFlight,
      observer: yield* RequestObserver.RequestObserver
    }
    let address: HttpServer.Address = { _tag: "TcpAddress", hostname: config.host, port: config.port }
    const server = HttpServer.make({
      address,
      serve: (app, middleware) =>
        // A signal that arrived while the start kept the event loop busy is heard before the port opens, not after it.
        Effect.flatMap(EventLoop.turn, () => EventLoop.turn).pipe(
          Effect.flatMap(() =>
            Phase.isStopping(parts.lifecycle.unsafePhase())
              ? Effect.void
              : open(parts, app, middleware).pipe(
                  Effect.tap((listener) =>
                    Effect.sync(() => {
                      address = listener.address
                    })
                  ),
                  Effect.orDie
                )
          )
        )
    })
    return Object.defineProperty(server, "address", { get: () => address })
  })

/** What the layers provide: exactly what the platform's own node layer does. Every service more would be copied with each request's context. */
export type Provides = HttpServer.HttpServer | Layer.Layer.Success<typeof NodeHttpServer.layerContext>

/**
 * Who wants to take upgrades, know what is in hand or observe requests provides itself `Upgrades.layer`, `InFlight.layer` or `RequestObserver.layer`: layers are shared by reference
 * within a build, so it is this server's.
 */
const layerWith = <E>(
  config: Effect.Effect<HttpServerConfig.HttpServerConfig, E>
): Layer.Layer<Provides, E, Lifecycle.Lifecycle | Budget.Budget> =>
  Layer.effect(HttpServer.HttpServer, Effect.flatMap(config, make)).pipe(
    Layer.provide([Upgrades.layer, InFlight.layer, RequestObserver.layer]),
    Layer.merge(NodeHttpServer.layerContext)
  )

/** A server with the given settings; what is left out is at its default. */
export const layer = (
  config: Partial<HttpServerConfig.HttpServerConfig> = {}
): Layer.Layer<Provides, never, Lifecycle.Lifecycle | Budget.Budget> =>
  layerWith(Effect.succeed({ ...HttpServerConfig.defaults, ...config }))

/** A server with the settings of the environment. Fails with `ConfigError` where a key cannot be read. */
export const layerConfig = layerWith(HttpServerConfig.config)

/** Gives a layer that serves the error that the platform's interface hides: the port could not be opened. */
export const withListenFailed = <A, E, R>(
  self: Layer.Layer<A, E, R>
): Layer.Layer<A, E | HttpListener.ListenFailed, R> =>
  Layer.catchAllCause(self, (cause): Layer.Layer<A, E | HttpListener.ListenFailed> =>
    Layer.failCause(
      Option.match(
        Cause.find(cause, (part) =>
          part._tag === "Die" && part.defect instanceof HttpListener.ListenFailed
            ? Option.some(part.defect)
            : Option.none()
        ),
        { onNone: (): Cause.Cause<E | HttpListener.ListenFailed> => cause, onSome: Cause.fail }
      )
    )
  )
