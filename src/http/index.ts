/**
 * `stellar-insights/http`: an `HttpServer` for `@effect/platform` that answers every request it received before it stops, and the health routes that tell
 * balancers so.
 *
 * @module
 */
export * as AccessLog from "./AccessLog.js"
export * as BearerKeys from "./BearerKeys.js"
export * as ClientAddress from "./ClientAddress.js"
export * as DrainingServer from "./DrainingServer.js"
export * as Health from "./Health.js"
export * as HealthDetails from "./HealthDetails.js"
export * as HealthServer from "./HealthServer.js"
export * as HttpListener from "./HttpListener.js"
export * as HttpServerConfig from "./HttpServerConfig.js"
export * as HttpMetrics from "./HttpMetrics.js"
export * as InFlight from "./InFlight.js"
export * as MetricsRoute from "./MetricsRoute.js"
export * as Problem from "./Problem.js"
export * as ProblemMiddleware from "./ProblemMiddleware.js"
export * as RequestId from "./RequestId.js"
export * as RequestObserver from "./RequestObserver.js"
export * as RunHealth from "./RunHealth.js"
export * as Serving from "./Serving.js"
export * as TaskHealth from "./TaskHealth.js"
export * as Tracked from "./Tracked.js"
export * as Upgrades from "./Upgrades.js"
