/** A server inside the test process, with a lifecycle that the test drives. */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as DrainingServer from "../../../src/http/DrainingServer.js"
import type * as HttpServerConfig from "../../../src/http/HttpServerConfig.js"
import * as InFlight from "../../../src/http/InFlight.js"
import * as RequestObserver from "../../../src/http/RequestObserver.js"
import * as Upgrades from "../../../src/http/Upgrades.js"
import * as Bounded from "../../../src/lifecycle/Bounded.js"
import * as Budget from "../../../src/lifecycle/Budget.js"
import * as Lifecycle from "../../../src/lifecycle/Lifecycle.js"
import type { LifecycleEvent } from "../../../src/lifecycle/LifecycleEvent.js"
import * as ShutdownConfig from "../../../src/lifecycle/ShutdownConfig.js"

/** What an application under test may use. */
export type App = HttpApp.Default<unknown, Lifecycle.Lifecycle>

/** A few routes that most tests can do with. */
export const routes = HttpRouter.empty.pipe(
  HttpRouter.get("/", HttpServerResponse.text("hello")),
  HttpRouter.get(
    "/slow/:millis",
    Effect.flatMap(HttpRouter.params, ({ millis }) =>
      Effect.as(Effect.sleep(Duration.millis(Number(millis))), HttpServerResponse.text("slow"))
    )
  ),
  HttpRouter.post(
    "/echo",
    Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
      Effect.map(request.text, (text) => HttpServerResponse.text(`${text.length}`))
    )
  ),
  HttpRouter.get(
    "/stream/:millis",
    Effect.map(HttpRouter.params, ({ millis }) =>
      HttpServerResponse.stream(
        Stream.range(1, 5).pipe(
          Stream.mapEffect((n) => Effect.as(Effect.sleep(Duration.millis(Number(millis) / 5)), `part ${n};`)),
          Stream.encodeText
        )
      )
    )
  ),
  HttpRouter.get(
    "/events",
    Effect.map(Lifecycle.Lifecycle, (lifecycle) =>
      HttpServerResponse.stream(
        Stream.repeatEffect(Effect.as(Effect.sleep("5 millis"), "data: tick\n\n")).pipe(
          Stream.interruptWhen(lifecycle.awaitPhase("draining")),
          Stream.concat(Stream.make("data: bye\n\n")),
          Stream.encodeText
        ),
        { contentType: "text/event-stream" }
      )
    )
  ),
  HttpRouter.get(
    "/deaf",
    HttpServerResponse.stream(
      Stream.repeatEffect(Effect.as(Effect.sleep("5 millis"), "data: tick\n\n")).pipe(Stream.encodeText),
      { contentType: "text/event-stream" }
    )
  )
)

export interface Options {
  readonly app?: App
  /** One that others share; one of its own by default. */
  readonly lifecycle?: Lifecycle.Shape
  readonly config?: Partial<HttpServerConfig.HttpServerConfig>
  readonly graceful?: number
  readonly idleGrace?: number
  readonly newRequests?: ShutdownConfig.NewRequests
}

export interface Harness {
  readonly port: number
  readonly lifecycle: Lifecycle.Shape
  readonly inFlight: InFlight.Shape
  readonly upgrades: Upgrades.Shape
  readonly observer: RequestObserver.Shape
  readonly events: Array<LifecycleEvent>
  /** Advances to draining and runs every quiesce within its limit. Ends with the milliseconds it took. */
  readonly drain: Effect.Effect<number>
  /** Closes the server's scope. */
  readonly close: Effect.Effect<void>
  /** The count of the `Drained` event. */
  readonly drained: () => Extract<LifecycleEvent, { _tag: "Drained" }>["count"]
  readonly interrupted: () => Extract<LifecycleEvent, { _tag: "RequestsInterrupted" }>["requests"]
}

/** The budget of a test. */
export const budget = (options: Options): Layer.Layer<Budget.Budget> =>
  Layer.orDie(
    Budget.layer({
      ...ShutdownConfig.defaults,
      stages: {
        ...ShutdownConfig.defaults.stages,
        graceful: Option.some(Duration.millis(options.graceful ?? 5000))
      },
      idleGrace: Option.some(Duration.millis(options.idleGrace ?? 300)),
      newRequests: options.newRequests ?? "serve"
    })
  )

/** Runs what the launch function runs at the drain. */
export const runQuiesces = (lifecycle: Lifecycle.Shape): Effect.Effect<void> =>
  Effect.forEach(
    [...lifecycle.internal.quiesces],
    ({ limit, run }) => Bounded.run(Effect.ignore(run), Effect.sleep(limit)),
    { discard: true, concurrency: "unbounded" }
  )

/** Serves and becomes ready. The server is closed with the scope at the latest. */
export const serve = (options: Options = {}): Effect.Effect<Harness, never, Scope.Scope> =>
  Effect.gen(function* () {
    const lifecycle = options.lifecycle ?? (yield* Lifecycle.make(Duration.seconds(10)))
    const events: Array<LifecycleEvent> = []
    yield* lifecycle.subscribe((event) => Effect.sync(() => void events.push(event)))
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    const server = DrainingServer.layer({ port: 0, host: "127.0.0.1", ...options.config }).pipe(
      Layer.provide(budget(options))
    )
    const app = options.app ?? Effect.flatten(HttpRouter.toHttpApp(routes))
    const context = yield* HttpServer.serve(app as HttpApp.Default<never, Lifecycle.Lifecycle>).pipe(
      Layer.provideMerge(server),
      Layer.merge(Layer.mergeAll(Upgrades.layer, InFlight.layer, RequestObserver.layer)),
      Layer.provideMerge(Layer.succeed(Lifecycle.Lifecycle, lifecycle)),
      Layer.buildWithScope(scope)
    )
    const { address } = Context.get(context, HttpServer.HttpServer)
    yield* lifecycle.internal.advance("ready")
    return {
      port: address._tag === "TcpAddress" ? address.port : 0,
      lifecycle,
      inFlight: Context.get(context, InFlight.InFlight),
      upgrades: Context.get(context, Upgrades.Upgrades),
      observer: Context.get(context, RequestObserver.RequestObserver),
      events,
      drain: lifecycle.internal.advance("draining").pipe(
        Effect.zipRight(runQuiesces(lifecycle)),
        Effect.timed,
        Effect.map(([duration]) => Duration.toMillis(duration))
      ),
      close: Scope.close(scope, Exit.void),
      drained: () => {
        const event = events.find((event) => event._tag === "Drained")
        if (event === undefined) throw new Error("nothing was drained")
        return event.count
      },
      interrupted: () =>
        events.flatMap((event) => (event._tag === "RequestsInterrupted" ? event.requests : []))
    }
  })

/** Starts something and goes on. */
export const start = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<Fiber.RuntimeFiber<A, E>, never, R> =>
  Effect.tap(Effect.fork(effect), () => Effect.sleep("5 millis"))
