/** Shutdowns that went wrong elsewhere, by their numbers, as far as they concern the library alone. */
import { assert, describe, it } from "@effect/vitest"
import * as ConfigError from "effect/ConfigError"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as ExitCode from "../../src/lifecycle/ExitCode.js"
import * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import * as StopReason from "../../src/lifecycle/StopReason.js"
import { part } from "../support/Part.js"
import * as Run from "../support/Run.js"

describe("scenario 11: asked twice, released once", () => {
  it.effect("stops, signals and closing a scope again change nothing", () =>
    Effect.gen(function* () {
      const marks: Array<string> = []
      const run = yield* Run.launch(part("database", marks, { release: Effect.sleep("1 second") }))
      for (let i = 0; i < 5; i++) yield* run.tell(StopReason.requested("again"))
      yield* TestClock.adjust("1 second")
      yield* run.report
      yield* run.tell(StopReason.requested("after the end"))
      yield* run.signal()
      assert.deepStrictEqual(marks, ["+database", "-database"])
      assert.deepStrictEqual(run.exitCodes, [0])
    })
  )

  it.effect("a named layer whose scope is closed while it is being released waits for that release", () =>
    Effect.gen(function* () {
      const marks: Array<string> = []
      const lifecycle = yield* Lifecycle.make(Duration.seconds(1))
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(part("alone", marks, { release: Effect.sleep("1 second") }), scope).pipe(
        Effect.provideService(Lifecycle.Lifecycle, lifecycle)
      )
      const [step] = lifecycle.internal.stopping.open
      const first = yield* Effect.fork(step!.close(Exit.void))
      const second = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("1 second")
      yield* first.await
      yield* second.await
      assert.deepStrictEqual(marks, ["+alone", "-alone"])
      assert.strictEqual(lifecycle.internal.stopping.open.size, 0)
    })
  )
})

describe("scenario 18: telemetry is flushed last, and a stalled exporter costs its limit and nothing else", () => {
  const service = (flush: Effect.Effect<void>, marks: Array<string>) =>
    part("http", marks).pipe(
      Layer.provide(part("database", marks)),
      Layer.provide(part("telemetry", marks, { release: flush, limit: "2 seconds" }))
    )

  it.effect("an exporter that works", () =>
    Effect.gen(function* () {
      const marks: Array<string> = []
      const run = yield* Run.launch(service(Effect.sleep("1500 millis"), marks))
      yield* run.signal()
      yield* TestClock.adjust("1500 millis")
      assert.strictEqual((yield* run.report).exitCode, 0)
      assert.deepStrictEqual(marks.slice(3), ["-http", "-database", "-telemetry"])
    })
  )

  it.effect("an exporter that stalls", () =>
    Effect.gen(function* () {
      const marks: Array<string> = []
      const run = yield* Run.launch(service(Effect.never, marks))
      yield* run.signal()
      yield* TestClock.adjust("2 seconds")
      const report = yield* run.report
      assert.deepStrictEqual(Run.ended(run), ["http", "database", "telemetry timed out"])
      assert.strictEqual(report.durationMillis, 2000)
      assert.strictEqual(report.exitCode, 3)
    })
  )
})

