import { assert, describe, it } from "@effect/vitest"
import * as Account from "../../../src/drill/wire/Account.js"
import type { Loss, Sent } from "../../../src/drill/wire/Outcome.js"
import { judge, raceWindow } from "../../../src/drill/wire/Outcome.js"

const loss = (changes: Partial<Loss>): Loss => ({
  ending: "fin",
  written: true,
  received: 0,
  age: raceWindow + 1,
  looked: true,
  pieces: false,
  arrival: "unknown",
  ...changes
})

describe("Outcome.judge", () => {
  it.each<[string, Partial<Loss>]>([
    ["dropped", {}],
    ["late", { age: raceWindow }],
    ["late", { age: 1000, looked: false }],
    // What the server's kernel says wins over the clock.
    ["late", { age: 1000, arrival: "after the close" }],
    ["dropped", { age: 0, looked: false, arrival: "before the close" }],
    ["dropped", { arrival: "half-closed" }],
    ["late", { age: raceWindow, arrival: "half-closed" }],
    // The first part of it may have arrived long before the one that was refused.
    ["dropped", { age: 1000, pieces: true, arrival: "after the close" }],
    ["dropped", { ending: "reset", age: 0, looked: false }],
    ["cut", { received: 1, age: 0 }],
    ["cut", { ending: "reset", received: 1 }],
    ["refused", { written: false }],
    ["refused", { ending: "reset", written: false }],
    ["refused", { ending: "refused", written: false }],
    ["hung", { ending: "given up" }],
    ["hung", { ending: "given up", received: 10 }]
  ])("%s: %j", (outcome, changes) => {
    assert.strictEqual(judge(loss(changes)), outcome)
  })
})

const one = (changes: Partial<Sent>): Sent => ({
  kind: "GET /fast",
  connection: 1,
  outcome: "complete",
  sentAt: 90,
  doneAt: 95,
  ...changes
})

const stop: ReadonlyArray<Sent> = [
  one({ status: 200 }),
  one({ sentAt: 99, doneAt: 130, status: 200 }),
  one({ sentAt: 101, doneAt: 102, status: 200 }),
  one({ outcome: "declined", sentAt: 103, doneAt: 150, status: 503 }),
  one({ outcome: "dropped", sentAt: 98, doneAt: 140, ending: "reset", hit: "request" }),
  one({ outcome: "late", sentAt: 105, doneAt: 106, ending: "fin" }),
  one({ outcome: "cut", sentAt: 107, doneAt: 108, ending: "fin" }),
  one({ outcome: "refused", sentAt: 110, doneAt: 110, ending: "refused", connection: 0 }),
  one({ outcome: "refused", sentAt: 99, doneAt: 900, ending: "reset", connection: 0 })
]

describe("Account", () => {
  it("counts each request once, and those after the signal by the time of their write", () => {
    const { outcomes, ...rest } = Account.tally(stop, 100)
    assert.deepStrictEqual(outcomes, {
      complete: 3,
      declined: 1,
      refused: 2,
      late: 1,
      wrong: 0,
      dropped: 1,
      cut: 1,
      hung: 0
    })
    assert.deepStrictEqual(rest, {
      requests: stop.length,
      afterSignal: { answered: 1, declined: 1, late: 1, lost: 1 },
      inFlight: 2,
      resets: 1,
      resetUnwritten: 1,
      slowRefusals: 1
    })
  })

  it("finds the last whole response, and the slowest request that was accepted before the signal", () => {
    assert.strictEqual(Account.lastWhole(stop), 150)
    assert.strictEqual(Account.slowestAccepted(stop, 100), 140)
    assert.strictEqual(Account.slowestAccepted([], 100), 100)
    assert.isUndefined(Account.lastWhole([one({ outcome: "hung" })]))
  })

  it("leaves out of a report what matters least, never a loss", () => {
    const many = Array.from({ length: 1000 }, (_, i) =>
      one({ sentAt: i / 20, doneAt: i / 20 + 1, status: 200 })
    )
    const kept = Account.sample([...many, ...stop], 100, 50)
    assert.lengthOf(kept, 50)
    for (const lost of stop.filter(({ outcome }) => ["dropped", "cut", "late"].includes(outcome))) {
      assert.include(kept, lost)
    }
    assert.include(kept, stop[1])
    assert.isAbove(kept.filter(({ sentAt }) => sentAt < 25).length, 10)
    assert.isTrue(kept.every(({ sentAt }, i) => i === 0 || kept[i - 1]!.sentAt <= sentAt))
    const losses = Array.from({ length: 20 }, () => one({ outcome: "hung" }))
    assert.lengthOf(Account.sample(losses, 100, 5), 20)
  })
})
