import { assert, describe, it } from "@effect/vitest"
import type { Loss, Sent } from "../../bench/drain/Account.js"
import { judge, raceWindow, tally } from "../../bench/drain/Account.js"
import { median, quantile, random, spread } from "../../bench/support/Statistics.js"

const loss = (changes: Partial<Loss>): Loss => ({
  ending: "fin",
  written: true,
  received: 0,
  age: raceWindow + 1,
  looked: true,
  ...changes
})

describe("Account.judge", () => {
  it("tells what was lost from what may have crossed the FIN, and both from what is safe to retry", () => {
    assert.strictEqual(judge(loss({})), "dropped")
    assert.strictEqual(judge(loss({ age: raceWindow })), "raced")
    assert.strictEqual(judge(loss({ age: 1000, looked: false })), "raced")
    assert.strictEqual(judge(loss({ ending: "reset", age: 0, looked: false })), "dropped")
    assert.strictEqual(judge(loss({ received: 1, age: 0 })), "cut")
    assert.strictEqual(judge(loss({ ending: "reset", received: 1 })), "cut")
    assert.strictEqual(judge(loss({ written: false })), "refused")
    assert.strictEqual(judge(loss({ ending: "reset", written: false })), "refused")
    assert.strictEqual(judge(loss({ ending: "refused", written: false })), "refused")
    assert.strictEqual(judge(loss({ ending: "given up" })), "hung")
  })
})

describe("Account.tally", () => {
  it("counts each request once, and late ones by the time of their write", () => {
    const sent: Array<Sent> = [
      { kind: "GET /fast", outcome: "complete", sentAt: 90, doneAt: 95, status: 200 },
      { kind: "GET /fast", outcome: "complete", sentAt: 99, doneAt: 130, status: 200 },
      { kind: "GET /fast", outcome: "complete", sentAt: 101, doneAt: 102, status: 200 },
      { kind: "GET /fast", outcome: "declined", sentAt: 103, doneAt: 104, status: 503 },
      { kind: "GET /fast", outcome: "dropped", sentAt: 98, doneAt: 140, ending: "reset" },
      { kind: "GET /fast", outcome: "raced", sentAt: 105, doneAt: 106, ending: "fin" },
      { kind: "GET /fast", outcome: "refused", sentAt: 110, doneAt: 110, ending: "refused" }
    ]
    const counted = tally(sent, 100)
    assert.strictEqual(counted.requests, sent.length)
    assert.strictEqual(
      Object.values(counted.outcomes).reduce((sum, count) => sum + count, 0),
      sent.length
    )
    assert.deepStrictEqual(counted.late, { answered: 1, declined: 1, lost: 1 })
    assert.strictEqual(counted.inFlight, 2)
    assert.strictEqual(counted.resets, 1)
    assert.strictEqual(counted.resetUnwritten, 0)
    assert.strictEqual(counted.lastWholeAt, 130)
    assert.lengthOf(counted.examples, 2)
  })
})

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
