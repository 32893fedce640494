/**
 * `stellar-insights/redis`: a Redis that a service can do without. `Redis.layerConfig` is what the environment says of it; `Redis.Configured` is what asks for it.
 *
 * @module
 */
export * as Bell from "./Bell.js"
export * as Redis from "./Redis.js"
export * as RedisConfig from "./RedisConfig.js"
export * as RedisError from "./RedisError.js"
export * as RedisMetrics from "./RedisMetrics.js"
export * as Script from "./Script.js"
export * as Subscriptions from "./Subscriptions.js"