describe("scenario 20: the exit code tells how it went, and the highest that applies wins", () => {
  const fine = part("database", [])
  const failing = (error: Error) => part("database", [], { acquire: Effect.fail(error) })

  it.effect.each([
    ["clean", fine, StopReason.requested("done"), 0],
    ["a worker failed", fine, { _tag: "WorkerFailed", worker: "w", cause: Cause.fail("x") }, 1],
    [
      "an exception reached the process",
      fine,
      { _tag: "Uncaught", origin: "uncaughtException", error: "x" },
      1
    ],
    ["a release died", part("cache", [], { release: Effect.die("x") }), StopReason.requested("done"), 1],
    ["the start failed", failing(new Error("x")), undefined, 1],
    [
      "the configuration is wrong",
      failing(Object.assign(new Error("x"), { [ExitCode.symbol]: ExitCode.invalid })),
      undefined,
      2
    ],
    ["a release overran", part("cache", [], { release: Effect.never }), StopReason.requested("done"), 3],
    [
      "a worker failed and a release overran",
      part("cache", [], { release: Effect.never }),
      { _tag: "WorkerFailed", worker: "w", cause: Cause.fail("x") },
      3
    ]
  ] as ReadonlyArray<
    readonly [
      string,
      Layer.Layer<never, Error, Lifecycle.Lifecycle>,
      StopReason.StopReason | undefined,
      number
    ]
  >)("%s", ([, app, reason, code]) =>
    Effect.gen(function* () {
      const run = yield* Run.launch(app)
      if (reason !== undefined) yield* run.tell(reason)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* run.report).exitCode, code)
      assert.deepStrictEqual(run.exitCodes, [code])
    })
  )

  it("a ConfigError among the causes of a failed start is a wrong configuration, a defect a failure", () => {
    const config = Cause.fail(ConfigError.InvalidData(["KEY"], "no"))
    assert.strictEqual(ExitCode.ofCause(config), 2)
    assert.strictEqual(ExitCode.ofCause(Cause.parallel(config, Cause.fail(new Error("x")))), 2)
    assert.strictEqual(ExitCode.ofCause(Cause.die(new Error("x"))), 1)
    assert.strictEqual(ExitCode.ofCause(Cause.empty), 1)
  })
})

describe("law 9, truth", () => {
  it.effect("log lines, report and events tell of the same steps with the same outcomes", () =>
    Effect.gen(function* () {
      const lines: Array<Record<string, unknown>> = []
      const app = part("http", [], { release: Effect.die(new Error("bad")) }).pipe(
        Layer.provide(
          part("cache", [], { release: Effect.never, limit: "1 second" }).pipe(
            Layer.provide(part("database", []))
          )
        )
      )
      const run = yield* Effect.provide(Run.launch(app), Run.collectLogs(lines))
      yield* run.signal()
      yield* TestClock.adjust("1 second")
      const report = yield* run.report
      const outcomes = {
        shutdown_step_completed: "completed",
        shutdown_step_timed_out: "timed_out",
        shutdown_step_failed: "failed"
      }
      const logged = lines.flatMap((line) => {
        const outcome = outcomes[line.event_type as keyof typeof outcomes]
        return outcome === undefined ? [] : [{ kind: line.kind, name: line.step, outcome }]
      })
      assert.deepStrictEqual(
        logged,
        report.steps.map(({ kind, name, outcome }) => ({ kind, name, outcome }))
      )
      assert.deepStrictEqual(
        report.phases.map(({ phase }) => phase),
        lines.flatMap((line) =>
          line.event_type === "shutdown_phase" ? [String(line.message).replace("phase ", "")] : []
        )
      )
      const end = lines.find((line) => line.event_type === "shutdown_completed")
      assert.deepInclude(end, { exit_code: report.exitCode, duration_ms: report.durationMillis })
    })
  )

  it.effect("readiness turns with the phase, before anyone is told to drain", () =>
    Effect.gen(function* () {
      const seen: Array<readonly [string, boolean]> = []
      const watch = Layer.scopedDiscard(
        Effect.flatMap(Lifecycle.Lifecycle, (lifecycle) =>
          lifecycle.subscribe((event) =>
            event._tag === "PhaseChanged"
              ? Effect.map(lifecycle.readiness.status, ({ ready }) => void seen.push([event.phase, ready]))
              : Effect.void
          )
        )
      )
      const run = yield* Run.launch(part("database", []).pipe(Layer.provide(watch)))
      yield* run.signal()
      yield* run.report
      assert.deepStrictEqual(seen, [
        ["ready", true],
        ["announcing", false],
        ["draining", false],
        ["releasing", false]
      ])
    })
  )
})
