import { assert, describe, it } from "@effect/vitest"
import { median, quantile, random, spread } from "../../bench/support/Statistics.js"

describe("Statistics", () => {
  it("finds the middle and the quarters", () => {
    assert.strictEqual(median([3, 1, 2]), 2)
    assert.strictEqual(median([4, 1, 2, 3]), 2.5)
    assert.strictEqual(quantile([0, 10, 20, 30, 40], 0.25), 10)
    assert.strictEqual(spread([30, 0, 2]), "2 (0-30)")
    assert.strictEqual(spread([]), "-")
  })

  it("draws the same numbers from the same seed, evenly", () => {
    const [one, other] = [random(7), random(7)]
    const drawn = Array.from({ length: 10_000 }, () => one())
    for (const number of drawn) assert.strictEqual(number, other())
    assert.closeTo(drawn.reduce((sum, number) => sum + number, 0) / drawn.length, 0.5, 0.02)
    assert.isTrue(drawn.every((number) => number >= 0 && number < 1))
    assert.notStrictEqual(random(8)(), drawn[0])
  })
})
