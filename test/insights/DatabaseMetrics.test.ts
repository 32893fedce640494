import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as TestClock from "effect/TestClock"
import * as DatabaseMetrics from "../../src/insights/DatabaseMetrics.js"
import * as SqlFailure from "../../src/insights/SqlFailure.js"

/** What is counted under a name, by the value of its label; of a histogram the count and the sum. */
const told = (name: string) =>
  Effect.map(Metric.snapshot, (pairs) =>
    Object.fromEntries(
      pairs
        .filter(({ metricKey }) => metricKey.name === name)
        .map(({ metricKey, metricState }) => [
          metricKey.tags[0]?.value ?? "all",
          metricState as unknown as { readonly count: number; readonly sum: number }
        ])
    )
  )

describe("metrics of the database", () => {
  it.effect("count transactions by how they ended, and time those that were committed", () =>
    Effect.gen(function* () {
      const before = yield* told("sqlite_transactions_total")
      const timedBefore = (yield* told("sqlite_transaction_duration_seconds"))["all"]
      const transaction = DatabaseMetrics.measured(Effect.sleep("2 seconds"))
      const running = yield* Effect.fork(transaction)
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(running)
      yield* Effect.exit(DatabaseMetrics.measured(Effect.fail("full")))
      const after = yield* told("sqlite_transactions_total")
      const timed = (yield* told("sqlite_transaction_duration_seconds"))["all"]!
      const more = (outcome: string) => after[outcome]!.count - (before[outcome]?.count ?? 0)
      assert.deepStrictEqual([more("committed"), more("failed")], [1, 1])
      assert.strictEqual(timed.count - (timedBefore?.count ?? 0), 1)
      assert.closeTo(timed.sum - (timedBefore?.sum ?? 0), 2, 1e-6)
    })
  )

  it.effect("count each time that somebody else held the lock, and no other failure", () =>
    Effect.gen(function* () {
      const count = Effect.map(told("sqlite_busy_total"), (all) => all["all"]?.count ?? 0)
      const before = yield* count
      let attempts = 0
      const statement = Effect.suspend(() =>
        ++attempts < 3 ? Effect.fail({ code: "SQLITE_BUSY" }) : Effect.succeed("done")
      )
      const running = yield* Effect.fork(SqlFailure.withBusyRetry(statement))
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(yield* Fiber.join(running), "done")
      yield* Effect.exit(SqlFailure.withBusyRetry(Effect.fail({ code: "SQLITE_FULL" })))
      assert.strictEqual((yield* count) - before, 2)
    })
  )
})
