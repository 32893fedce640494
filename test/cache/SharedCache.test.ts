import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Cache from "../../src/cache/Cache.js"
import * as CacheConfig from "../../src/cache/CacheConfig.js"
import { connect, type Options, until } from "../redis/support/Connected.js"
import * as RedisServer from "../support/RedisServer.js"

const { note, path } = RedisServer.tool

/** A process: its Redis and its cache, and what it reads. */
const process = (
  server: RedisServer.RedisServer,
  config: Partial<CacheConfig.CacheConfig> = {},
  options: Options = {}
) =>
  Effect.gen(function* () {
    const connected = yield* connect(server, options)
    // Nothing is found out by the way: whatever is heard was told.
    const staleness = Duration.hours(1)
    const cache = yield* Effect.provide(
      Cache.makeRedis({ ...CacheConfig.defaults, staleness, ...config }, connected.redis),
      connected.logger
    )
    const values = yield* cache.namespace({
      name: "values",
      schema: Schema.Struct({ n: Schema.Number }),
      ttl: Duration.minutes(1),
      tags: ["ledger"]
    })
    let computed = 0
    return {
      ...connected,
      cache,
      computed: () => computed,
      /** Reads; `now` is what a computation would bring. */
      read: (key: string, now: number, version?: string) =>
        Effect.map(
          values.through(
            key,
            Effect.sync(() => {
              computed += 1
              return { n: now }
            }),
            version === undefined ? {} : { version }
          ),
          ({ n }) => n
        )
    }
  })

/** What is written without anybody waiting has arrived. */
const settled = (one: { readonly redis: { readonly status: Effect.Effect<{ readonly pending: number }> } }) =>
  until(
    "Redis has answered",
    Effect.map(one.redis.status, ({ pending }) => pending === 0)
  )

