import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Cache from "../../src/cache/Cache.js"
import * as CacheConfig from "../../src/cache/CacheConfig.js"
import * as HealthDetails from "../../src/http/HealthDetails.js"
import * as CacheStats from "../../src/insights/api/CacheStats.js"
import * as CacheStatsHttp from "../../src/insights/api/CacheStatsHttp.js"
import * as RedisHealth from "../../src/insights/RedisHealth.js"
import * as Redis from "../../src/redis/Redis.js"

const standing = { state: "degraded", reason: "connect ECONNREFUSED", since: 5 } as const

/** A Redis that is only asked how it is. */
const away = Option.some({
  status: Effect.succeed({
    ...standing,
    where: "redis://cache:6379/0",
    required: false,
    pending: 0,
    reconnects: 2,
    answered: 9,
    refused: 1,
    unanswered: 3,
    unsent: 4
  })
} as Redis.Shape)

const sections = (redis: Option.Option<Redis.Shape>) =>
  Effect.gen(function* () {
    const health = yield* HealthDetails.HealthDetails
    yield* Layer.build(Layer.provide(RedisHealth.layer, Layer.succeed(Redis.Configured, redis)))
    return yield* health.all
  }).pipe(Effect.provide(HealthDetails.layer))

describe("what is told of Redis and the cache", () => {
  it.scoped("health says how Redis is, and nothing where there is none", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* sections(Option.none()), {})
      assert.deepInclude((yield* sections(away)).redis, {
        ...standing,
        where: "redis://cache:6379/0",
        unsent: 4
      })
    })
  )

  it.scoped("the report on the cache is as its contract says", () =>
    Effect.gen(function* () {
      const cache = yield* Cache.makeMemory(CacheConfig.defaults)
      const values = yield* cache.namespace({
        name: "values",
        schema: Schema.Number,
        ttl: Duration.minutes(1),
        tags: ["ledger"]
      })
      yield* values.through("a", Effect.succeed(1))
      yield* values.through("a", Effect.succeed(1))
      const ask = (redis: Option.Option<Redis.Shape>) =>
        CacheStatsHttp.report.pipe(
          Effect.map(Schema.encodeSync(CacheStats.CacheReport)),
          Effect.provideService(Cache.Cache, cache),
          Effect.provideService(Redis.Configured, redis)
        )
      const report = yield* ask(Option.none())
      assert.deepInclude(report, { kind: "memory", redis: null })
      const counts = {
        hits: 1,
        localHits: 1,
        sharedHits: 0,
        joined: 0,
        misses: 1,
        errors: 0,
        invalidations: 0,
        evictions: 0,
        hitRate: 0.5
      }
      assert.deepStrictEqual({ ...report.total }, counts)
      assert.deepInclude(report.namespaces[0], { name: "values", entries: 1, ...counts })
      assert.deepInclude(report.memory, { entries: 1, maxEntries: 10_000 })
      assert.deepStrictEqual({ ...(yield* ask(away)).redis }, standing)
    })
  )
})
