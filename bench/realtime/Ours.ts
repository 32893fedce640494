/** The hub as services have it: on the draining server, with a lifecycle, a budget, and sessions and events in memory. */
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as DrainingServer from "../../src/http/DrainingServer.js"
import * as Upgrades from "../../src/http/Upgrades.js"
import * as Budget from "../../src/lifecycle/Budget.js"
import * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import * as ShutdownConfig from "../../src/lifecycle/ShutdownConfig.js"
import * as EventLog from "../../src/realtime/EventLog.js"
import * as Hub from "../../src/realtime/Hub.js"
import * as SessionStore from "../../src/realtime/SessionStore.js"
import * as Subject from "./Subject.js"

const accepts = (channel: string): Option.Option<string> =>
  channel === Subject.channel ? Option.none() : Option.some(`there is ${Subject.channel}`)

const program = Effect.gen(function* () {
  const lifecycle = yield* Lifecycle.make(Duration.seconds(30))
  const scope = yield* Scope.make()
  const stages = { ...ShutdownConfig.defaults.stages, websocket: Option.some(Duration.seconds(30)) }
  const around = Layer.mergeAll(
    Layer.succeed(Lifecycle.Lifecycle, lifecycle),
    Budget.layer({ ...ShutdownConfig.defaults, stages }),
    Upgrades.layer
  )
  const memo = yield* Layer.makeMemoMap
  const build = <A, E, R>(layer: Layer.Layer<A, E, R>, within: Scope.Scope) =>
    Layer.buildWithMemoMap(layer, memo, within)
  const outer = yield* Scope.make()
  const hub = yield* build(
    Hub.layer({ path: "/ws", accepts }, { maxPerAddress: 1_000_000 }).pipe(
      Layer.provide([EventLog.layerMemory(10_000), SessionStore.layerMemory]),
      Layer.provide(around)
    ),
    scope
  )
  const server = yield* build(
    HttpServer.serve(HttpServerResponse.text("hello")).pipe(
      Layer.provideMerge(DrainingServer.layer({ port: 0, host: "127.0.0.1" })),
      Layer.provide(around)
    ),
    outer
  )
  yield* lifecycle.internal.advance("ready")
  const { address } = Context.get(server, HttpServer.HttpServer)
  const { publish, unsafeNumbers } = Context.get(hub, Hub.Hub)
  const runtime = yield* Effect.runtime()
  Subject.run({
    port: address._tag === "TcpAddress" ? address.port : 0,
    connections: () => unsafeNumbers().connections,
    publish: (events) => Effect.runSync(Effect.provide(publish(events), runtime)),
    stop: () =>
      lifecycle.internal
        .advance("draining")
        .pipe(
          Effect.zipRight(
            Effect.suspend(() =>
              Effect.forEach(lifecycle.internal.quiesces, ({ name, run }) =>
                name === Hub.name ? run : Effect.void
              )
            )
          ),
          Effect.zipRight(Scope.close(scope, Exit.void)),
          Effect.provide(runtime),
          Effect.runPromise
        )
  })
})

await Effect.runPromise(Logger.withMinimumLogLevel(program, LogLevel.Warning))
