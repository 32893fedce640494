import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import * as Resource from "../../src/lifecycle/Resource.js"
import * as StopReason from "../../src/lifecycle/StopReason.js"
import * as Task from "../../src/lifecycle/Task.js"
import { part } from "../support/Part.js"
import * as Run from "../support/Run.js"

const quiesce = (
  name: string,
  run: Effect.Effect<void, unknown>,
  limit: Duration.DurationInput = "5 seconds"
) =>
  Layer.scopedDiscard(
    Effect.flatMap(Lifecycle.Lifecycle, (lifecycle) =>
      lifecycle.addQuiesce({ name, limit: Duration.decode(limit), run })
    )
  )

describe("law 1, order", () => {
  it.effect("a resource is released after everything that was built on it, siblings together", () =>
    Effect.gen(function* () {
      const marks: Array<string> = []
      const slow = Effect.sleep("1 second")
      const database = part("database", marks)
      const tasks = part("tasks", marks, { release: slow }).pipe(Layer.provide(database))
      const cache = part("cache", marks, { release: slow }).pipe(Layer.provide(database))
      const http = part("http", marks, { release: slow }).pipe(Layer.provide([tasks, cache]))
      const run = yield* Run.launch(http)
      assert.strictEqual(marks[0], "+database")
      assert.strictEqual(marks.at(-1), "+http")
      yield* run.signal()
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(Run.ended(run), ["http"])
      yield* TestClock.adjust("1 second")
      const report = yield* run.report
      assert.deepStrictEqual(Run.ended(run).slice(1, 3).toSorted(), ["cache", "tasks"])
      assert.strictEqual(Run.ended(run).at(-1), "database")
      // Side by side: two seconds for three releases of one second each.
      assert.strictEqual(report.durationMillis, 2000)
      assert.strictEqual(report.exitCode, 0)
    })
  )

  it.effect("what a given-up acquisition yields later is released on arrival, before what it needs", () =>
    Effect.gen(function* () {
      const marks: Array<string> = []
      const stubborn = Resource.named("stubborn", { limit: Duration.seconds(2) })(
        Layer.scopedDiscard(
          Effect.acquireRelease(
            Effect.zipRight(
              Effect.sleep("10 seconds"),
              Effect.sync(() => marks.push("+stubborn"))
            ),
            () => Effect.sync(() => marks.push("-stubborn"))
          )
        )
      )
      const run = yield* Run.launch(stubborn.pipe(Layer.provideMerge(part("base", marks))))
      yield* run.signal()
      yield* TestClock.adjust("2 seconds")
      const report = yield* run.report
      assert.deepStrictEqual(report.acquisitionsGivenUp, ["stubborn"])
      assert.deepStrictEqual(marks, ["+base", "-base"])
      yield* TestClock.adjust("8 seconds")
      assert.deepStrictEqual(marks, ["+base", "-base", "+stubborn", "-stubborn"])
    })
  )
})

