import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import type * as Redis from "../../src/redis/Redis.js"
import * as Subscriptions from "../../src/redis/Subscriptions.js"
import * as RedisServer from "../support/RedisServer.js"
import { connect, until } from "./support/Connected.js"

const { note, path } = RedisServer.tool

/** Listens in the background; `heard` has the messages, and `-` for a gap. */
const listen = (redis: Redis.Shape, channel: string) =>
  Effect.gen(function* () {
    const heard: Array<string> = []
    const fiber = yield* Effect.forkScoped(
      Stream.runForEach(redis.listen(channel), (one) =>
        Effect.sync(() => void heard.push(one._tag === "Gap" ? "-" : one.text))
      )
    )
    return {
      heard,
      fiber,
      hears: (last: string) =>
        until(
          `heard ${last}`,
          Effect.sync(() => heard.at(-1) === last)
        )
    }
  })

describe.skipIf(path === undefined)(`what Redis tells${note}`, () => {
  it.scopedLive("a gap comes first, then what is told on the channel, in every process that listens", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.run
      const [one, other] = [(yield* connect(server)).redis, (yield* connect(server)).redis]
      const listeners = yield* Effect.all([
        listen(one, "a"),
        listen(one, "a"),
        listen(other, "a"),
        listen(other, "b")
      ])
      for (const { hears } of listeners) yield* hears("-")
      yield* one.publish("a", "first")
      yield* other.publish("a", "second")
      yield* one.publish("b", "ärger\n")
      const [a1, a2, a3, b] = listeners
      for (const { hears } of [a1, a2, a3]) yield* hears("second")
      yield* b.hears("ärger\n")
      for (const { heard } of [a1, a2, a3]) assert.deepStrictEqual(heard, ["-", "first", "second"])
      assert.deepStrictEqual(b.heard, ["-", "ärger\n"])
      // Who comes later, to a channel that is listened to already, hears the same.
      const late = yield* listen(one, "a")
      yield* late.hears("-")
    })
  )

  it.scopedLive("who stops listening hears nothing, and the channel is given up with the last one", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.run
      const { redis } = yield* connect(server)
      const [one, two] = yield* Effect.all([listen(redis, "a"), listen(redis, "a")])
      yield* Effect.all([one.hears("-"), two.hears("-")])
      const listening = Effect.map(
        Effect.promise(() => server.ask("PUBSUB CHANNELS")),
        (answer) => answer.includes("a\r\n")
      )
      yield* Fiber.interrupt(one.fiber)
      yield* redis.publish("a", "for two")
      yield* two.hears("for two")
      assert.deepStrictEqual(one.heard, ["-"])
      assert.isTrue(yield* listening)
      yield* Fiber.interrupt(two.fiber)
      yield* until(
        "given up",
        Effect.map(listening, (is) => !is)
      )
      // Again, on the same connection.
      const again = yield* listen(redis, "a")
      yield* again.hears("-")
      yield* redis.publish("a", "again")
      yield* again.hears("again")
    })
  )

  it.scopedLive(
    "after a loss everything is listened to again, and the gap is told; the release ends it",
    () =>
      Effect.gen(function* () {
        const server = yield* RedisServer.run
        const { is, redis, release } = yield* connect(server)
        const [a, b] = yield* Effect.all([listen(redis, "a"), listen(redis, "b")])
        yield* Effect.all([a.hears("-"), b.hears("-")])
        yield* redis.publish("a", "before")
        yield* a.hears("before")
        yield* Effect.promise(server.kill)
        yield* is("degraded")
        // Whoever begins meanwhile is not forgotten.
        const c = yield* listen(redis, "c")
        yield* Effect.promise(server.start)
        for (const { hears } of [a, b, c]) yield* hears("-")
        yield* is("connected")
        for (const channel of ["a", "b", "c"]) yield* redis.publish(channel, "after")
        for (const { hears } of [a, b, c]) yield* hears("after")
        assert.deepStrictEqual(a.heard, ["-", "before", "-", "after"])
        assert.deepStrictEqual(c.heard, ["-", "after"])
        yield* release
        for (const { fiber } of [a, b, c]) yield* Fiber.join(fiber)
      })
  )

  it.scopedLive("who is too slow loses what does not fit, and hears that there was a gap", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.run
      const { redis } = yield* connect(server)
      const watcher = yield* listen(redis, "a")
      yield* watcher.hears("-")
      const heard: Array<string> = []
      let isSlow = true
      yield* Effect.forkScoped(
        Stream.runForEach(redis.listen("a"), (one) =>
          Effect.zipRight(
            Effect.suspend(() =>
              isSlow
                ? until(
                    "it may go on",
                    Effect.sync(() => !isSlow)
                  )
                : Effect.void
            ),
            Effect.sync(() => void heard.push(one._tag === "Gap" ? "-" : one.text))
          )
        )
      )
      yield* Effect.sleep("50 millis")
      const count = Subscriptions.capacity + 100
      yield* Effect.forEach(
        Array.from({ length: count }, (_, i) => String(i)),
        (text) => redis.publish("a", text),
        { concurrency: 50, discard: true }
      )
      yield* until(
        "all was told",
        Effect.sync(() => watcher.heard.length === count + 1)
      )
      isSlow = false
      yield* until(
        "the slow one is through",
        Effect.sync(() => heard.length > 1 && heard.at(-1) === "-")
      )
      assert.strictEqual(heard.length, 1 + Subscriptions.capacity + 1)
      // From then on all is well again.
      yield* redis.publish("a", "later")
      yield* until(
        "it goes on",
        Effect.sync(() => heard.at(-1) === "later")
      )
    })
  )
})
