/** What leases are made of besides: settings, words, the board. */
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as LeaseBoard from "../../src/lease/LeaseBoard.js"
import * as LeaseConfig from "../../src/lease/LeaseConfig.js"
import * as Wake from "../../src/lease/Wake.js"

describe("the settings", () => {
  const read = (values: Record<string, string>) =>
    Effect.either(
      Effect.withConfigProvider(LeaseConfig.config, ConfigProvider.fromMap(new Map(Object.entries(values))))
    )

  it.effect("have defaults, each by itself", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read({}), Either.right(LeaseConfig.defaults))
      assert.deepStrictEqual(
        yield* read({ LEASE_TTL: "30" }),
        Either.right({ ...LeaseConfig.defaults, ttl: Duration.seconds(30) })
      )
      assert.deepStrictEqual(
        yield* read({ LEASE_POLL_INTERVAL: "100 millis" }),
        Either.right({ ...LeaseConfig.defaults, poll: Duration.millis(100) })
      )
    })
  )

  it.effect.each([
    ["LEASE_TTL", "999 millis"],
    ["LEASE_TTL", "11 minutes"],
    ["LEASE_TTL", "soon"],
    ["LEASE_POLL_INTERVAL", "0"],
    ["LEASE_POLL_INTERVAL", "61"],
    ["LEASE_POLL_INTERVAL", "-1"]
  ] as ReadonlyArray<readonly [string, string]>)("refuse %s=%s, and say what is allowed", ([key, value]) =>
    Effect.map(read({ [key]: value }), (result) => {
      const said = Either.isLeft(result) ? String(result.left) : "accepted"
      assert.include(said, key)
      assert.include(said, `"${value}"`)
      assert.include(said, "allowed is")
    })
  )
})

describe("a word", () => {
  it.scoped(
    "reaches everybody who listens for that lease, also when it came before the waiting, and once",
    () =>
      Effect.gen(function* () {
        const wake = yield* Wake.makeMemory
        const [one, two, other] = [yield* wake.listen("a"), yield* wake.listen("a"), yield* wake.listen("b")]
        yield* wake.notify("a")
        yield* wake.notify("a")
        yield* one
        yield* two
        const waiting = yield* Effect.fork(one)
        const elsewhere = yield* Effect.fork(other)
        yield* TestClock.adjust(0)
        assert.isTrue(Option.isNone(yield* Fiber.poll(waiting)), "two words at once are one")
        assert.isTrue(Option.isNone(yield* Fiber.poll(elsewhere)))
        yield* wake.notify("a")
        yield* Fiber.join(waiting)
        yield* Fiber.interrupt(elsewhere)
      })
  )

  it.effect("that nobody listens for any more is dropped", () =>
    Effect.gen(function* () {
      const wake = yield* Wake.makeMemory
      const word = yield* Effect.scoped(wake.listen("a"))
      yield* wake.notify("a")
      const waiting = yield* Effect.fork(word)
      yield* TestClock.adjust(0)
      assert.isTrue(Option.isNone(yield* Fiber.poll(waiting)))
      yield* Fiber.interrupt(waiting)
    })
  )
})

describe("the board", () => {
  it.scoped("shows leases by name for as long as they are wanted, as metrics too", () =>
    Effect.gen(function* () {
      const board = yield* LeaseBoard.make
      const [b, a] = [yield* LeaseBoard.track("b-of-board"), yield* LeaseBoard.track("a-of-board")]
      yield* board.add(b.status)
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* board.add(a.status)
          assert.deepStrictEqual(
            (yield* board.all).map(({ name }) => name),
            ["a-of-board", "b-of-board"]
          )
        })
      )
      yield* TestClock.adjust("3 seconds")
      yield* b.note("standby", { holder: "x", epoch: 4 })
      yield* TestClock.adjust("1 second")
      yield* b.note("held", { holder: "me", epoch: 5 })
      yield* b.lost
      yield* b.note("held")
      assert.deepStrictEqual(yield* board.all, [
        { name: "b-of-board", state: "held", since: 4000, holder: "me", epoch: 5 }
      ])
      const value = (name: string, description: string) =>
        Effect.map(
          Metric.value(Metric.tagged(Metric.gauge(name, { description }), "lease", "b-of-board")),
          (state) => state.value
        )
      assert.strictEqual(yield* value("lease_held", "Whether this process has the lease"), 1)
      assert.strictEqual(yield* value("lease_epoch", "The epoch of the lease that was seen last"), 5)
    })
  )
})
