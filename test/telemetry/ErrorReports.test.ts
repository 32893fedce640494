import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import type { LifecycleEvent } from "../../src/lifecycle/LifecycleEvent.js"
import * as ErrorReports from "../../src/telemetry/ErrorReports.js"

/** Runs something that logs and has a life; gives the reports of it. */
const observe = <A>(run: (lifecycle: Lifecycle.Shape) => Effect.Effect<A>) =>
  Effect.gen(function* () {
    const reports: Array<ErrorReports.Report> = []
    const lifecycle = yield* Lifecycle.make(Duration.seconds(5))
    const layer = ErrorReports.observing.pipe(
      Layer.provide(
        Layer.succeed(
          ErrorReports.ErrorReports,
          ErrorReports.make((report) => void reports.push(report), Effect.void)
        )
      ),
      Layer.provide(Layer.succeed(Lifecycle.Lifecycle, lifecycle))
    )
    yield* Effect.provide(run(lifecycle), layer)
    return reports
  })

const brief = ({ failure, level, message }: ErrorReports.Report) =>
  `${level} ${message}${Option.match(failure, { onNone: () => "", onSome: (each) => `: ${each.message}` })}`

describe("a log line", () => {
  it.effect("of an error is a report, with its cause and annotations; others are none", () =>
    Effect.gen(function* () {
      const reports = yield* observe(() =>
        Effect.gen(function* () {
          yield* Effect.logInfo("all is well")
          yield* Effect.logWarning("less well", Cause.fail("hm"))
          yield* Effect.logError("request died", Cause.die(new Error("broken"))).pipe(
            Effect.annotateLogs({ path: "/api/ledgers", amount: 12n })
          )
          yield* Effect.logError("Ingestion is halted").pipe(Effect.annotateLogs({ reason: "chain" }))
          yield* Effect.logFatal("worse")
        })
      )
      assert.deepStrictEqual(reports.map(brief), [
        "error request died: broken",
        "error Ingestion is halted",
        "fatal worse"
      ])
      assert.deepStrictEqual(reports[0]?.data, { path: "/api/ledgers", amount: "12" })
      assert.match(reports[0]?.cause ?? "", /broken/)
    })
  )

  it.effect("of telemetry itself is none, nor of a stop, nor one of an interruption", () =>
    Effect.gen(function* () {
      const reports = yield* observe(() =>
        Effect.gen(function* () {
          yield* Effect.annotateLogs(Effect.logError("telemetry is not delivered"), "component", "telemetry")
          yield* Effect.annotateLogs(Effect.logError("release failed"), {
            component: "lifecycle",
            event_type: "shutdown_step_failed"
          })
          yield* Effect.logError("request died", Cause.empty, Cause.interrupt(yield* Effect.fiberId))
        })
      )
      assert.deepStrictEqual(reports, [])
    })
  )

  it.effect("about the run before is a report where that one had no time for it", () =>
    Effect.gen(function* () {
      const line = (event_type: string, more: Record<string, unknown> = {}) =>
        Effect.annotateLogs(Effect.logWarning(event_type), { component: "lifecycle", event_type, ...more })
      const reports = yield* observe(() =>
        Effect.gen(function* () {
          yield* line("last_run_crashed")
          yield* line("last_run_killed")
          yield* line("last_run_stopped", { exit_code: 3, reason: "SIGTERM" })
          yield* line("last_run_stopped", { exit_code: 1, reason: "worker ledger-ingestion failed: broken" })
          yield* Effect.annotateLogs(Effect.logWarning("no port"), {
            event_type: "last_run_stopped",
            exit_code: 1,
            reason: "start failed: no port"
          })
        })
      )
      assert.deepStrictEqual(reports.map(brief), [
        "warning last_run_crashed",
        "warning last_run_killed",
        "warning last_run_stopped",
        "warning no port"
      ])
    })
  )

  it.effect("has no secret in its report", () =>
    Effect.gen(function* () {
      const secret = "hunter2hunter2"
      const reports = yield* observe(() =>
        Effect.logError(
          `redis://a:${secret}@b`,
          Cause.die(new Error(`Bearer ${secret}`, { cause: new Error(`token=${secret}`) }))
        ).pipe(Effect.annotateLogs({ url: `https://${secret}@c/`, password: secret }))
      )
      assert.strictEqual(reports.length, 1)
      assert.notInclude(JSON.stringify(reports), secret)
    })
  )
})

describe("a stop", () => {
  const events: ReadonlyArray<Lifecycle.Unstamped<LifecycleEvent>> = [
    { _tag: "StopInitiated", reason: { _tag: "Signal", signal: "SIGTERM" }, wholeMillis: 1000 },
    {
      _tag: "StopInitiated",
      reason: { _tag: "Uncaught", origin: "uncaughtException", error: new Error("thrown") },
      wholeMillis: 1000
    },
    {
      _tag: "StopInitiated",
      reason: { _tag: "WorkerFailed", worker: "ledger-ingestion", cause: Cause.fail(new Error("worn out")) },
      wholeMillis: 1000
    },
    { _tag: "StepCompleted", step: { kind: "release", name: "database" }, durationMillis: 1 },
    { _tag: "StepFailed", step: { kind: "release", name: "database" }, durationMillis: 1, error: "no room" },
    { _tag: "StepTimedOut", step: { kind: "quiesce", name: "http" }, durationMillis: 1, limitMillis: 1 },
    { _tag: "StopRepeated", reason: { _tag: "Signal", signal: "SIGTERM" }, open: ["http"] },
    { _tag: "StopForced", open: ["http"] }
  ]

  it.effect("is reported where it fails, and by its events", () =>
    Effect.gen(function* () {
      const reports = yield* observe(({ emit }) => Effect.forEach(events, emit, { discard: true }))
      assert.deepStrictEqual(reports.map(brief), [
        "fatal the service stops with a failure: thrown",
        "fatal the service stops with a failure: worn out",
        "error release database failed",
        "error quiesce http timed out",
        "warning a second signal cut a stop short",
        "error a stop was forced"
      ])
      assert.include(JSON.stringify(reports[2]?.data), "no room")
    })
  )
})

describe("many reports", () => {
  it.effect("of the same are one a minute, which says how many there were", () =>
    Effect.gen(function* () {
      const reports = yield* observe(() =>
        Effect.gen(function* () {
          const fail = Effect.logError("request died", Cause.die(new Error("broken")))
          for (let i = 0; i < 100; i++) yield* fail
          yield* Effect.logError("request died", Cause.die(new Error("otherwise")))
          yield* TestClock.adjust("1 minute")
          yield* fail
        })
      )
      assert.deepStrictEqual(
        reports.map((report) => `${brief(report)} ${report.omitted}`),
        ["error request died: broken 0", "error request died: otherwise 0", "error request died: broken 99"]
      )
    })
  )

  it.effect("of all kinds are thirty a minute", () =>
    Effect.gen(function* () {
      const reports = yield* observe(() =>
        Effect.gen(function* () {
          for (let i = 0; i < 1000; i++) yield* Effect.logError(`failure ${i}`)
          yield* TestClock.adjust("1 minute")
          for (let i = 0; i < 40; i++) yield* Effect.logError(`failure ${i}`)
        })
      )
      assert.strictEqual(reports.length, 60)
    })
  )
})
