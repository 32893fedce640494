/** The word that there are new events: who is woken by it, and how often it is said. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as LedgerBell from "../../src/insights/LedgerBell.js"
import * as Outbox from "../../src/insights/Outbox.js"
import * as OutboxBell from "../../src/insights/OutboxBell.js"
import type * as Redis from "../../src/redis/Redis.js"
import * as Configured from "../../src/redis/Redis.js"
import { RedisError } from "../../src/redis/RedisError.js"
import type * as Subscriptions from "../../src/redis/Subscriptions.js"
import * as Service from "./Service.js"

/** A Redis that all processes of a test share. It tells of no gap but when the test wants one. */
const makeRedis = () => {
  const listeners = new Set<Queue.Queue<Subscriptions.Heard>>()
  const said: Array<string> = []
  const state = { isAway: false }
  const tell = (heard: Subscriptions.Heard) => {
    for (const queue of listeners) queue.unsafeOffer(heard)
  }
  const shape = {
    key: (...parts: ReadonlyArray<string>) => parts.join(":"),
    publish: (_: string, text: string) =>
      Effect.suspend(() => {
        if (state.isAway) return Effect.fail(new RedisError({ reason: "away", command: "PUBLISH" }))
        said.push(text)
        tell({ _tag: "Message", text })
        return Effect.void
      }),
    listen: () =>
      Stream.unwrapScoped(
        Effect.gen(function* () {
          const queue = yield* Queue.unbounded<Subscriptions.Heard>()
          yield* Effect.acquireRelease(
            Effect.sync(() => listeners.add(queue)),
            () => Effect.sync(() => listeners.delete(queue))
          )
          return Stream.fromQueue(queue)
        })
      )
  } as unknown as Redis.Shape
  return { shape, said, state, tell, listeners }
}

type Fake = ReturnType<typeof makeRedis>

const bell = (redis: Option.Option<Fake>) =>
  Layer.provide(
    OutboxBell.layer,
    Layer.succeed(
      Configured.Configured,
      Option.map(redis, ({ shape }) => shape)
    )
  )

/** A process with an outbox on the file. */
const process = (config: { readonly url: string; readonly filename: string }, redis: Option.Option<Fake>) =>
  Effect.map(
    Layer.build(Layer.provideMerge(bell(redis), Service.storeOn(config))),
    Context.get(Outbox.Outbox)
  )

let keys = 0
const commit = (outbox: Outbox.Shape) =>
  outbox.transaction(
    outbox.append([{ kind: "notice", key: `${++keys}`, ledger: 0, payload: { message: "hello" } }])
  )

/** An outbox whose head and whose bell are the test's: what is committed, and who has been told here. */
const madeOutbox = () => {
  const rung = LedgerBell.make(0)
  const state = { head: 0 }
  const shape = {
    head: Effect.sync(() => state.head),
    awaitAfter: rung.awaitAfter,
    ring: rung.ring
  } as unknown as Outbox.Shape
  return { state, shape, rung }
}

const made = (redis: Fake) =>
  Effect.gen(function* () {
    const outbox = madeOutbox()
    yield* Layer.build(Layer.provide(bell(Option.some(redis)), Layer.succeed(Outbox.Outbox, outbox.shape)))
    yield* TestClock.adjust(0)
    return outbox
  })

/** Lets everything happen that needs no time. */
const settle = Effect.zipRight(Effect.yieldNow(), TestClock.adjust(0))

describe("the bell of the outbox", () => {
  it.scopedLive(
    "wakes the other processes, and says one word for each commit and none for what it hears",
    () =>
      Effect.gen(function* () {
        const redis = makeRedis()
        const config = yield* Service.fresh
        const processes = yield* Effect.forEach([0, 1, 2], () => process(config, Option.some(redis)))
        while (redis.listeners.size < 3) yield* Effect.sleep("1 millis")
        const ids: Array<number> = []
        for (let i = 0; i < 9; i++) {
          const before = yield* processes[0]!.head
          const waiting = yield* Effect.fork(
            Effect.forEach(processes, ({ awaitAfter }) => awaitAfter(before), { concurrency: "unbounded" })
          )
          ids.push(yield* commit(processes[i % 3]!))
          // Nobody looks by themselves here: who is not woken waits for ever.
          yield* Fiber.join(waiting)
          // Before the next one, this one is said; a word for a word would be said by now as well.
          while (redis.said.length <= i) yield* Effect.sleep("1 millis")
        }
        yield* Effect.sleep("50 millis")
        assert.deepStrictEqual(redis.said, ids.map(String))
      })
  )

  it.scoped("says what was committed here while another's word came in", () =>
    Effect.gen(function* () {
      const redis = makeRedis()
      const { rung, state } = yield* made(redis)
      // Another process has committed 1 and says so; this one has committed 2 and is about to ring.
      state.head = 2
      redis.tell({ _tag: "Message", text: "1" })
      yield* settle
      assert.deepStrictEqual(redis.said, [])
      yield* rung.ring(2)
      yield* settle
      assert.deepStrictEqual(redis.said, ["2"])
      yield* rung.awaitAfter(1)
    })
  )

  it.scoped("believes nobody who tells of more than there is, nor who tells of nothing", () =>
    Effect.gen(function* () {
      const redis = makeRedis()
      const { rung, state } = yield* made(redis)
      state.head = 5
      redis.tell({ _tag: "Message", text: "9007199254740991" })
      yield* settle
      assert.strictEqual(rung.latest(), 5)
      for (const text of ["", "x", "-1", "NaN", "4"]) redis.tell({ _tag: "Message", text })
      yield* settle
      assert.strictEqual(rung.latest(), 5)
      assert.deepStrictEqual(redis.said, [])
      state.head = 6
      yield* rung.ring(6)
      yield* settle
      assert.deepStrictEqual(redis.said, ["6"])
    })
  )

  it.scoped("looks for itself after a gap, and says then what could not be said", () =>
    Effect.gen(function* () {
      const redis = makeRedis()
      const one = yield* made(redis)
      const other = yield* made(redis)
      redis.state.isAway = true
      one.state.head = other.state.head = 3
      yield* one.rung.ring(3)
      yield* settle
      assert.deepStrictEqual([one.rung.latest(), other.rung.latest()], [3, 0])
      redis.state.isAway = false
      redis.tell({ _tag: "Gap" })
      yield* settle
      assert.strictEqual(other.rung.latest(), 3)
      const afterGap = redis.said.length
      assert.isAtMost(afterGap, 2)
      yield* settle
      one.state.head = other.state.head = 4
      yield* one.rung.ring(4)
      yield* settle
      assert.strictEqual(other.rung.latest(), 4)
      assert.deepStrictEqual(redis.said.slice(afterGap), ["4"])
    })
  )

  it.scoped("does nothing without Redis, and leaves nobody listening when it is over", () =>
    Effect.gen(function* () {
      const redis = makeRedis()
      yield* Effect.scoped(
        Effect.zipRight(
          made(redis),
          Effect.sync(() => assert.strictEqual(redis.listeners.size, 1))
        )
      )
      assert.strictEqual(redis.listeners.size, 0)
      const config = yield* Service.fresh
      const outbox = yield* process(config, Option.none())
      const id = yield* commit(outbox)
      yield* outbox.awaitAfter(id - 1)
    })
  )
})
