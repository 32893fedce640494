import { assert, describe, it } from "@effect/vitest"
import * as Campaign from "./Campaign.js"
import { cases } from "./regressions/cases.js"

const seed = 20_000

describe("laws 1 to 6 and 9 in simulated lives", () => {
  it("hold in 1,000 random ones, and the model foretells a good part of them to the millisecond", () => {
    const result = Campaign.run(seed, 1000)
    if (result.failure !== undefined) assert.fail(Campaign.describe(result.failure))
    assert.isAbove(result.foretold, 300)
    assert.isAbove(result.resources / result.cases, 7)
  }, 60_000)
})

describe("cases that once broke a law", () => {
  for (const [title, of] of Object.entries(cases)) {
    it(title, () => {
      assert.deepStrictEqual(Campaign.judge(of).violations, [])
    })
  }
})
