/** Limits that several processes count together: what each takes is missing for the others, and Redis may go away. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { Buckets } from "../../src/http/RateLimitBuckets.js"
import * as RateLimits from "../../src/insights/RateLimits.js"
import * as RedisServer from "../support/RedisServer.js"
import { connect } from "./support/Connected.js"

const { note, path } = RedisServer.tool

// So long that nothing comes back while a test runs.
const policy = { name: "address", capacity: 100, window: 24 * 3_600_000 }

const process = (server: RedisServer.RedisServer) =>
  Effect.map(connect(server), ({ is, redis }) => {
    const buckets = new Buckets(1000)
    buckets.share()
    return {
      is,
      redis,
      buckets,
      /** Asks so often; gives how often it was let through. */
      ask: (count: number, key = "10.0.0.1") =>
        Array.from({ length: count }, () => buckets.take(key, policy, 0)).filter((left) => left >= 0).length,
      exchange: RateLimits.exchange(redis, buckets, () => 0),
      left: (key = "10.0.0.1") => Math.round(buckets.left(key, policy, 0))
    }
  })

describe.skipIf(path === undefined)(`limits${note}`, () => {
  it.scopedLive("are one for all processes, and what was too much is missing afterwards", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.run
      const one = yield* process(server)
      const two = yield* process(server)
      assert.strictEqual(one.ask(60), 60)
      assert.isFalse(yield* one.exchange)
      assert.strictEqual(one.left(), 40)
      // The other has not heard of it yet.
      assert.strictEqual(two.ask(60), 60)
      yield* two.exchange
      assert.strictEqual(two.left(), -20)
      assert.strictEqual(two.ask(5), 0)
      assert.strictEqual(one.ask(1), 1)
      yield* one.exchange
      assert.strictEqual(one.left(), -21)
      assert.strictEqual(one.ask(5), 0)
      // Nothing that was refused is told.
      yield* two.exchange
      assert.strictEqual(two.left(), -20)
      const [, keys = ""] = (yield* Effect.promise(() => server.ask("KEYS *"))).split("\r\n").slice(1)
      assert.match(keys, /:?limit:10\.0\.0\.1$/)
      const expires = Number((yield* Effect.promise(() => server.ask(`PTTL ${keys}`))).slice(1))
      // It would be full again after the window and what is owed.
      assert.isAtMost(expires, 1.21 * policy.window + 1000)
      assert.isAbove(expires, 1.19 * policy.window)
    })
  )

  it.scopedLive("go on without Redis, and tell it when it is back", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.run
      const one = yield* process(server)
      const two = yield* process(server)
      yield* Effect.promise(server.kill)
      yield* one.is("degraded")
      assert.strictEqual(one.ask(70), 70)
      assert.isFalse(yield* one.exchange)
      assert.strictEqual(one.left(), 30)
      assert.strictEqual(two.ask(70), 70)
      yield* Effect.promise(server.start)
      yield* Effect.all([one.is("connected"), two.is("connected")])
      yield* one.exchange
      assert.strictEqual(one.left(), 30)
      yield* two.exchange
      assert.strictEqual(two.left(), -40)
    })
  )

  it.scopedLive("of many clients are told in parts, by themselves", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.run
      const one = yield* process(server)
      const two = yield* process(server)
      for (let client = 0; client < 700; client++) one.ask(100, `client ${client}`)
      yield* RateLimits.share(one.redis, one.buckets)
      const known = Effect.promise(() => server.ask("DBSIZE"))
      yield* Effect.repeat(known, { until: (answer) => answer === ":700\r\n", schedule: Schedule.spaced(20) })
      for (const client of [0, 499, 500, 699]) {
        assert.strictEqual(two.ask(1, `client ${client}`), 1)
      }
      yield* two.exchange
      for (const client of [0, 499, 500, 699]) assert.strictEqual(two.ask(1, `client ${client}`), 0)
    })
  )
})
