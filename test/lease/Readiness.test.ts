/** Whether a process that waits for a lease is ready: it is, unless nobody can be asked for it. */
import { assert, describe, it } from "@effect/vitest"
import { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import * as Service from "./support/Service.js"
import * as Store from "./support/Store.js"

describe("a process that waits for a lease", () => {
  it.scoped("is not ready when it cannot ask several times in a row, and says why until it can", () =>
    Effect.gen(function* () {
      const file = yield* Store.file
      const disk = { isFull: true }
      let lifecycle: Lifecycle.Shape | undefined
      const full = new SqlError({
        cause: new Error("database or disk is full"),
        message: "Failed to execute statement"
      })
      const { lease, run } = yield* Service.launch(file, "a", Service.writer(), {
        leases: (leases) => ({
          ...leases,
          acquire: (...args) => Effect.suspend(() => (disk.isFull ? full : leases.acquire(...args)))
        }),
        around: (leased) =>
          Layer.merge(
            leased,
            Layer.effectDiscard(
              Effect.map(Lifecycle.Lifecycle, (found) => {
                lifecycle = found
              })
            )
          )
      })
      const status = Effect.suspend(() => lifecycle!.readiness.status)
      // It looks every four seconds: four fifths of the interval.
      yield* TestClock.adjust("7 seconds")
      assert.isTrue((yield* status).ready)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual((yield* status).obstacles, [
        {
          name: "lease tasks",
          reason: "the lease cannot be looked at or asked for: the database failed: database or disk is full"
        }
      ])
      disk.isFull = false
      yield* TestClock.adjust("5 seconds")
      assert.isTrue((yield* status).ready)
      assert.strictEqual((yield* lease).state, "held")
      yield* run.signal()
      yield* TestClock.adjust("5 seconds")
      yield* run.report
    })
  )
})
