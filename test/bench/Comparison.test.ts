import { assert, describe, it } from "@effect/vitest"
import * as Comparison from "../../bench/support/Comparison.js"
import type { DrillReport, StopReport } from "../../src/drill/DrillReport.js"
import type { Scenario } from "../../src/drill/Scenario.js"

const none = { complete: 0, declined: 0, refused: 0, late: 0, wrong: 0, dropped: 0, cut: 0, hung: 0 }

const stop = (
  scenario: string,
  more: Partial<StopReport>,
  outcomes: Partial<typeof none> = {}
): StopReport => ({
  scenario,
  title: scenario,
  scenarios: [],
  nth: 1,
  signal: "SIGTERM",
  signalledAt: 0,
  readyIn: 100,
  times: { listenerClosed: 1, lastWhole: 5, slowestAccepted: 5, exit: 25 },
  exitCode: 0,
  exitSignal: null,
  killed: false,
  tally: {
    requests: 10,
    outcomes: { ...none, complete: 10, ...outcomes },
    afterSignal: { answered: 0, declined: 0, late: 0, lost: 0 },
    inFlight: 0,
    resets: 0,
    resetUnwritten: 0,
    slowRefusals: 0
  },
  expectations: [],
  requests: [],
  requestsLeftOut: 0,
  leftovers: { children: [], ports: [] },
  lag: 0,
  notes: {},
  output: "",
  ...more
})

const report = (name: string, one: StopReport, lost = 0): DrillReport => {
  const request = { kind: "GET /fast", connection: 1, sentAt: 0, doneAt: 1, outcome: "hung" as const }
  const failed = one.expectations
    .filter(({ ok }) => !ok)
    .map(({ detail, name }) => ({ scenario: one.scenario, nth: 1, name, detail }))
  return {
    version: 1,
    name,
    startedAt: 0,
    durationMillis: 1,
    command: name,
    url: "http://127.0.0.1:0",
    node: "v20",
    seed: 1,
    graceMillis: 8000,
    stops: [one],
    skipped: [],
    verdict: {
      passed: lost + failed.length === 0,
      lost: Array.from({ length: lost }, () => ({ scenario: one.scenario, nth: 1, request })),
      failed
    }
  }
}

const late: Scenario = { id: "late-request", title: "", scenarios: [2], needs: [], run: async () => {} }

const compare = (ours: DrillReport, effect: DrillReport) =>
  Comparison.make([ours, effect], [late], ["ours", "effect"])

const right = report("ours", stop("late-request", {}))
const hung = report(
  "effect",
  stop(
    "late-request",
    {
      killed: true,
      expectations: [
        { name: "is gone within its grace", ok: false, detail: "was killed" },
        { name: "a late request is answered", ok: false, detail: "hung" }
      ]
    },
    { hung: 2 }
  ),
  2
)

describe("drills side by side", () => {
  it("say what is right in a word, and what is wrong in a few", () => {
    const { findings, oursPassed, rows } = compare(right, hung)
    assert.deepStrictEqual(rows.slice(0, 2), [
      ["scenario", "ours", "effect"],
      ["late-request", "ok (20 ms)", "2 lost, never exits, 1 not met"]
    ])
    assert.deepStrictEqual(
      rows.find(([name]) => name === "lost"),
      ["lost", "0", "2"]
    )
    assert.isTrue(oursPassed)
    assert.isTrue(findings.some((line) => line.includes("a late request is answered")))
    assert.isFalse(findings.some((line) => line.startsWith("ours")))
  })

  it("tell a known fault that was not found from one that was, and keep silent of what was not drilled", () => {
    assert.deepStrictEqual(
      compare(right, hung).knownFaults.map(({ found }) => found),
      [true, true]
    )
    const cured = report("effect", stop("late-request", {}))
    assert.deepStrictEqual(
      compare(right, cured).knownFaults.map(({ found }) => found),
      [false, false]
    )
  })

  it("do not pass when ours lost anything", () => {
    assert.isFalse(compare(report("ours", stop("late-request", {}, { hung: 1 }), 1), hung).oursPassed)
  })

  it("make a page with the versions and the table", () => {
    const page = Comparison.page(compare(right, hung), { ours: "this repository", effect: "effect 3.0.0" })
    for (const text of [
      "**effect**: effect 3.0.0",
      "| late-request | ok (20 ms) | 2 lost",
      "- found: stock Effect 3"
    ])
      assert.include(page, text)
  })
})
