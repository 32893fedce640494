import { assert, describe, it } from "@effect/vitest"
import * as Fleet from "./support/Fleet.js"

const calm: Fleet.World = { unanswered: 0, untold: 0, away: 0, empty: 0 }

/** Many runs added up. */
const runs = (count: number, world: Fleet.World, hears: boolean) => {
  const sum = { reads: 0, computed: 0, sharedHits: 0, localHits: 0, commits: 0 }
  const wrong: Array<string> = []
  for (let seed = 1; seed <= count; seed++) {
    const result = Fleet.run(seed, world, hears)
    wrong.push(...result.wrong)
    for (const key of Object.keys(sum) as Array<keyof typeof sum>) sum[key] += result[key]
  }
  return { ...sum, wrong }
}

describe("processes that share a cache, on virtual time", () => {
  it("nobody reads what was invalidated by itself before, or by another one before it heard of it", () => {
    const { commits, computed, localHits, reads, sharedHits, wrong } = runs(6, calm, true)
    assert.deepStrictEqual(wrong.slice(0, 3), [])
    // And it is a cache.
    assert.isAbove(reads, 1500)
    assert.isAbove(commits, 30)
    assert.isAbove(sharedHits, 30)
    assert.isAbove(localHits, reads / 2)
    assert.isBelow(computed, reads / 4)
  })

  it.each([
    ["messages are lost", { ...calm, untold: 0.7 }],
    ["answers are lost, of what was done and what was not", { ...calm, unanswered: 0.1 }],
    ["Redis is away", { ...calm, away: 0.3 }],
    ["Redis forgets everything", { ...calm, empty: 0.3 }],
    ["all of it", { unanswered: 0.1, untold: 0.5, away: 0.4, empty: 0.05 }]
  ])("when %s, nobody reads what Redis was told of longer ago than the staleness", (_, world) => {
    const { reads, wrong } = runs(4, world, false)
    assert.deepStrictEqual(wrong.slice(0, 3), [])
    assert.isAbove(reads, 1000)
  })
})
