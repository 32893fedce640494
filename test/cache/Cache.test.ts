import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Cache from "../../src/cache/Cache.js"
import * as CacheConfig from "../../src/cache/CacheConfig.js"
import * as CacheMetrics from "../../src/cache/CacheMetrics.js"
import { collect } from "../redis/support/Connected.js"

const options = { name: "numbers", schema: Schema.Number, ttl: Duration.minutes(1), tags: ["ledger"] }

/** A computation that counts how often it ran. */
const counted = <A, E>(effect: Effect.Effect<A, E>) => {
  const runs = { count: 0 }
  return {
    runs,
    effect: Effect.suspend(() => {
      runs.count += 1
      return effect
    })
  }
}

const open = (config: Partial<CacheConfig.CacheConfig> = {}) =>
  Effect.gen(function* () {
    const cache = yield* Cache.makeMemory({ ...CacheConfig.defaults, ...config })
    return { cache, numbers: yield* cache.namespace(options) }
  })

describe("a cache in memory", () => {
  it.scoped("computes once, and remembers until its time is over, to the millisecond", () =>
    Effect.gen(function* () {
      const { numbers } = yield* open()
      const one = counted(Effect.succeed(1))
      assert.strictEqual(yield* numbers.through("a", one.effect), 1)
      yield* TestClock.adjust(59_999)
      assert.strictEqual(yield* numbers.through("a", one.effect), 1)
      assert.strictEqual(one.runs.count, 1)
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* numbers.through("a", Effect.succeed(2)), 2)
    })
  )

  it.scoped("keys, namespaces and versions are apart, and the last version is kept", () =>
    Effect.gen(function* () {
      const { cache, numbers } = yield* open()
      const others = yield* cache.namespace({ ...options, name: "others" })
      assert.strictEqual(yield* numbers.through("a", Effect.succeed(1)), 1)
      assert.strictEqual(yield* numbers.through("b", Effect.succeed(2)), 2)
      assert.strictEqual(yield* others.through("a", Effect.succeed(3)), 3)
      const at = (version: string, value: number) => numbers.through("v", Effect.succeed(value), { version })
      assert.strictEqual(yield* at("1", 1), 1)
      assert.strictEqual(yield* at("1", 9), 1)
      assert.strictEqual(yield* at("2", 2), 2)
      assert.strictEqual(yield* at("1", 3), 3)
      // A second one under this name would read what the first has written.
      assert.isTrue(Exit.isFailure(yield* Effect.exit(cache.namespace(options))))
    })
  )

  it.scoped("of a thousand readers one computes, and all get what it got", () =>
    Effect.gen(function* () {
      const { cache, numbers } = yield* open()
      const slow = counted(Effect.as(Effect.sleep("1 second"), 7))
      const readers = yield* Effect.fork(
        Effect.all(
          Array.from({ length: 1000 }, () => numbers.through("a", slow.effect)),
          { concurrency: "unbounded" }
        )
      )
      yield* TestClock.adjust("1 second")
      const values = yield* Fiber.join(readers)
      assert.strictEqual(slow.runs.count, 1)
      assert.deepStrictEqual([...new Set(values)], [7])
      const { total } = yield* cache.stats
      assert.deepInclude(total, { misses: 1, joined: 999, localHits: 0, hits: 999, hitRate: 0.999 })
    })
  )

  it.scoped("a failure is everybody's who waited, and is not remembered", () =>
    Effect.gen(function* () {
      const { numbers } = yield* open()
      const failing = counted(Effect.zipRight(Effect.sleep("1 second"), Effect.fail("no" as const)))
      const readers = yield* Effect.fork(
        Effect.all(
          Array.from({ length: 3 }, () => Effect.either(numbers.through("a", failing.effect))),
          { concurrency: "unbounded" }
        )
      )
      yield* TestClock.adjust("1 second")
      const ended = yield* Fiber.join(readers)
      assert.deepStrictEqual(ended.map(Either.isLeft), [true, true, true])
      assert.strictEqual(failing.runs.count, 1)
      assert.strictEqual(yield* numbers.through("a", Effect.succeed(2)), 2)
    })
  )

  it.scoped("when the one who computes is interrupted, one of those who wait goes on", () =>
    Effect.gen(function* () {
      const { numbers } = yield* open()
      const slow = counted(Effect.as(Effect.sleep("1 second"), 7))
      const first = yield* Effect.fork(numbers.through("a", slow.effect))
      yield* TestClock.adjust("500 millis")
      const others = yield* Effect.fork(
        Effect.all([numbers.through("a", slow.effect), numbers.through("a", slow.effect)], {
          concurrency: "unbounded"
        })
      )
      yield* TestClock.adjust(0)
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(others), [7, 7])
      assert.strictEqual(slow.runs.count, 2)
    })
  )

  it.scoped("an invalidation makes outdated what has the tag, and nothing else", () =>
    Effect.gen(function* () {
      const { cache, numbers } = yield* open()
      const others = yield* cache.namespace({ ...options, name: "others", tags: ["metrics"] })
      const both = yield* cache.namespace({ ...options, name: "both", tags: ["metrics", "ledger"] })
      const read = (value: number) =>
        Effect.all([
          numbers.through("a", Effect.succeed(value)),
          others.through("a", Effect.succeed(value)),
          both.through("a", Effect.succeed(value))
        ])
      assert.deepStrictEqual(yield* read(1), [1, 1, 1])
      yield* cache.invalidate("ledger")
      assert.deepStrictEqual(yield* read(2), [2, 1, 2])
      yield* cache.invalidate("ledger", "metrics")
      assert.deepStrictEqual(yield* read(3), [3, 3, 3])
      const { namespaces } = yield* cache.stats
      assert.deepStrictEqual(
        namespaces.map(({ invalidations, name }) => [name, invalidations]),
        [
          ["numbers", 2],
          ["others", 1],
          ["both", 3]
        ]
      )
    })
  )

  it.scoped(
    "what began before an invalidation is given to who asked before, and to nobody who asks later",
    () =>
      Effect.gen(function* () {
        const { cache, numbers } = yield* open()
        const gate = yield* Deferred.make<number>()
        const early = yield* Effect.fork(numbers.through("a", Deferred.await(gate)))
        yield* TestClock.adjust(0)
        yield* cache.invalidate("ledger")
        assert.strictEqual(yield* numbers.through("a", Effect.succeed(2)), 2)
        yield* Deferred.succeed(gate, 1)
        assert.strictEqual(yield* Fiber.join(early), 1)
        assert.strictEqual(yield* numbers.through("a", Effect.succeed(3)), 3)
      })
  )

  it.scoped("what is not worth keeping is not kept", () =>
    Effect.gen(function* () {
      const { cache } = yield* open()
      const found = yield* cache.namespace({
        ...options,
        name: "found",
        schema: Schema.OptionFromNullOr(Schema.Number)
      })
      const read = (value: Option.Option<number>) =>
        Effect.map(found.through("a", Effect.succeed(value), { keep: Option.isSome }), Option.getOrNull)
      assert.isNull(yield* read(Option.none()))
      assert.strictEqual(yield* read(Option.some(1)), 1)
      assert.strictEqual(yield* read(Option.none()), 1)
    })
  )

  it.scoped("never has more entries than it may; what was not asked for longest goes first", () =>
    Effect.gen(function* () {
      const { cache, numbers } = yield* open({ entries: 3 })
      for (const key of ["a", "b", "c"]) yield* numbers.through(key, Effect.succeed(1))
      yield* numbers.through("a", Effect.die("it is remembered"))
      yield* numbers.through("d", Effect.succeed(1))
      yield* numbers.through("a", Effect.die("it is remembered"))
      assert.strictEqual(yield* numbers.through("b", Effect.succeed(2)), 2)
      const stats = yield* cache.stats
      assert.deepInclude(stats.memory, { entries: 3, maxEntries: 3 })
      assert.strictEqual(stats.total.evictions, 2)
    })
  )

  it.scoped("never takes more memory than it may, and nothing that takes most of it", () =>
    Effect.gen(function* () {
      const cache = yield* Cache.makeMemory({ ...CacheConfig.defaults, memory: 64 * 1024 })
      const texts = yield* cache.namespace({ ...options, name: "texts", schema: Schema.String })
      for (let i = 0; i < 200; i++) yield* texts.through(`key ${i}`, Effect.succeed("x".repeat(1000)))
      const { memory, namespaces } = yield* cache.stats
      assert.isAtMost(memory.bytes, memory.maxBytes)
      assert.isAbove(memory.entries, 20)
      assert.deepInclude(namespaces[0], { entries: memory.entries, bytes: memory.bytes })
      const big = counted(Effect.succeed("x".repeat(10_000)))
      yield* texts.through("big", big.effect)
      yield* texts.through("big", big.effect)
      assert.strictEqual(big.runs.count, 2)
      assert.strictEqual((yield* cache.stats).memory.entries, memory.entries)
    })
  )

  it.scoped("a value that its schema cannot write is given and not kept", () =>
    Effect.gen(function* () {
      const { cache } = yield* open()
      const short = yield* cache.namespace({
        ...options,
        name: "short",
        schema: Schema.String.pipe(Schema.maxLength(3))
      })
      assert.strictEqual(yield* short.through("a", Effect.succeed("too long")), "too long")
      assert.strictEqual(yield* short.through("a", Effect.succeed("abc")), "abc")
      assert.strictEqual((yield* cache.stats).total.errors, 1)
    })
  )

  it.effect("tells what it has done when it is released, and as metrics", () =>
    Effect.gen(function* () {
      const { layer, lines } = collect()
      const scope = yield* Scope.make()
      const { cache, numbers } = yield* Effect.provide(Scope.extend(open(), scope), layer)
      yield* numbers.through("a", Effect.succeed(1))
      yield* numbers.through("a", Effect.succeed(1))
      yield* numbers.through("a", Effect.succeed(1))
      yield* cache.invalidate("ledger")
      // Twice, as a sample and a request for the metrics may: they are counted once.
      const update = Effect.provideService(CacheMetrics.update, Cache.Cache, cache)
      const hits = Metric.counter("cache_hits_total", {
        description: "Reads of a cache that needed no computation",
        incremental: true
      }).pipe(Metric.tagged("cache", "numbers"), Metric.tagged("level", "local"))
      yield* update
      yield* update
      assert.strictEqual((yield* Metric.value(hits)).count, 2)
      yield* Scope.close(scope, Exit.void)
      const told = { hits: 2, misses: 1, invalidations: 1, errors: 0, hit_rate: 0.667 }
      assert.deepStrictEqual(lines, [
        {
          level: "INFO",
          message: "What the cache has done",
          component: "Cache",
          event_type: "cache_statistics",
          kind: "memory",
          ...told,
          namespaces: { numbers: told }
        }
      ])
    })
  )
})
