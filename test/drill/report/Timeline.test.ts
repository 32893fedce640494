import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Figure from "../../../src/drill/report/Figure.js"
import * as Look from "../../../src/drill/report/Look.js"
import * as Timeline from "../../../src/drill/report/Timeline.js"
import * as Sample from "./Sample.js"

const { request, stop } = Sample

describe("lanes", () => {
  it("one lane as long as connections follow each other, and one for each at the same time", () => {
    const visitor = (connection: number, sentAt: number) =>
      request({ connection, sentAt, doneAt: sentAt + 5 })
    assert.strictEqual(Timeline.lanes([visitor(1, 0), visitor(2, 10), visitor(3, 20)]).count, 1)
    assert.strictEqual(Timeline.lanes([visitor(1, 0), visitor(2, 2), visitor(3, 4)]).count, 3)
    const kept = [visitor(1, 0), visitor(2, 10), visitor(1, 20)]
    assert.deepStrictEqual(
      Timeline.lanes(kept).laned.map(({ lane, request: { connection } }) => [connection, lane]),
      [
        [1, 0],
        [1, 0],
        [2, 1]
      ]
    )
    // Without a connection each request is by itself.
    assert.strictEqual(Timeline.lanes([visitor(0, 0), visitor(0, 1)]).count, 2)
  })

  it("keeps all requests, and never lays two connections over each other", () => {
    const one = fc.record({
      connection: fc.integer({ min: 0, max: 9 }),
      at: fc.integer({ min: -50, max: 50 }),
      took: fc.integer({ min: 0, max: 60 })
    })
    fc.assert(
      fc.property(fc.array(one, { maxLength: 40 }), (all) => {
        const requests = all.map(({ at, connection, took }) =>
          request({ connection, sentAt: at, doneAt: at + took })
        )
        const { count, laned } = Timeline.lanes(requests)
        assert.strictEqual(laned.length, requests.length)
        for (const a of laned) {
          assert.isBelow(a.lane, count)
          for (const b of laned) {
            if (a.request === b.request || a.lane !== b.lane) continue
            if (a.request.connection === b.request.connection && a.request.connection !== 0) continue
            assert.isTrue(a.request.doneAt <= b.request.sentAt || b.request.doneAt <= a.request.sentAt)
          }
        }
      })
    )
  })
})

describe("the window", () => {
  it("holds the whole stop, and is joined by a closer one where most of it happened early", () => {
    const even = stop({ requests: [request({ sentAt: -40, doneAt: 60 })] })
    assert.deepStrictEqual(
      Timeline.windows(even).map(({ label }) => label),
      ["whole stop"]
    )
    const hung = stop({
      requests: [
        ...Sample.load(20, 1),
        request({ connection: 99, sentAt: 5, doneAt: 12_000, outcome: "hung", ending: "given up" })
      ],
      times: { listenerClosed: 1, lastWhole: 30, slowestAccepted: 30, exit: null }
    })
    const [whole, closer] = Timeline.windows(hung)
    assert.isAbove(whole.to, 12_000)
    assert.isBelow(closer!.to, 3000)
    assert.isBelow(closer!.from, 0)
  })

  it("has a few round marks, zero among them", () => {
    const { ticks } = Timeline
    const marks = (from: number, to: number) => ticks({ label: "", from, to })
    assert.deepStrictEqual(marks(-25, 95), [-20, 0, 20, 40, 60, 80])
    assert.deepStrictEqual(marks(-0.3, 1.1), [0, 0.5, 1])
    for (const to of [0.01, 1, 7.5, 90, 1234, 61_000, 3_600_000]) {
      const all = marks(-to / 4, to)
      assert.include(all, 0)
      assert.isAtMost(all.length, 8)
      assert.isAtLeast(all.length, 3)
    }
  })
})

describe("the look of a request", () => {
  it.each([
    [{ sentAt: -5, doneAt: -1 }, "before"],
    [{ sentAt: -5, doneAt: 1 }, "flight"],
    [{ sentAt: 1, doneAt: 2 }, "after"],
    [{ sentAt: 1, doneAt: 2, outcome: "declined" }, "declined"],
    [{ sentAt: 1, doneAt: 2, outcome: "late" }, "late"],
    [{ sentAt: -5, doneAt: -1, outcome: "wrong" }, "lost"],
    [{ sentAt: 1, doneAt: 2, outcome: "dropped" }, "lost"],
    [{ sentAt: 1, doneAt: 2, outcome: "cut" }, "lost"],
    [{ sentAt: 1, doneAt: 2, outcome: "hung" }, "lost"]
  ] as const)("%j is %s", (fields, look) => {
    assert.strictEqual(Look.of(request(fields), true), look)
    assert.strictEqual(Look.of(request(fields), false), look === "lost" ? "ended" : look)
  })
})

it("figures have no more digits than mean something", () => {
  assert.deepStrictEqual(
    [
      0, 0.04, 0.42, 9.94, 9.96, 24.4, 999.4, 999.6, 1074, 9999, 42_000, 119_900, 200_000, 3_600_000, -3.2
    ].map(Figure.duration),
    [
      "0 ms",
      "0 ms",
      "0.4 ms",
      "9.9 ms",
      "10 ms",
      "24 ms",
      "999 ms",
      "1.00 s",
      "1.07 s",
      "10.0 s",
      "42.0 s",
      "119.9 s",
      "3 min 20 s",
      "60 min",
      "\u22123.2 ms"
    ]
  )
  assert.deepStrictEqual([0, 999, 1000, 84_210, 1_234_567].map(Figure.integer), [
    "0",
    "999",
    "1,000",
    "84,210",
    "1,234,567"
  ])
  assert.strictEqual(Figure.words(["0", "0", "1"]), "0 ×2, 1")
  assert.strictEqual(Figure.words(["0", "0"]), "0")
  assert.strictEqual(Figure.median([3, 1, 2, 10]), 2.5)
})
