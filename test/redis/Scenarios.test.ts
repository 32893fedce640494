import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Cache from "../../src/cache/Cache.js"
import * as HostTest from "../../src/lifecycle/HostTest.js"
import * as Launch from "../../src/lifecycle/Launch.js"
import * as ShutdownConfig from "../../src/lifecycle/ShutdownConfig.js"
import * as Redis from "../../src/redis/Redis.js"
import * as RedisServer from "../support/RedisServer.js"
import { collect, until } from "./support/Connected.js"

const { note, path } = RedisServer.tool

/** What the stages are cut to; the stop of Redis has to be well within. */
const limit = Duration.seconds(3)

/** A service of nothing but Redis and a cache, whose `during` runs until the signal. */
const launch = (
  server: RedisServer.RedisServer,
  during: (cache: Cache.Shape, redis: Redis.Shape) => Effect.Effect<void>
) =>
  Effect.gen(function* () {
    const { layer: logger, lines } = collect()
    const host = yield* HostTest.make
    const reached: { cache?: Cache.Shape; redis?: Redis.Shape } = {}
    const work = Layer.scopedDiscard(
      Effect.gen(function* () {
        const cache = yield* Cache.Cache
        const redis = Option.getOrThrow(yield* Redis.Configured)
        Object.assign(reached, { cache, redis })
        yield* Effect.forkScoped(during(cache, redis))
      })
    )
    const app = work.pipe(Layer.provide(Cache.layerConfig), Layer.provideMerge(Redis.layerConfig))
    const environment = new Map([
      ["REDIS_URL", server.url],
      ["REDIS_COMMAND_TIMEOUT", "200 millis"],
      ["REDIS_CONNECT_TIMEOUT", "1"]
    ])
    const fiber = yield* Launch.launch(app, {
      startupTimeout: Duration.seconds(20),
      shutdown: {
        ...ShutdownConfig.defaults,
        stages: { ...ShutdownConfig.defaults.stages, cache: Option.some(limit) }
      }
    }).pipe(
      Effect.provide(host.layer),
      Effect.withConfigProvider(ConfigProvider.fromMap(environment)),
      Effect.provide(logger),
      Effect.forkScoped
    )
    yield* until(
      "it runs",
      Effect.sync(() => reached.redis !== undefined)
    )
    return {
      ...(reached as Required<typeof reached>),
      lines,
      logged: (type: string) => lines.filter(({ event_type }) => event_type === type),
      is: (state: string) =>
        until(
          `Redis is ${state}`,
          Effect.map(reached.redis!.status, (status) => status.state === state)
        ),
      stop: Effect.zipRight(host.signal(), Fiber.join(fiber))
    }
  })

/** Reads through the cache without a pause; every one must bring its value. */
const reads = (cache: Cache.Shape) =>
  Effect.gen(function* () {
    const values = yield* cache.namespace({
      name: "values",
      schema: Schema.Number,
      ttl: Duration.minutes(1),
      tags: ["ledger"]
    })
    let next = 0
    const one = Effect.suspend(() => {
      const wanted = next++
      return Effect.zipLeft(values.through(`key ${wanted}`, Effect.succeed(wanted)), Effect.sleep("1 millis"))
    })
    yield* Effect.all(
      Array.from({ length: 8 }, () => Effect.forever(one)),
      { concurrency: 8, discard: true }
    )
  })

describe.skipIf(path === undefined)(`scenario 14: Redis at the stop${note}`, () => {
  it.scopedLive("there and busy: what was sent is done, the statistics are told, then PING and QUIT", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.run
      // What nobody waits for any more when the stop begins.
      const service = yield* launch(server, (cache, redis) =>
        Effect.zipRight(
          Effect.forEach(Array.from({ length: 300 }), () =>
            Effect.fork(redis.command("INCR", redis.key("n")))
          ),
          reads(cache)
        )
      )
      yield* service.is("connected")
      yield* until(
        "the cache is used",
        Effect.map(service.cache.stats, ({ total }) => total.misses > 10)
      )
      const report = yield* service.stop
      assert.strictEqual(report.exitCode, 0)
      assert.isBelow(report.durationMillis, 1000)
      assert.include(yield* Effect.promise(() => server.ask("GET stellar-insights:n")), "300")
      assert.include(yield* Effect.promise(() => server.ask("INFO commandstats")), "cmdstat_quit:calls=2")
      const [statistics] = service.logged("cache_statistics")
      assert.isAbove(Number(statistics?.misses), 10)
      assert.hasAllKeys(statistics?.namespaces, ["values"])
      const [released] = service.logged("redis_released")
      assert.deepInclude(released, { level: "INFO", ping: "answered", quit: true, commands_pending: 0 })
      const order = service.lines.map(({ event_type }) => event_type)
      assert.isBelow(order.indexOf("cache_statistics"), order.indexOf("redis_released"))
    })
  )

  it.scopedLive.each<readonly [string, string, (server: RedisServer.RedisServer) => Promise<unknown>]>([
    ["dead", "degraded", (server) => server.kill()],
    ["stopped with SIGSTOP", "degraded", async (server) => server.signal("SIGSTOP")],
    ["stopped with SIGSTOP a moment before", "connected", async (server) => server.signal("SIGSTOP")],
    ["refusing", "degraded", (server) => server.ask("CONFIG SET maxmemory 1")],
    [
      "started again, empty",
      "connected",
      async (server) => {
        await server.kill()
        await server.start()
      }
    ]
  ])("%s: the stop is clean, within its limit, and says how it was", ([, state, happens]) =>
    Effect.gen(function* () {
      const server = yield* RedisServer.run
      const service = yield* launch(server, reads)
      yield* service.is("connected")
      yield* Effect.promise(() => happens(server))
      if (state === "degraded") yield* service.is(state)
      const report = yield* service.stop
      assert.strictEqual(report.exitCode, 0)
      assert.isBelow(report.durationMillis, Duration.toMillis(limit) / 2)
      assert.strictEqual(service.logged("cache_statistics").length, 1)
      assert.strictEqual(service.logged("redis_released").length, 1)
      // Where it went, that is one line, and what was lost at the very end is none.
      assert.isAtMost(service.logged("redis_degraded").length, 1)
      server.signal("SIGCONT")
    })
  )

  it.scopedLive("never there, and connecting all the time", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.absent
      const service = yield* launch(server, reads)
      yield* Effect.sleep("200 millis")
      const report = yield* service.stop
      assert.strictEqual(report.exitCode, 0)
      assert.isBelow(report.durationMillis, 500)
      assert.strictEqual(service.logged("redis_degraded").length, 1)
      assert.deepInclude(service.logged("redis_released")[0], {
        level: "WARN",
        quit: false,
        state: "degraded"
      })
    })
  )
})