describe("law 2, bounds", () => {
  it.effect(
    "a release that hangs is named and given up at its limit, to the millisecond; the rest goes on",
    () =>
      Effect.gen(function* () {
        const marks: Array<string> = []
        const run = yield* Run.launch(
          part("cache", marks, { release: Effect.never, limit: "3 seconds" }).pipe(
            Layer.provide(part("database", marks))
          )
        )
        yield* run.signal()
        yield* TestClock.adjust(2999)
        assert.isFalse(yield* run.isOver)
        assert.deepStrictEqual(marks, ["+database", "+cache"])
        yield* TestClock.adjust(1)
        const report = yield* run.report
        assert.deepStrictEqual(Run.ended(run), ["cache timed out", "database"])
        assert.deepStrictEqual(marks, ["+database", "+cache", "-database"])
        assert.strictEqual(report.durationMillis, 3000)
        assert.strictEqual(report.exitCode, 3)
        assert.deepStrictEqual(run.exitCodes, [3])
      })
  )

  it.effect("what overruns is asked to stop: interruption reaches the parts that allow it", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const hang = (name: string) =>
        Effect.interruptible(Effect.onInterrupt(Effect.never, () => Effect.sync(() => asked.push(name))))
      const run = yield* Run.launch(
        Layer.mergeAll(
          quiesce("requests", hang("requests"), "4 seconds"),
          part("cache", [], { release: hang("cache"), limit: "1 second" })
        )
      )
      yield* run.signal()
      yield* TestClock.adjust("4 seconds")
      assert.deepStrictEqual(asked, ["requests"])
      yield* TestClock.adjust("1 second")
      yield* run.report
      assert.deepStrictEqual(asked, ["requests", "cache"])
    })
  )

  it.effect(
    "an unnamed finalizer that hangs does not outlast the whole, and named ones behind it get their time",
    () =>
      Effect.gen(function* () {
        const marks: Array<string> = []
        const unnamed = Layer.scopedDiscard(Effect.addFinalizer(() => Effect.never))
        const run = yield* Run.launch(
          unnamed.pipe(
            Layer.provide(part("database", marks, { release: Effect.sleep("2 seconds"), limit: "3 seconds" }))
          ),
          { whole: "20 seconds" }
        )
        yield* run.signal()
        yield* TestClock.adjust(16_999)
        assert.deepStrictEqual(marks, ["+database"])
        yield* TestClock.adjust(2001)
        assert.deepStrictEqual(marks, ["+database", "-database"])
        yield* TestClock.adjust(1000)
        const report = yield* run.report
        assert.strictEqual(report.durationMillis, 20_000)
        assert.deepStrictEqual(report.forcedOpen, [])
        assert.strictEqual(report.exitCode, 3)
      })
  )

  it.effect("an acquisition is bounded by STARTUP_TIMEOUT and named", () =>
    Effect.gen(function* () {
      const marks: Array<string> = []
      const run = yield* Run.launch(
        part("lake", marks, { acquire: Effect.never }).pipe(Layer.provide(part("database", marks))),
        { startup: "10 seconds" }
      )
      yield* TestClock.adjust(9999)
      assert.isFalse(yield* run.isOver)
      yield* TestClock.adjust(1)
      const report = yield* run.report
      assert.include(report.reason, "lake was not acquired within STARTUP_TIMEOUT")
      assert.strictEqual(report.exitCode, 1)
      assert.deepStrictEqual(marks, ["+database", "-database"])
    })
  )
})

describe("law 4, isolation", () => {
  it.effect("what fails or dies while stopping is recorded and stops nothing", () =>
    Effect.gen(function* () {
      const marks: Array<string> = []
      const run = yield* Run.launch(
        Layer.merge(
          Layer.mergeAll(
            quiesce("failing", Effect.fail("no")),
            quiesce("dying", Effect.die(new Error("boom"))),
            quiesce("fine", Effect.void)
          ),
          part("http", marks, { release: Effect.die(new Error("bad release")) }).pipe(
            Layer.provide(part("database", marks))
          )
        )
      )
      yield* run.signal()
      const report = yield* run.report
      assert.sameMembers([...Run.ended(run, "quiesce")], ["failing failed", "dying failed", "fine"])
      assert.deepStrictEqual(Run.ended(run), ["http failed", "database"])
      assert.include(report.steps.find((step) => step.name === "http")?.error, "bad release")
      assert.strictEqual(report.exitCode, 1)
    })
  )

  it.effect("a subscriber that dies does not stop the stop", () =>
    Effect.gen(function* () {
      const marks: Array<string> = []
      const rude = Layer.scopedDiscard(
        Effect.flatMap(Lifecycle.Lifecycle, (lifecycle) => lifecycle.subscribe(() => Effect.die("rude")))
      )
      const run = yield* Run.launch(part("database", marks).pipe(Layer.provide(rude)))
      yield* run.signal()
      assert.strictEqual((yield* run.report).exitCode, 0)
      assert.deepStrictEqual(marks, ["+database", "-database"])
    })
  )
})

describe("law 5, once", () => {
  it.effect("a second signal starts every release that is left; they share one second; the code is 3", () =>
    Effect.gen(function* () {
      const marks: Array<string> = []
      const run = yield* Run.launch(
        quiesce("http", Effect.never, "30 seconds").pipe(
          Layer.provideMerge(
            part("cache", marks, { release: Effect.never }).pipe(Layer.provide(part("database", marks)))
          )
        )
      )
      yield* run.signal()
      yield* TestClock.adjust("10 seconds")
      yield* run.signal()
      yield* run.signal()
      assert.include(marks, "-database")
      yield* TestClock.adjust(999)
      assert.isFalse(yield* run.isOver)
      yield* TestClock.adjust(1)
      const report = yield* run.report
      assert.strictEqual(report.durationMillis, 11_000)
      assert.strictEqual(report.exitCode, 3)
      assert.deepStrictEqual(marks, ["+database", "+cache", "-database"])
    })
  )

  it.effect("a programmatic stop, an interruption and a signal release everything once", () =>
    Effect.gen(function* () {
      const marks: Array<string> = []
      const run = yield* Run.launch(part("database", marks, { release: Effect.sleep("1 second") }))
      yield* run.tell(StopReason.requested("a test"))
      yield* run.interrupt
      yield* run.signal()
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(marks, ["+database", "-database"])
      assert.deepStrictEqual(run.exitCodes, [0])
      assert.strictEqual(run.events.filter((event) => event._tag === "StopInitiated").length, 1)
    })
  )
})