describe.skipIf(path === undefined)(`a cache over Redis${note}`, () => {
  it.scopedLive("what one process computed, another reads; then both have it in memory", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.run
      const [one, two] = yield* Effect.all([process(server), process(server)])
      assert.strictEqual(yield* one.read("a", 1), 1)
      yield* settled(one)
      assert.strictEqual(yield* two.read("a", 2), 1)
      assert.strictEqual(yield* two.read("a", 2), 1)
      assert.deepInclude((yield* one.cache.stats).total, { misses: 1, hits: 0 })
      assert.deepInclude((yield* two.cache.stats).total, {
        misses: 0,
        sharedHits: 1,
        localHits: 1,
        hitRate: 1
      })
      assert.strictEqual((yield* two.cache.stats).kind, "redis")
      // Kept with its time, and never looked for by walking over the keys.
      const life = yield* Effect.promise(() => server.ask("PTTL test:cache:entry:values:a"))
      assert.isAbove(Number(life.slice(1)), 1000)
      assert.isAtMost(Number(life.slice(1)), 60_000)
      assert.notMatch(yield* Effect.promise(() => server.ask("INFO commandstats")), /cmdstat_(keys|scan)/)
    })
  )

  it.scopedLive("an invalidation reaches the others at once, whatever they have in memory", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.run
      const [one, two, three] = yield* Effect.all([process(server), process(server), process(server)])
      for (const each of [one, two, three]) yield* each.read("a", 1)
      yield* one.cache.invalidate("ledger")
      assert.strictEqual(yield* one.read("a", 2), 2)
      yield* until(
        "the second hears",
        Effect.map(two.read("a", 2), (n) => n === 2)
      )
      yield* until(
        "the third hears",
        Effect.map(three.read("a", 2), (n) => n === 2)
      )
      const invalidations = Effect.map(Effect.all([one, two, three].map(({ cache }) => cache.stats)), (all) =>
        all.map(({ total }) => total.invalidations)
      )
      assert.deepStrictEqual(yield* invalidations, [1, 1, 1])
    })
  )

  it.scopedLive("when the message was lost, what was invalidated is given for the staleness at most", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.run
      const staleness = Duration.millis(400)
      const one = yield* process(server, { staleness })
      yield* one.read("a", 1)
      const began = performance.now()
      // As another process would, but nobody is told.
      yield* Effect.promise(() => server.ask("SET test:cache:tag:ledger another"))
      yield* until(
        "it is outdated",
        Effect.map(one.read("a", 2), (n) => n === 2)
      )
      // The read before may have verified just before the change; a busy machine takes longer.
      assert.isBelow(performance.now() - began, 3000)
    })
  )

  it.scopedLive("a version counts for every process, without anybody being told", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.run
      const [one, two] = yield* Effect.all([process(server), process(server)])
      yield* one.read("a", 1, "ledger 1")
      yield* settled(one)
      assert.strictEqual(yield* two.read("a", 2, "ledger 1"), 1)
      assert.strictEqual(yield* two.read("a", 2, "ledger 2"), 2)
      yield* settled(two)
      assert.strictEqual(yield* one.read("a", 3, "ledger 2"), 2)
    })
  )

  it.scopedLive("what Redis holds and cannot be read is computed, and replaced", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.run
      const [one, two] = yield* Effect.all([process(server), process(server)])
      yield* one.read("a", 1)
      yield* settled(one)
      const kept = String(yield* one.redis.command("GET", "test:cache:entry:values:a"))
      yield* one.redis.command("SET", "test:cache:entry:values:a", kept.replace('{"n":1}', '{"m":1}'))
      assert.strictEqual(yield* two.read("a", 2), 2)
      assert.strictEqual((yield* two.cache.stats).total.errors, 1)
      yield* settled(two)
      assert.strictEqual(yield* (yield* process(server)).read("a", 3), 2)
    })
  )

  it.scopedLive(
    "killed: every read is answered and none waits; what is invalidated meanwhile is made good when Redis is back",
    () =>
      Effect.gen(function* () {
        const server = yield* RedisServer.run
        const [one, two] = yield* Effect.all([process(server), process(server)])
        for (const each of [one, two]) yield* each.read("a", 1)
        yield* settled(one)
        yield* Effect.promise(server.kill)
        yield* Effect.all([one.is("degraded"), two.is("degraded")])
        // Its own invalidation counts at once.
        yield* one.cache.invalidate("ledger")
        const [took, n] = yield* Effect.timed(one.read("a", 2))
        assert.strictEqual(n, 2)
        assert.isBelow(Duration.toMillis(took), 1000)
        // Remembered while Redis is away as well.
        assert.strictEqual(yield* one.read("a", 3), 2)
        yield* Effect.promise(server.start)
        yield* until(
          "the other hears",
          Effect.map(two.read("a", 4), (n) => n !== 1)
        )
        yield* one.is("connected")
        assert.isAbove((yield* one.cache.stats).total.errors, 0)
      })
  )

  it.scopedLive(
    "a Redis that was away and kept what it had is not believed where this process owes it an invalidation",
    () =>
      Effect.gen(function* () {
        const server = yield* RedisServer.run
        const [one, two] = yield* Effect.all([process(server), process(server)])
        for (const each of [one, two]) yield* each.read("a", 1)
        yield* settled(one)
        server.signal("SIGSTOP")
        yield* Effect.all([one.is("degraded"), one.cache.invalidate("ledger")], { concurrency: 2 })
        assert.strictEqual(yield* one.read("a", 2), 2)
        server.signal("SIGCONT")
        yield* one.is("connected")
        // Redis still has the old value under the old token for a moment.
        assert.notStrictEqual(yield* one.read("a", 3), 1)
        yield* until(
          "the other hears",
          Effect.map(two.read("a", 4), (n) => n !== 1)
        )
      })
  )

  it.scopedLive("while Redis is away, what was computed is given again for the staleness and no longer", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.absent
      const one = yield* process(server, { staleness: Duration.millis(300) })
      const began = performance.now()
      assert.strictEqual(yield* one.read("a", 1), 1)
      const again = yield* one.read("a", 2)
      if (performance.now() - began < 300) assert.strictEqual(again, 1)
      yield* Effect.sleep("310 millis")
      assert.strictEqual(yield* one.read("a", 3), 3)
    })
  )

  it.scopedLive("what was read from Redis is no younger than the word that it was still good", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.run
      const staleness = Duration.millis(400)
      const [one, two] = yield* Effect.all([process(server), process(server, { staleness })])
      for (const key of ["a", "b"]) yield* one.read(key, 1)
      yield* settled(one)
      const began = performance.now()
      assert.strictEqual(yield* two.read("a", 2), 1)
      yield* Effect.sleep("300 millis")
      assert.strictEqual(yield* two.read("b", 2), 1)
      // On a busy machine the second read may have needed a word of its own.
      const isPrompt = performance.now() - began < 380
      yield* Effect.promise(server.kill)
      yield* two.is("degraded")
      // The word was given with the first read, and its time is over.
      yield* Effect.sleep(isPrompt ? "110 millis" : "410 millis")
      assert.strictEqual(yield* two.read("b", 2), 2)
    })
  )

  it.scopedLive(
    "stopped with SIGSTOP under load: no read fails, and none waits for longer than two commands may",
    () =>
      Effect.gen(function* () {
        const server = yield* RedisServer.run
        const one = yield* process(server)
        let reads = 0
        let slowest = 0
        let wrong = 0
        const reader = Effect.gen(function* () {
          const mine = ++reads
          const [took, n] = yield* Effect.timed(one.read(`key ${mine}`, mine))
          if (n !== mine) wrong += 1
          slowest = Math.max(slowest, Duration.toMillis(took))
          yield* Effect.sleep("1 millis")
        })
        const load = yield* Effect.fork(
          Effect.all(
            Array.from({ length: 16 }, () => Effect.forever(reader)),
            { concurrency: "unbounded" }
          )
        )
        const more = (count: number) => {
          const from = reads
          return until(
            "it reads on",
            Effect.sync(() => reads >= from + count)
          )
        }
        yield* more(100)
        server.signal("SIGSTOP")
        yield* one.is("degraded")
        yield* more(300)
        server.signal("SIGCONT")
        yield* one.is("connected")
        yield* Effect.promise(() => server.ask("CONFIG SET maxmemory 1"))
        yield* more(300)
        yield* Effect.promise(() => server.ask("CONFIG SET maxmemory 0"))
        yield* Effect.promise(server.kill)
        yield* more(300)
        yield* Effect.promise(server.start)
        yield* one.is("connected")
        yield* more(100)
        // Still running: none of them failed.
        assert.isTrue((yield* Fiber.poll(load))._tag === "None")
        yield* Fiber.interrupt(load)
        assert.strictEqual(wrong, 0)
        // Twice 200 ms, and what a busy machine adds.
        assert.isBelow(slowest, 2000)
        assert.isAtMost(one.logged("redis_degraded").length, 3)
        assert.deepStrictEqual(
          one.lines.filter(({ level }) => level === "ERROR" || level === "FATAL"),
          []
        )
      })
  )

  it.scopedLive("with no memory left in Redis, an invalidation still counts for the others", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.run
      const [one, two] = yield* Effect.all([process(server), process(server)])
      for (const each of [one, two]) yield* each.read("a", 1)
      yield* settled(one)
      yield* Effect.promise(() => server.ask("CONFIG SET maxmemory 1"))
      yield* one.cache.invalidate("ledger")
      assert.strictEqual(yield* one.read("a", 2), 2)
      assert.strictEqual(yield* Effect.promise(() => server.ask("EXISTS test:cache:tag:ledger")), ":0\r\n")
    })
  )
})
