/** Sentry's client against a stub of the endpoint that takes envelopes. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as ErrorReports from "../../src/telemetry/ErrorReports.js"
import * as SentryReports from "../../src/telemetry/SentryReports.js"
import * as Collector from "../support/Collector.js"
import * as Run from "../support/Run.js"

const about = (message: string, data: Record<string, unknown> = {}): ErrorReports.About => ({
  message,
  level: "error",
  data
})

/** Reports to a stub that answers so; `close` gives how long closing took, in milliseconds. */
const open = (manner: Collector.Manner, patience: Duration.DurationInput) =>
  Effect.gen(function* () {
    const lines: Array<Record<string, unknown>> = []
    const stub = yield* Effect.acquireRelease(
      Effect.promise(() => Collector.open(manner)),
      ({ close }) => Effect.promise(close)
    )
    const scope = yield* Scope.make()
    const context = yield* SentryReports.layer({
      project: { dsn: Redacted.make(stub.dsn), where: "stub" },
      environment: "test",
      version: "1.2.3",
      patience: Duration.decode(patience)
    }).pipe(
      Layer.provide(FetchHttpClient.layer),
      Layer.provide(Run.collectLogs(lines)),
      Layer.buildWithScope(scope)
    )
    const close = Effect.gen(function* () {
      const from = yield* Clock.currentTimeMillis
      yield* Scope.close(scope, Exit.void)
      return (yield* Clock.currentTimeMillis) - from
    })
    return { stub, lines, close, ...Context.get(context, ErrorReports.ErrorReports) }
  })

describe("a report to Sentry", () => {
  it.scopedLive("has the error with its stack, where it happened, and no secret", () =>
    Effect.gen(function* () {
      const { close, lines, report, stub } = yield* open(200, "10 seconds")
      const secret = "hunter2hunter2"
      const cause = Cause.die(new TypeError(`redis://a:${secret}@b is broken`))
      yield* report(cause, about("request died", { component: "http", path: "/api", cookie: secret }))
      yield* report(Cause.empty, about("Ingestion is halted", { reason: "chain" }))
      yield* close
      const [died, halted] = stub.events
      assert.deepInclude(died?.tags, { what: "request died", component: "http" })
      assert.deepInclude(died?.extra, { path: "/api" })
      assert.deepInclude(died, { level: "error", environment: "test", release: "stellar-insights@1.2.3" })
      const [exception] = died?.exceptions ?? []
      assert.deepInclude(exception, { type: "TypeError", value: "redis://[redacted]@b is broken" })
      assert.isAbove(exception?.frames ?? 0, 0)
      assert.strictEqual(halted?.message, "Ingestion is halted")
      assert.deepStrictEqual(halted?.exceptions, [])
      assert.isFalse(stub.bodies.some((body) => body.includes(secret)))
      assert.deepStrictEqual(lines, [])
    })
  )

  it.scopedLive("holds nobody up when there is no answer, and that is told once", () =>
    Effect.gen(function* () {
      const { close, lines, report } = yield* open("silence", "200 millis")
      for (const name of ["a", "b", "c"]) yield* report(Cause.empty, about(name))
      const took = yield* close
      assert.isAtLeast(took, 150)
      assert.isBelow(took, 5000)
      assert.deepStrictEqual(
        lines.map(({ dropped, event_type }) => ({ dropped, event_type })),
        [{ event_type: "telemetry_undelivered", dropped: 3 }]
      )
    })
  )

  it.scopedLive("that is refused is given up, which is told once", () =>
    Effect.gen(function* () {
      const { close, lines, report } = yield* open(500, "10 seconds")
      for (const name of ["a", "b", "c"]) yield* report(Cause.empty, about(name))
      yield* close
      assert.deepStrictEqual(
        lines.map(({ event_type, reason }) => ({ event_type, reason })),
        [{ event_type: "telemetry_failing", reason: "the answer was 500" }]
      )
    })
  )
})