describe("interruption of the launch", () => {
  it.effect("is a stop like any other: it is announced, drained and released, each in its time", () =>
    Effect.gen(function* () {
      const marks: Array<string> = []
      const app = quiesce("http", Effect.sleep("2 seconds")).pipe(
        Layer.provide(part("database", marks, { release: Effect.sleep("1 second") }))
      )
      const run = yield* Run.launch(app, { announceDelay: Duration.seconds(5) })
      yield* run.interrupt
      yield* TestClock.adjust(7999)
      assert.isFalse(yield* run.isOver)
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(marks, ["+database", "-database"])
      assert.deepStrictEqual(run.exitCodes, [0])
      assert.deepStrictEqual(Run.ended(run, "quiesce"), ["http"])
    })
  )
})

describe("law 6, start-up", () => {
  it.effect(
    "a signal during start-up releases exactly what was acquired, in reverse, and never gets ready",
    () =>
      Effect.gen(function* () {
        const marks: Array<string> = []
        const run = yield* Run.launch(
          part("http", marks).pipe(
            Layer.provide(part("lake", marks, { acquire: Effect.sleep("5 seconds") })),
            Layer.provide(part("cache", marks)),
            Layer.provide(part("database", marks))
          )
        )
        yield* TestClock.adjust("1 second")
        yield* run.signal()
        const report = yield* run.report
        assert.deepStrictEqual(marks, ["+database", "+cache", "-cache", "-database"])
        assert.deepStrictEqual(
          report.phases.map((p) => p.phase),
          ["releasing", "stopped"]
        )
        assert.strictEqual(report.exitCode, 0)
      })
  )

  it.effect("an acquisition that cannot be interrupted may finish, and what it yields is released", () =>
    Effect.gen(function* () {
      const marks: Array<string> = []
      const run = yield* Run.launch(
        part("database", marks, { acquire: Effect.sleep("3 seconds"), stubborn: true })
      )
      yield* TestClock.adjust("1 second")
      yield* run.signal()
      assert.isFalse(yield* run.isOver)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* run.report).exitCode, 0)
      assert.deepStrictEqual(marks, ["+database", "-database"])
    })
  )

  it.effect("scenario 10: an unnamed acquisition that stalls for ever does not keep named resources", () =>
    Effect.gen(function* () {
      const marks: Array<string> = []
      const stalled = Layer.effectDiscard(Effect.uninterruptible(Effect.never))
      const run = yield* Run.launch(
        stalled.pipe(Layer.provide(part("cache", marks)), Layer.provide(part("database", marks))),
        { whole: "20 seconds" }
      )
      yield* run.signal()
      yield* TestClock.adjust("20 seconds")
      const report = yield* run.report
      assert.deepStrictEqual(marks, ["+database", "+cache", "-cache", "-database"])
      assert.strictEqual(report.exitCode, 3)
    })
  )

  it.effect("a failed start releases what was acquired and says why", () =>
    Effect.gen(function* () {
      const marks: Array<string> = []
      const run = yield* Run.launch(
        part("lake", marks, { acquire: Effect.fail(new Error("no such lake")) }).pipe(
          Layer.provide(part("database", marks))
        )
      )
      const report = yield* run.report
      assert.strictEqual(report.reason, "start failed: no such lake")
      assert.deepStrictEqual(marks, ["+database", "-database"])
      assert.strictEqual(report.exitCode, 1)
    })
  )
})

