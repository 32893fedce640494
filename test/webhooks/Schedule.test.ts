/** When what failed is tried again, and what an answer means. */
import { assert, describe, it } from "@effect/vitest"
import type { Outcome } from "../../src/webhooks/Sender.js"
import * as Schedule from "../../src/webhooks/Schedule.js"
import * as Verdict from "../../src/webhooks/Verdict.js"

const now = Date.UTC(2026, 0, 1)

describe("the pause", () => {
  it("is 5 s, doubled with each attempt, up to an hour, a fifth more or less", () => {
    const pauses = Array.from({ length: 12 }, (_, index) => Schedule.pauseMillis(index + 1, 0.5) / 1000)
    assert.deepStrictEqual(pauses, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600])
    assert.strictEqual(Schedule.pauseMillis(3, 0), 16_000)
    assert.strictEqual(Schedule.pauseMillis(3, 1), 24_000)
    assert.strictEqual(Schedule.pauseMillis(99, 1), 3_600_000)
  })
})

describe("Retry-After", () => {
  it.each([
    ["0", 0],
    ["120", 120_000],
    [" 7 ", 7000],
    ["99999999", 86_400_000],
    [new Date(now + 90_000).toUTCString(), 90_000],
    [new Date(now - 90_000).toUTCString(), 0],
    ["Thursday, 01-Jan-26 00:00:30 GMT", 30_000],
    ["Thu Jan  1 00:00:30 2026", 30_000],
    ["-1", undefined],
    ["1.5", undefined],
    ["soon", undefined],
    ["2026", 2_026_000],
    ["", undefined],
    [undefined, undefined]
  ])("%j is %j ms", (header, millis) => {
    assert.strictEqual(Schedule.retryAfterMillis(header, now), millis)
  })
})

describe("an answer", () => {
  const answered = (status: number, retryAfterMillis?: number): Outcome => ({
    _tag: "Answered",
    status,
    latencyMillis: 1,
    body: "",
    retryAfterMillis
  })
  const next = (outcome: Outcome, attempts = 1) => Verdict.next(outcome, attempts, now, 0.5)

  it.each([200, 201, 204, 299])("%i is an arrival", (status) => {
    assert.deepStrictEqual(next(answered(status)), { _tag: "Delivered" })
  })

  it.each([301, 302, 307, 308, 304, 400, 401, 404, 429, 500, 503, 199, 101])(
    "%i is tried again",
    (status) => {
      assert.deepStrictEqual(next(answered(status)), { _tag: "Retry", at: now + 5000, holdUntil: undefined })
    }
  )

  it("410 is the end of the subscription, and none at all is tried again", () => {
    assert.deepStrictEqual(next(answered(410)), { _tag: "Gone" })
    const none: Outcome = { _tag: "Unanswered", latencyMillis: 1, message: "no" }
    assert.deepStrictEqual(next(none, 2), { _tag: "Retry", at: now + 10_000, holdUntil: undefined })
  })

  it("with Retry-After holds all of the subscription, and the message for the longer of the two pauses", () => {
    assert.deepStrictEqual(next(answered(503, 60_000)), {
      _tag: "Retry",
      at: now + 60_000,
      holdUntil: now + 60_000
    })
    assert.deepStrictEqual(next(answered(429, 1000), 3), {
      _tag: "Retry",
      at: now + 20_000,
      holdUntil: now + 1000
    })
  })

  it("that is the tenth that failed is the last", () => {
    assert.strictEqual(next(answered(500), 9)._tag, "Retry")
    assert.strictEqual(next(answered(500), 10)._tag, "Dead")
    assert.strictEqual(next(answered(200), 10)._tag, "Delivered")
  })
})
