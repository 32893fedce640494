import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import type { Hook } from "../../src/lifecycle/Hooks.js"
import * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import { part } from "../support/Part.js"
import * as Run from "../support/Run.js"

const hook = (marks: Array<string>, name: string, options: Partial<Hook> = {}) =>
  Layer.effectDiscard(
    Effect.flatMap(Lifecycle.Lifecycle, (lifecycle) =>
      lifecycle.addHook({
        name,
        when: "before-release",
        limit: Duration.seconds(1),
        run: () => {
          marks.push(name)
        },
        ...options
      })
    )
  )

const inOrder = (...layers: ReadonlyArray<Layer.Layer<never, never, Lifecycle.Lifecycle>>) =>
  layers.reduce((first, second) => Layer.provideMerge(second, first))

describe("hooks", () => {
  it.effect("run around the graph's release, sync and async, each kind in reverse order", () =>
    Effect.gen(function* () {
      const marks: Array<string> = []
      const hooks = inOrder(
        hook(marks, "first", { when: "after-release" }),
        hook(marks, "second", { when: "after-release", run: async () => void marks.push("second") }),
        hook(marks, "third"),
        hook(marks, "fourth", { run: Effect.sync(() => marks.push("fourth")) })
      )
      const run = yield* Run.launch(part("database", marks).pipe(Layer.provide(hooks)))
      yield* run.signal()
      assert.strictEqual((yield* run.report).exitCode, 0)
      assert.deepStrictEqual(marks, ["+database", "fourth", "third", "-database", "second", "first"])
    })
  )

  it.effect("that fail, throw, reject or hang do not stop the others", () =>
    Effect.gen(function* () {
      const marks: Array<string> = []
      const hooks = inOrder(
        hook(marks, "last"),
        hook(marks, "throws", {
          run: () => {
            throw new Error("thrown")
          }
        }),
        hook(marks, "rejects", { run: () => Promise.reject(new Error("rejected")) }),
        hook(marks, "hangs", { run: () => new Promise(() => {}) })
      )
      const run = yield* Run.launch(part("database", marks).pipe(Layer.provide(hooks)))
      yield* run.signal()
      yield* TestClock.adjust(999)
      assert.deepStrictEqual(marks, ["+database"])
      yield* TestClock.adjust(1)
      const report = yield* run.report
      assert.deepStrictEqual(marks, ["+database", "last", "-database"])
      assert.deepStrictEqual(
        report.steps.filter(({ kind }) => kind === "hook").map(({ name, outcome }) => [name, outcome]),
        [
          ["hangs", "timed_out"],
          ["rejects", "failed"],
          ["throws", "failed"],
          ["last", "completed"]
        ]
      )
      assert.strictEqual(report.exitCode, 3)
    })
  )

  it.effect("law 3: what comes after the graph keeps its time, however long the graph hangs", () =>
    Effect.gen(function* () {
      const marks: Array<string> = []
      const late = hook(marks, "late", {
        when: "after-release",
        limit: Duration.seconds(3),
        run: Effect.sleep("2900 millis")
      })
      const stuck = Layer.scopedDiscard(Effect.addFinalizer(() => Effect.never))
      const run = yield* Run.launch(stuck.pipe(Layer.provide(part("database", marks)), Layer.provide(late)), {
        whole: "20 seconds"
      })
      yield* run.signal()
      yield* TestClock.adjust("12 seconds")
      assert.deepStrictEqual(Run.ended(run), ["database"])
      yield* TestClock.adjust("8 seconds")
      const report = yield* run.report
      const step = report.steps.find(({ name }) => name === "late")
      assert.deepInclude(step, { startMillis: 17_000, durationMillis: 2900, outcome: "completed" })
      assert.strictEqual(report.durationMillis, 19_900)
    })
  )

  it.effect("law 5: a second signal starts all that are left at once", () =>
    Effect.gen(function* () {
      const marks: Array<string> = []
      const hooks = inOrder(
        hook(marks, "after", { when: "after-release", run: Effect.sync(() => marks.push("after")) }),
        hook(marks, "before", { limit: Duration.seconds(5) }),
        hook(marks, "stuck", { limit: Duration.seconds(5), run: Effect.never })
      )
      const run = yield* Run.launch(part("database", marks).pipe(Layer.provide(hooks)))
      yield* run.signal()
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(marks, ["+database"])
      yield* run.signal()
      assert.sameMembers(marks, ["+database", "before", "-database", "after"])
      yield* TestClock.adjust("1 second")
      const report = yield* run.report
      assert.strictEqual(report.durationMillis, 2000)
      assert.includeMembers([...report.forcedOpen!], ["stuck (hook)", "database"])
      assert.strictEqual(report.exitCode, 3)
    })
  )
})

