import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as Backoff from "../../../src/stellar/source/Backoff.js"

const asked = (header: string | undefined) =>
  Effect.map(Backoff.retryAfter(header), (wait) => Option.getOrUndefined(Option.map(wait, Duration.toMillis)))

describe("Backoff", () => {
  it.effect("takes Retry-After as seconds or a date, within its bounds, and nothing else", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2026, 10, 20, 12, 0, 0))
      assert.strictEqual(yield* asked("7"), 7000)
      assert.strictEqual(yield* asked(" 0 "), 500)
      assert.strictEqual(yield* asked("999999999"), 300_000)
      assert.strictEqual(yield* asked("Fri, 20 Nov 2026 12:00:09 GMT"), 9000)
      assert.strictEqual(yield* asked("Fri, 20 Nov 2026 11:00:00 GMT"), 500)
      assert.strictEqual(yield* asked("Sat, 20 Nov 2027 11:00:00 GMT"), 300_000)
      for (const other of [undefined, "", "soon", "-1", "1.5", "Friday"])
        assert.isUndefined(yield* asked(other))
    })
  )

  it.effect("doubles up to a bound, between half and whole", () =>
    Effect.gen(function* () {
      for (const [failures, whole] of [
        [1, 500],
        [2, 1000],
        [6, 16_000],
        [7, 30_000],
        [1000, 30_000]
      ] as const) {
        const seen = new Set<number>()
        for (let i = 0; i < 50; i++) {
          const wait = Duration.toMillis(yield* Backoff.afterFailures(failures))
          assert.isAtLeast(wait, whole / 2)
          assert.isAtMost(wait, whole)
          seen.add(wait)
        }
        assert.isAbove(seen.size, 10)
      }
    })
  )
})