describe("law 8, work is finished or still there", () => {
  const worker = (marks: Array<string>, unit: Effect.Effect<void>) =>
    Layer.scopedDiscard(
      Task.run({
        name: "worker",
        limit: Duration.seconds(10),
        next: Effect.sleep("1 minute"),
        unit: () =>
          Effect.sync(() => marks.push("begin")).pipe(
            Effect.zipRight(unit),
            Effect.zipRight(Effect.sync(() => marks.push("commit"))),
            Effect.onInterrupt(() => Effect.sync(() => marks.push("rollback")))
          )
      })
    )
  const service = (marks: Array<string>, unit: Effect.Effect<void>) =>
    Resource.named("worker", { limit: Duration.seconds(5) })(worker(marks, unit)).pipe(
      Layer.provide(part("database", marks))
    )

  it.effect("a unit under way finishes, and no other begins", () =>
    Effect.gen(function* () {
      const marks: Array<string> = []
      const run = yield* Run.launch(service(marks, Effect.sleep("4 seconds")))
      yield* TestClock.adjust("61 seconds")
      assert.deepStrictEqual(marks, ["+database", "begin"])
      yield* run.signal()
      yield* TestClock.adjust("2 seconds")
      assert.isFalse(yield* run.isOver)
      yield* TestClock.adjust("1 second")
      const report = yield* run.report
      assert.deepStrictEqual(marks, ["+database", "begin", "commit", "-database"])
      assert.strictEqual(report.exitCode, 0)
    })
  )

  it.effect("a pause ends at once", () =>
    Effect.gen(function* () {
      const marks: Array<string> = []
      const run = yield* Run.launch(service(marks, Effect.void))
      yield* TestClock.adjust("30 seconds")
      yield* run.signal()
      const report = yield* run.report
      assert.strictEqual(report.durationMillis, 0)
      assert.deepStrictEqual(marks, ["+database", "-database"])
    })
  )

  it.effect("a unit that outlasts its limit is cut, and is undone before the database closes", () =>
    Effect.gen(function* () {
      const marks: Array<string> = []
      const run = yield* Run.launch(service(marks, Effect.sleep("1 hour")))
      yield* TestClock.adjust("61 seconds")
      yield* run.signal()
      yield* TestClock.adjust(9999)
      assert.deepStrictEqual(marks, ["+database", "begin"])
      yield* TestClock.adjust(1)
      const report = yield* run.report
      assert.deepStrictEqual(marks, ["+database", "begin", "rollback", "-database"])
      assert.strictEqual(report.exitCode, 3)
    })
  )

  it.effect("a worker that fails stops the service with code 1", () =>
    Effect.gen(function* () {
      const marks: Array<string> = []
      const run = yield* Run.launch(service(marks, Effect.die(new Error("broken"))))
      yield* TestClock.adjust("1 minute")
      const report = yield* run.report
      assert.strictEqual(report.reason, "worker worker failed: broken")
      assert.strictEqual(report.exitCode, 1)
      assert.strictEqual(marks.at(-1), "-database")
    })
  )
})

describe("law 10, time is a service", () => {
  it.effect("a drain of half a minute behind an announcement takes no time in a test", () =>
    Effect.gen(function* () {
      const run = yield* Run.launch(quiesce("http", Effect.sleep("29 seconds"), "30 seconds"), {
        announceDelay: Duration.seconds(5)
      })
      yield* run.signal()
      yield* TestClock.adjust(4999)
      assert.isFalse(run.events.some((event) => event._tag === "PhaseChanged" && event.phase === "draining"))
      yield* TestClock.adjust(29_000)
      assert.isFalse(yield* run.isOver)
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* run.report).durationMillis, 34_000)
    })
  )
})

describe("named layers", () => {
  it.effect("share what they are built on, also through diamonds, and close it once", () =>
    Effect.gen(function* () {
      const marks: Array<string> = []
      const base = part("base", marks)
      const left = part("left", marks).pipe(Layer.provide(base))
      const right = part("right", marks).pipe(Layer.provide(base))
      const run = yield* Run.launch(Layer.merge(left, right))
      yield* run.signal()
      yield* run.report
      assert.strictEqual(marks.filter((mark) => mark === "+base").length, 1)
      assert.strictEqual(marks.at(-1), "-base")
    })
  )

  it.effect("keep fibers that the layer forked alive after the build", () =>
    Effect.gen(function* () {
      const alive = yield* Deferred.make<void>()
      class Ticker extends Context.Tag("Ticker")<Ticker, string>() {}
      const layer = Layer.scoped(
        Ticker,
        Effect.as(
          Effect.forkScoped(Effect.zipRight(Effect.sleep("1 minute"), Deferred.succeed(alive, void 0))),
          "ticker"
        )
      )
      const run = yield* Run.launch(Resource.named("ticker", { limit: Duration.seconds(1) })(layer))
      yield* TestClock.adjust("1 minute")
      assert.isTrue(yield* Deferred.isDone(alive))
      yield* run.signal()
      yield* run.report
    })
  )

  it.effect("work outside of a launch, in a scope of one's own", () =>
    Effect.gen(function* () {
      const marks: Array<string> = []
      const lifecycle = yield* Lifecycle.make(Duration.seconds(1))
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(part("alone", marks), scope).pipe(
        Effect.provideService(Lifecycle.Lifecycle, lifecycle)
      )
      yield* Scope.close(scope, yield* Effect.exit(Effect.void))
      assert.deepStrictEqual(marks, ["+alone", "-alone"])
    })
  )
})
