/** The handler of the endpoint for the cache. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Cache from "../../cache/Cache.js"
import * as Redis from "../../redis/Redis.js"
import * as Api from "../Api.js"
import * as CacheStats from "./CacheStats.js"

/** The report as of now. Never fails. */
export const report: Effect.Effect<CacheStats.CacheReport, never, Cache.Cache | Redis.Configured> =
  Effect.gen(function* () {
    const { stats } = yield* Cache.Cache
    const redis = yield* Redis.Configured
    const { kind, memory, namespaces, total } = yield* stats
    const standing = yield* Option.match(redis, {
      onNone: () => Effect.succeed(null),
      onSome: ({ status }) =>
        Effect.map(status, ({ reason, since, state }) => new CacheStats.CacheRedis({ reason, since, state }))
    })
    return new CacheStats.CacheReport({
      kind,
      redis: standing,
      total: new CacheStats.CacheCounts(total),
      memory,
      namespaces: namespaces.map((one) => new CacheStats.CacheNamespace(one))
    })
  })

/** The endpoint of `CacheGroup`. */
export const layer = HttpApiBuilder.group(Api.Api, "cache", (handlers) =>
  Effect.map(Effect.context<Cache.Cache | Redis.Configured>(), (context) =>
    handlers.handle("stats", () => Effect.provide(report, context))
  )
)
