import { assert, describe, it } from "@effect/vitest"
import * as SuccessRate from "../../../src/insights/analytics/SuccessRate.js"
import * as Window from "../../../src/insights/analytics/Window.js"

describe("the Wilson lower bound", () => {
  it("is what tables of it say", () => {
    // 81 of 263: Newcombe (1998) has 0.2553 to 0.3662 for it.
    assert.closeTo(SuccessRate.wilson({ success: 81, failed: 182 }), 0.2553, 5e-5)
    assert.closeTo(SuccessRate.wilson({ success: 1, failed: 0 }), 0.2065, 5e-5)
    assert.strictEqual(SuccessRate.wilson({ success: 0, failed: 10 }), 0)
    assert.strictEqual(SuccessRate.wilson({ success: 0, failed: 0 }), 0)
  })

  it("rises with the number of attempts at the same rate, and stays below that rate", () => {
    let last = 0
    for (const n of [10, 100, 1000, 100_000]) {
      const now = SuccessRate.wilson({ success: 0.9 * n, failed: 0.1 * n })
      assert.isAbove(now, last)
      assert.isBelow(now, 0.9)
      last = now
    }
  })
})

describe("health", () => {
  it("is unknown below 20 attempts, then goes by the score", () => {
    assert.isNull(SuccessRate.score({ success: 19, failed: 0 }))
    assert.isNotNull(SuccessRate.score({ success: 19, failed: 1 }))
    assert.strictEqual(SuccessRate.health(null), "unknown")
    assert.strictEqual(SuccessRate.health(97.99), "yellow")
    assert.strictEqual(SuccessRate.health(98), "green")
    assert.strictEqual(SuccessRate.health(94.99), "red")
  })

  it("alerts when the last hour falls more than 10 or 25 points below the day, with attempts enough", () => {
    const day = { success: 900, failed: 100 }
    assert.isNull(SuccessRate.alert({ success: 80, failed: 20 }, day), "exactly 10 points")
    assert.strictEqual(SuccessRate.alert({ success: 79, failed: 21 }, day), "degraded")
    assert.strictEqual(SuccessRate.alert({ success: 64, failed: 36 }, day), "critical")
    assert.isNull(SuccessRate.alert({ success: 0, failed: 19 }, day))
  })
})

describe("windows", () => {
  it("begin at a full hour", () => {
    const now = 1_700_003_661
    assert.strictEqual(Window.hourOf(now), 1_700_002_800)
    assert.strictEqual(Window.firstHour("1h", now), 1_699_999_200)
    assert.strictEqual(Window.firstHour("24h", now), 1_700_002_800 - 86_400)
  })
})
