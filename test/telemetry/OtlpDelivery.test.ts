import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as ExporterHealth from "../../src/telemetry/ExporterHealth.js"
import * as OtlpDelivery from "../../src/telemetry/OtlpDelivery.js"
import * as Run from "../support/Run.js"

/** How the collector takes the next request. */
type Manner = number | "silence" | "absent"

/** A delivery to a collector that behaves as the test says, with what it was sent and what was logged. */
const world = (options: { readonly mostBytes?: number } = {}) =>
  Effect.gen(function* () {
    const sent: Array<string> = []
    const lines: Array<Record<string, unknown>> = []
    let manner: Manner = 200
    let retryAfter: string | undefined
    const client = HttpClient.make((request) =>
      Effect.suspend(() => {
        sent.push(new URL(request.url).pathname)
        if (manner === "silence") return Effect.never
        if (manner === "absent") {
          return Effect.fail(
            new HttpClientError.RequestError({ request, reason: "Transport", cause: "refused" })
          )
        }
        const headers = retryAfter === undefined ? {} : { "retry-after": retryAfter }
        return Effect.succeed(
          HttpClientResponse.fromWeb(request, new Response("{}", { status: manner, headers }))
        )
      })
    )
    const scope = yield* Scope.make()
    const { unsafeTake } = yield* OtlpDelivery.make({
      client,
      health: ExporterHealth.make("otlp", "http://collector"),
      patience: Duration.seconds(2),
      ...options
    }).pipe(Scope.extend(scope), Effect.provide(Run.collectLogs(lines)))
    return {
      sent,
      lines,
      logged: () => lines.map(({ event_type }) => event_type),
      answer: (next: Manner, after?: string) => {
        manner = next
        retryAfter = after
      },
      take: (name: string, of: Partial<OtlpDelivery.Export> = {}) =>
        Effect.zipRight(
          Effect.sync(() =>
            unsafeTake({
              what: "spans",
              count: 10,
              bytes: 100,
              request: HttpClientRequest.post(`http://collector/${name}`),
              ...of
            })
          ),
          TestClock.adjust(0)
        ),
      /** Closes it; gives how long that took, in milliseconds. */
      close: Effect.gen(function* () {
        const from = yield* Clock.currentTimeMillis
        const fiber = yield* Effect.fork(
          Effect.zipRight(Scope.close(scope, Exit.void), Clock.currentTimeMillis)
        )
        yield* TestClock.adjust(0)
        while (Option.isNone(yield* Fiber.poll(fiber))) yield* TestClock.adjust("250 millis")
        return (yield* Fiber.join(fiber)) - from
      })
    }
  })

const dropped = (what: string) =>
  Effect.map(Metric.value(Metric.tagged(ExporterHealth.droppedTotal, "what", what)), ({ count }) => count)

