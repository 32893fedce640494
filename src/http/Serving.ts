/**
 * Something served, as a named part of a service: it says where it listens, and its release is bounded.
 *
 * @module
 */
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Budget from "../lifecycle/Budget.js"
import * as Resource from "../lifecycle/Resource.js"
import * as DrainingServer from "./DrainingServer.js"
import * as HealthServer from "./HealthServer.js"
import * as HttpServerConfig from "./HttpServerConfig.js"
import * as MetricsRoute from "./MetricsRoute.js"

const sayWhere = (message: string, { hostname, port }: HttpServer.TcpAddress) =>
  Effect.logInfo(message).pipe(
    Effect.annotateLogs({
      component: "http",
      event_type: "listening",
      url: `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`
    })
  )

/**
 * Serves what `served` serves (`HttpServer.serve(app)`, `HttpApiBuilder.serve()`) on the port of the environment, released as `http`. Fails with `ConfigError`,
 * or with `ListenFailed` when the port cannot be opened.
 */
export const layerConfig = <A, E, R>(served: Layer.Layer<A, E, R>) =>
  Layer.unwrapEffect(
    Effect.map(Budget.Budget, ({ stages }) =>
      Layer.tap(served, () =>
        Effect.flatMap(HttpServer.HttpServer, ({ address }) =>
          address._tag === "TcpAddress" ? sayWhere("listening", address) : Effect.void
        )
      ).pipe(
        DrainingServer.withListenFailed,
        Resource.named(DrainingServer.name, { limit: Budget.listener(stages.websocket) })
      )
    )
  ).pipe(Layer.provide(DrainingServer.layerConfig))

/** The health listener of the environment (`HEALTH_PORT`), with metrics where there is a `MetricsRoute.Exposition`, released as `health`; nothing without the key. Fails with `ConfigError`, or with `ListenFailed` when the port cannot be opened. */
export const healthConfig = Layer.unwrapEffect(
  Effect.gen(function* () {
    const config = yield* HttpServerConfig.config
    const { stages } = yield* Budget.Budget
    if (Option.isNone(config.healthPort)) return Layer.empty
    const metrics = yield* Effect.serviceOption(MetricsRoute.Exposition)
    const extra = Option.match(metrics, { onNone: () => HttpRouter.empty, onSome: MetricsRoute.router })
    return Layer.tap(HealthServer.layer(config.healthPort.value, { config, extra }), (context) =>
      sayWhere("health is listening", Context.get(context, HealthServer.HealthServer).address)
    ).pipe(Resource.named("health", { limit: Budget.listener(stages.telemetry) }), Layer.discard)
  })
)
