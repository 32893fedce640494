/**
 * `stellar-insights/cache`: what was computed once, in memory and where there is Redis for all processes. `Cache.layerConfig` is the cache; it asks for
 * `Redis.Configured`, which `Redis.layerConfig` of `stellar-insights/redis` gives.
 *
 * @module
 */
export * as Cache from "./Cache.js"
export * as CacheConfig from "./CacheConfig.js"
export * as CacheMetrics from "./CacheMetrics.js"
export * as CacheStats from "./CacheStats.js"
export * as Namespace from "./Namespace.js"
