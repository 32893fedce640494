import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fc from "fast-check"
import * as Budget from "../../src/lifecycle/Budget.js"
import * as ErrorText from "../../src/lifecycle/ErrorText.js"
import * as ShutdownConfig from "../../src/lifecycle/ShutdownConfig.js"

const read = (env: Record<string, string>) =>
  Effect.flatMap(ShutdownConfig.config, Budget.derive).pipe(
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(env))))
  )

const millis = (budget: Budget.Shape): Record<string, number> => ({
  whole: Duration.toMillis(budget.whole),
  ...Object.fromEntries(
    Object.entries(budget.stages).map(([stage, limit]) => [
      stage,
      Duration.toMillis(limit as Duration.Duration)
    ])
  )
})

const refusal = (env: Record<string, string>) => Effect.map(Effect.flip(read(env)), ErrorText.of)

describe("Budget", () => {
  it.effect("defaults add up to 54 s", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(millis(yield* read({})), {
        whole: 54_000,
        graceful: 30_000,
        background: 10_000,
        websocket: 5000,
        cache: 5000,
        database: 5000,
        telemetry: 2000
      })
    })
  )

  it.effect("the usual production settings (30, 15, 10) are accepted", () =>
    Effect.gen(function* () {
      const budget = yield* read({
        SHUTDOWN_GRACEFUL_TIMEOUT: "30",
        SHUTDOWN_BACKGROUND_TIMEOUT: "15",
        SHUTDOWN_DB_TIMEOUT: "10"
      })
      assert.strictEqual(Duration.toMillis(budget.whole), 64_000)
      assert.strictEqual(Duration.toMillis(budget.stages.cache), 10_000)
    })
  )

  it.effect("a short SHUTDOWN_TIMEOUT alone shrinks every stage in proportion", () =>
    Effect.gen(function* () {
      const budget = yield* read({ SHUTDOWN_TIMEOUT: "10", SHUTDOWN_ANNOUNCE_DELAY: "500 millis" })
      const { background, cache, database, graceful, telemetry, websocket } = budget.stages
      const listeners = [Budget.listener(websocket), Budget.listener(telemetry)]
      const total = [graceful, background, websocket, database, telemetry, ...listeners].reduce(
        (sum, limit) => sum + Duration.toMillis(limit),
        500
      )
      assert.isAtMost(total, 10_000)
      assert.isAtLeast(total, 9990)
      assert.isTrue(Duration.equals(cache, database))
      assert.isAbove(Duration.toMillis(database), 800)
    })
  )

  it.effect("what is set stays, what is not shrinks around it", () =>
    Effect.gen(function* () {
      const budget = yield* read({ SHUTDOWN_TIMEOUT: "20", SHUTDOWN_DB_TIMEOUT: "8" })
      assert.strictEqual(Duration.toMillis(budget.stages.database), 8000)
      assert.isBelow(Duration.toMillis(budget.stages.graceful), 9000)
    })
  )

  it.effect("what cannot hold is refused with the arithmetic", () =>
    Effect.gen(function* () {
      const short = yield* refusal({ SHUTDOWN_TIMEOUT: "10", SHUTDOWN_DB_TIMEOUT: "12" })
      assert.include(short, "SHUTDOWN_TIMEOUT=10 s is too short")
      assert.include(short, "12 s database")
      const grace = yield* refusal({ TERMINATION_GRACE_PERIOD: "30" })
      assert.include(
        grace,
        "TERMINATION_GRACE_PERIOD=30 s must be longer than the whole stop: 0 s announce + max(30 s"
      )
      assert.include(grace, "= 54 s")
      assert.include(
        yield* refusal({ SHUTDOWN_IDLE_GRACE: "40" }),
        "SHUTDOWN_IDLE_GRACE=40 s is longer than SHUTDOWN_GRACEFUL_TIMEOUT=30 s"
      )
    })
  )

  it.effect.each(["", "-5", "abc", "5 parsecs", "1e3", "2 hours", "NaN"])(
    "a timeout of %j is refused",
    (text) =>
      Effect.gen(function* () {
        const message = yield* refusal({ SHUTDOWN_DB_TIMEOUT: text })
        assert.match(
          message,
          /^SHUTDOWN_DB_TIMEOUT: ".*" is (not a duration|out of range); allowed is 1 ms to 60 min/
        )
      })
  )

  it.effect.each([
    ["30", 30_000],
    ["0.5", 500],
    ["500 millis", 500],
    ["2 minutes", 120_000]
  ] as const)("a timeout of %j is %d ms", ([text, expected]) =>
    Effect.gen(function* () {
      assert.strictEqual(
        Duration.toMillis((yield* read({ SHUTDOWN_DB_TIMEOUT: text })).stages.database),
        expected
      )
    })
  )

  it("every accepted budget keeps each stage that was set, and its longest path fits into the whole", () => {
    const seconds = fc.option(fc.integer({ min: 1, max: 120 }), { nil: undefined })
    fc.assert(
      fc.property(
        fc.record({ graceful: seconds, background: seconds, database: seconds, total: seconds }),
        (set) => {
          const env = Object.entries({
            SHUTDOWN_GRACEFUL_TIMEOUT: set.graceful,
            SHUTDOWN_BACKGROUND_TIMEOUT: set.background,
            SHUTDOWN_DB_TIMEOUT: set.database,
            SHUTDOWN_TIMEOUT: set.total
          }).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)] as const]))
          const outcome = Effect.runSync(Effect.either(read(Object.fromEntries(env))))
          if (Either.isLeft(outcome)) return assert.isDefined(set.total)
          const s = millis(outcome.right)
          const path =
            Math.max(s.graceful!, s.background!) +
            s.background! +
            s.websocket! +
            Math.max(s.cache!, s.database!) +
            s.telemetry!
          assert.isAtMost(path, s.whole!)
          if (set.graceful !== undefined) assert.strictEqual(s.graceful, set.graceful * 1000)
          if (set.database !== undefined) assert.strictEqual(s.database, set.database * 1000)
          if (set.total !== undefined) assert.strictEqual(s.whole, set.total * 1000)
        }
      )
    )
  })
})