describe("law 3, reserve", () => {
  const quiesce = (limit: Duration.DurationInput, run: Effect.Effect<void>) =>
    Layer.scopedDiscard(
      Effect.flatMap(Lifecycle.Lifecycle, (lifecycle) =>
        lifecycle.addQuiesce({ name: "http", limit: Duration.decode(limit), run })
      )
    )

  it.effect(
    "a graph whose longest path does not fit into SHUTDOWN_TIMEOUT is refused before it is ready, with the sum",
    () =>
      Effect.gen(function* () {
        const marks: Array<string> = []
        const app = quiesce("4 seconds", Effect.void).pipe(
          Layer.provide(
            part("cache", marks, { limit: "3 seconds" }).pipe(Layer.provide(part("database", marks)))
          ),
          Layer.provide(hook(marks, "tell", { limit: Duration.seconds(2) }))
        )
        const run = yield* Run.launch(app, { whole: "12 seconds", announceDelay: Duration.zero })
        const report = yield* run.report
        assert.include(
          report.reason,
          "SHUTDOWN_TIMEOUT=12 s is too short for this service: 0 s announce + 4 s longest quiesce + 2 s hooks before + " +
            "8 s longest chain of releases + 0 s hooks after = 14 s"
        )
        assert.strictEqual(report.exitCode, 2)
        assert.isFalse(run.events.some((event) => event._tag === "PhaseChanged" && event.phase === "ready"))
        assert.deepStrictEqual(marks.slice(0, 2).concat(marks.slice(-2)), [
          "+database",
          "+cache",
          "-cache",
          "-database"
        ])
      })
  )

  it.effect("the same graph is accepted where the whole is not set: it is as long as the longest path", () =>
    Effect.gen(function* () {
      const run = yield* Run.launch(
        quiesce("2 minutes", Effect.never).pipe(Layer.provide(part("database", [])))
      )
      yield* run.signal()
      yield* TestClock.adjust("2 minutes")
      const report = yield* run.report
      assert.strictEqual(report.wholeMillis, 125_000)
      assert.deepStrictEqual(Run.ended(run), ["database"])
    })
  )

  it.effect("a drain that overruns leaves every release its limit", () =>
    Effect.gen(function* () {
      const slow = { release: Effect.sleep("4900 millis") }
      const run = yield* Run.launch(
        quiesce("10 seconds", Effect.never).pipe(
          Layer.provide(part("cache", [], slow).pipe(Layer.provide(part("database", [], slow))))
        ),
        { whole: "20 seconds" }
      )
      yield* run.signal()
      yield* TestClock.adjust("10 seconds")
      yield* TestClock.adjust("4900 millis")
      yield* TestClock.adjust("4900 millis")
      yield* run.report
      assert.deepStrictEqual(Run.ended(run), ["cache", "database"])
    })
  )
})

describe("SHUTDOWN_FORCE_AFTER_TIMEOUT=false", () => {
  it.effect("the whole limit only warns, once a second, with what is open", () =>
    Effect.gen(function* () {
      const unnamed = Layer.scopedDiscard(Effect.addFinalizer(() => Effect.sleep("23 seconds")))
      const run = yield* Run.launch(unnamed.pipe(Layer.provide(part("database", []))), {
        whole: "20 seconds",
        forceAfterTimeout: false
      })
      yield* run.signal()
      yield* TestClock.adjust("22 seconds")
      assert.isFalse(yield* run.isOver)
      yield* TestClock.adjust("1 second")
      const report = yield* run.report
      assert.strictEqual(report.exitCode, 0)
      const warnings = run.events.flatMap((event) => (event._tag === "StopOverdue" ? [event] : []))
      assert.deepStrictEqual(
        warnings.map(({ overdueMillis }) => overdueMillis),
        [0, 1000, 2000, 3000].slice(0, warnings.length)
      )
      assert.isAtLeast(warnings.length, 3)
      assert.deepStrictEqual(warnings[0]!.open, ["database"])
    })
  )
})