describe("exports", () => {
  it.effect("are delivered one after the other, as soon as they are there", () =>
    Effect.gen(function* () {
      const { close, logged, sent, take } = yield* world()
      yield* take("a")
      yield* take("b")
      assert.deepStrictEqual(sent, ["/a", "/b"])
      assert.strictEqual(yield* close, 0)
      assert.deepStrictEqual(logged(), [])
    })
  )

  it.effect("wait for a collector that is away, which is told once, and so is its return", () =>
    Effect.gen(function* () {
      const { answer, close, lines, logged, sent, take } = yield* world()
      answer("absent")
      yield* take("a")
      yield* take("b")
      assert.deepStrictEqual(sent, ["/a"])
      yield* TestClock.adjust("999 millis")
      assert.strictEqual(sent.length, 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(sent.length, 2)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(sent.length, 3)
      answer(503)
      yield* TestClock.adjust("10 minutes")
      // Half a minute between attempts at most, and at least when nothing else is said.
      assert.isAtLeast(sent.length, 20)
      assert.isAtMost(sent.length, 26)
      assert.deepStrictEqual(logged(), ["telemetry_failing"])
      assert.deepInclude(lines[0], {
        exporter: "otlp",
        to: "http://collector",
        reason: "the collector was not reached"
      })
      answer(200)
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(sent.slice(-2), ["/a", "/b"])
      assert.deepStrictEqual(logged(), ["telemetry_failing", "telemetry_restored"])
      assert.strictEqual(yield* close, 0)
    })
  )

  it.effect("wait as long as an overloaded collector asks", () =>
    Effect.gen(function* () {
      const { answer, close, sent, take } = yield* world()
      answer(429, "7")
      yield* take("a")
      yield* TestClock.adjust("6999 millis")
      assert.strictEqual(sent.length, 1)
      answer(200)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(sent.length, 2)
      assert.strictEqual(yield* close, 0)
    })
  )

  it.effect("that are refused are counted and not sent again", () =>
    Effect.gen(function* () {
      const before = yield* dropped("spans")
      const { answer, close, lines, sent, take } = yield* world()
      for (const status of [400, 401, 500]) {
        answer(status)
        yield* take(String(status))
      }
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(sent, ["/400", "/401", "/500"])
      assert.strictEqual((yield* dropped("spans")) - before, 30)
      answer(200)
      yield* take("a")
      assert.deepInclude(lines.at(-1), { event_type: "telemetry_restored", dropped: 30 })
      assert.strictEqual(lines.length, 2)
      assert.strictEqual(yield* close, 0)
    })
  )

  it.effect("take little memory: the oldest spans go, of metrics the newest stays", () =>
    Effect.gen(function* () {
      const before = yield* dropped("spans")
      const { answer, close, sent, take } = yield* world({ mostBytes: 350 })
      answer("absent")
      yield* take("on its way")
      for (const name of ["1", "2", "3", "4", "5"]) yield* take(name)
      yield* take("old metrics", { what: "metrics", count: 1, bytes: 50 })
      yield* take("metrics", { what: "metrics", count: 1, bytes: 50 })
      assert.strictEqual((yield* dropped("spans")) - before, 30)
      answer(200)
      sent.length = 0
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(sent, ["/3", "/4", "/5", "/metrics"])
      assert.strictEqual(yield* close, 0)
    })
  )
})

describe("the end", () => {
  it.effect("delivers what is left, though it has just been failing", () =>
    Effect.gen(function* () {
      const { answer, close, logged, sent, take } = yield* world()
      answer("absent")
      yield* take("a")
      yield* take("b")
      yield* TestClock.adjust("5 seconds")
      answer(200)
      sent.length = 0
      assert.strictEqual(yield* close, 0)
      assert.deepStrictEqual(sent, ["/a", "/b"])
      assert.deepStrictEqual(logged(), ["telemetry_failing", "telemetry_restored"])
    })
  )

  it.effect("scenario 18: waits for a collector that hangs no longer than it may", () =>
    Effect.gen(function* () {
      const before = yield* dropped("spans")
      const { answer, close, lines, logged, take } = yield* world()
      answer("silence")
      yield* take("a")
      yield* take("b")
      assert.strictEqual(yield* close, 2000)
      assert.deepStrictEqual(logged(), ["telemetry_undelivered"])
      assert.strictEqual(lines[0]?.dropped, 20)
      assert.strictEqual((yield* dropped("spans")) - before, 20)
    })
  )

  it.effect("scenario 18: waits for one that is away, or says 503, a quarter of a second", () =>
    Effect.gen(function* () {
      for (const manner of ["absent", 503] as const) {
        const { answer, close, logged, sent, take } = yield* world()
        answer("silence")
        yield* take("a")
        answer(manner)
        yield* TestClock.adjust("10 seconds")
        sent.length = 0
        assert.isAtMost(yield* close, 300)
        assert.isAtMost(sent.length, 2)
        assert.deepStrictEqual(logged(), ["telemetry_failing", "telemetry_undelivered"])
      }
    })
  )

  it.effect("is not held up by one that refuses everything", () =>
    Effect.gen(function* () {
      const { answer, close, logged, take } = yield* world()
      answer(500)
      yield* take("a")
      yield* take("b")
      assert.strictEqual(yield* close, 0)
      assert.deepStrictEqual(logged(), ["telemetry_failing"])
    })
  )
})
