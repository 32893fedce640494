import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as LastRun from "../../src/lifecycle/LastRun.js"
import * as LastRunLog from "../../src/lifecycle/LastRunLog.js"
import type { ShutdownReport } from "../../src/lifecycle/ShutdownReport.js"
import * as Files from "./support/Files.js"

const report: ShutdownReport = {
  version: 1,
  reason: "SIGTERM",
  initiatedAt: 60_000,
  durationMillis: 1500,
  wholeMillis: Number.POSITIVE_INFINITY,
  phases: [{ phase: "draining", startMillis: 0 }],
  steps: [
    {
      kind: "release",
      name: "database",
      startMillis: 500,
      durationMillis: 1000,
      limitMillis: 1000,
      outcome: "timed_out"
    }
  ],
  acquisitionsGivenUp: [],
  drains: { http: { requestsAtStart: 1, connectionsAtStart: 2, drained: 3, interrupted: 1, late: 0 } },
  requestsInterrupted: [{ method: "GET", path: "/slow", ageMillis: 400.5 }],
  exitCode: 3
}

/** A run of a service that does nothing but keep its record. */
const start = (files: Files.Files, pid = 1, living: ReadonlySet<number> = new Set(), file?: string) =>
  Effect.gen(function* () {
    const keeper = LastRun.make({ folder: Config.succeed("data"), instance: Config.succeed("8080") })
    const logs: Array<Record<string, unknown>> = []
    const logger = Logger.make(({ annotations, logLevel, message }) => {
      logs.push({
        level: logLevel.label,
        message: String(message),
        ...Object.fromEntries(HashMap.toEntries(annotations))
      })
    })
    const scope = yield* Scope.make()
    const context = yield* Layer.buildWithScope(
      keeper.layer.pipe(
        Layer.provide([files.layer, Files.ownProcess(pid, living)]),
        Layer.provide(Logger.replace(Logger.defaultLogger, logger))
      ),
      scope
    ).pipe(
      Effect.withConfigProvider(
        ConfigProvider.fromMap(new Map(file === undefined ? [] : [["SHUTDOWN_REPORT_FILE", file]]))
      )
    )
    return {
      ...Context.get(context, LastRun.LastRun),
      keeper,
      logs,
      types: () => logs.map(({ event_type }) => event_type),
      crash: Scope.close(scope, Exit.void),
      // The logger's own layer puts back what was there before when it closes: the last line needs it again.
      stop: Effect.zipRight(
        Scope.close(scope, Exit.void),
        Effect.provide(keeper.onReport(report), Logger.replace(Logger.defaultLogger, logger))
      )
    }
  })

const own = "data/shutdown-here-8080.json"
const json = (files: Files.Files, file = own) => JSON.parse(files.texts.get(file) ?? "null")

describe("the record of a run", () => {
  it.effect("is there from the start, and is written again every five seconds", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 minute")
      const files = Files.make()
      const run = yield* start(files)
      assert.deepStrictEqual(run.ending, { _tag: "None" })
      assert.strictEqual(Option.getOrNull(run.file), own)
      assert.strictEqual(run.keeper.unsafeFile(), own)
      const first = {
        version: 1,
        state: "running",
        instance: "8080",
        pid: 1,
        hostname: "here",
        startedAt: 60_000
      }
      assert.deepInclude(json(files), { ...first, seenAt: 60_000 })
      yield* TestClock.adjust(4999)
      assert.deepInclude(json(files), { seenAt: 60_000 })
      yield* TestClock.adjust(1)
      assert.deepInclude(json(files), { ...first, seenAt: 65_000 })
      yield* TestClock.adjust("10 seconds")
      assert.deepInclude(json(files), { seenAt: 75_000 })
      assert.deepStrictEqual([...files.texts.keys()], [own])
    })
  )

  it.effect("is never written in place: a crash leaves the one before, whole", () =>
    Effect.gen(function* () {
      const files = Files.make()
      const run = yield* start(files)
      yield* TestClock.adjust("5 seconds")
      yield* run.stop
      const inPlace = files.calls.filter((call) => call === `writeFileString ${own}`)
      assert.deepStrictEqual(inPlace, [])
      assert.lengthOf(
        files.calls.filter((call) => call === `rename ${own}`),
        2
      )
    })
  )

  it.effect("holds the report at the end, and nothing overwrites that", () =>
    Effect.gen(function* () {
      const files = Files.make()
      const run = yield* start(files)
      yield* run.keeper.onReport(report)
      yield* TestClock.adjust("1 minute")
      assert.deepInclude(json(files), { state: "stopped", startedAt: 0 })
      assert.deepInclude(json(files).report, { reason: "SIGTERM", exitCode: 3, wholeMillis: null })
    })
  )

  it.effect("waits half a second for a disk that hangs, not longer", () =>
    Effect.gen(function* () {
      const files = Files.make()
      const run = yield* start(files)
      files.delay = (method) => (method === "writeFileString" ? "1 hour" : 0)
      const fiber = yield* Effect.fork(run.stop)
      yield* TestClock.adjust(499)
      assert.isTrue(Option.isNone(yield* fiber.poll))
      yield* TestClock.adjust(1)
      assert.isTrue(Option.isSome(yield* fiber.poll))
      assert.deepStrictEqual(run.types(), ["run_record_unwritable"])
    })
  )

  it.effect(
    "is not overwritten by a write that was under way when the run ended, nor is that waited for",
    () =>
      Effect.gen(function* () {
        const files = Files.make()
        const run = yield* start(files)
        files.delay = (method) => (method === "writeFileString" ? 400 : 0)
        yield* TestClock.adjust("5 seconds")
        const closed = yield* Effect.fork(run.crash)
        yield* TestClock.adjust(0)
        assert.isTrue(Option.isSome(yield* closed.poll))
        files.delay = undefined
        const ended = yield* Effect.fork(run.keeper.onReport(report))
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(ended)
        assert.deepInclude(json(files), { state: "stopped" })
      })
  )

  it.effect("does not keep a service from starting when the disk hangs, and is kept once it is there", () =>
    Effect.gen(function* () {
      const files = Files.make()
      files.delay = (method) => (method === "link" ? "3 seconds" : 0)
      const fiber = yield* Effect.fork(start(files))
      yield* TestClock.adjust(1999)
      assert.isTrue(Option.isNone(yield* fiber.poll))
      yield* TestClock.adjust(1)
      const run = yield* Fiber.join(fiber)
      assert.deepStrictEqual(run.types(), ["run_record_unwritable"])
      assert.isNull(Option.getOrNull(run.file))
      yield* TestClock.adjust("5 seconds")
      assert.deepInclude(json(files), { state: "running", seenAt: 7000 })
      yield* run.stop
      assert.deepInclude(json(files), { state: "stopped" })
    })
  )

  it.effect("says that the run stopped also when the start was called off while it was made", () =>
    Effect.gen(function* () {
      const files = Files.make()
      files.delay = (method) => (method === "link" ? "1 second" : 0)
      const keeper = LastRun.make({ folder: Config.succeed("data"), instance: Config.succeed("8080") })
      const build = yield* Effect.fork(
        Effect.scoped(Layer.build(Layer.provide(keeper.layer, [files.layer, Files.ownProcess(1, new Set())])))
      )
      yield* TestClock.adjust(500)
      yield* Fiber.interruptFork(build)
      yield* TestClock.adjust(500)
      assert.isTrue(Exit.isInterrupted(yield* Fiber.await(build)))
      yield* keeper.onReport(report)
      assert.deepInclude(json(files), { state: "stopped" })
    })
  )

  it.effect("says once, not every five seconds, that it cannot be written, and goes on when it can", () =>
    Effect.gen(function* () {
      const files = Files.make()
      const run = yield* start(files)
      files.failing = () => true
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(run.types(), ["run_record_unwritable"])
      files.failing = undefined
      yield* TestClock.adjust("5 seconds")
      assert.deepInclude(json(files), { seenAt: 35_000 })
    })
  )

  it.effect("is not kept in a folder that cannot be written, which is a warning", () =>
    Effect.gen(function* () {
      const files = Files.make()
      files.failing = () => true
      const run = yield* start(files)
      assert.deepStrictEqual(run.ending, { _tag: "None" })
      assert.isNull(Option.getOrNull(run.file))
      assert.deepStrictEqual(run.types(), ["run_record_unwritable"])
      assert.include(run.logs[0], { level: "WARN", file: own })
      yield* run.stop
      assert.lengthOf(run.logs, 1)
    })
  )

  it.effect("is where SHUTDOWN_REPORT_FILE says; an empty one is refused", () =>
    Effect.gen(function* () {
      const files = Files.make()
      const run = yield* start(files, 1, new Set(), "else/where.json")
      assert.strictEqual(Option.getOrNull(run.file), "else/where.json")
      const refused = yield* Effect.exit(start(files, 1, new Set(), " "))
      assert.isTrue(Exit.isFailure(refused))
    })
  )
})

describe("the last run", () => {
  it.effect("crashed, when nobody has said that it stopped", () =>
    Effect.gen(function* () {
      const files = Files.make()
      const before = yield* start(files, 7)
      yield* TestClock.adjust("12 seconds")
      yield* before.crash
      const run = yield* start(files, 8)
      assert.deepStrictEqual(run.ending, { _tag: "Crashed", startedAt: 0, lastSeenAt: 10_000 })
      assert.strictEqual(run.totals.unclean, 1)
      assert.include(run.logs[0], {
        level: "WARN",
        event_type: "last_run_crashed",
        last_seen_at: "1970-01-01T00:00:10.000Z",
        crashed_before: "1970-01-01T00:00:15.000Z"
      })
      assert.strictEqual(
        LastRunLog.describe(run.ending),
        "the last run crashed between 1970-01-01T00:00:10.000Z and 1970-01-01T00:00:15.000Z"
      )
    })
  )

  it.effect("stopped: its report is what was written, to the field", () =>
    Effect.gen(function* () {
      const files = Files.make()
      yield* (yield* start(files)).stop
      const run = yield* start(files)
      assert.deepStrictEqual(run.ending, { _tag: "Stopped", startedAt: 0, report })
      assert.include(run.logs[0], {
        level: "WARN",
        event_type: "last_run_stopped",
        exit_code: 3,
        duration_ms: 1500
      })
      assert.deepInclude(LastRunLog.toJson(run.ending), {
        outcome: "stopped",
        endedAt: "1970-01-01T00:01:01.500Z",
        incomplete: ["database (release): timed_out"],
        requestsInterrupted: 1
      })
    })
  )

  it.effect("was killed by its watchdog, which may know little", () =>
    Effect.gen(function* () {
      const files = Files.make()
      yield* start(files)
      const killed = {
        at: 9000,
        phase: "draining" as const,
        running: [{ kind: "quiesce", name: "http", sinceMillis: 8000 }],
        keepsAlive: ["Timeout"]
      }
      files.texts.set(own, JSON.stringify({ ...json(files), state: "killed", killed }))
      const run = yield* start(files)
      assert(run.ending._tag === "Killed")
      assert.strictEqual(Option.getOrNull(run.ending.startedAt), 0)
      assert.deepStrictEqual(run.ending.killed, killed)
      assert.deepInclude(LastRunLog.toJson(run.ending), {
        outcome: "killed",
        running: ["http (quiesce) since 8000 ms"],
        keepsAlive: ["Timeout"]
      })
      assert.strictEqual(run.totals.unclean, 1)
      files.texts.set(own, JSON.stringify({ state: "killed", killed: { at: 9000 } }))
      const next = yield* start(files)
      assert(next.ending._tag === "Killed")
      assert.isNull(Option.getOrNull(next.ending.startedAt))
      assert.deepStrictEqual(next.types(), ["last_run_killed"])
    })
  )

  it.effect.each(["", "{", "[]", '{"state":"running"}', '{"version":2,"state":"stopped"}'])(
    "left %j, which is no record: moved aside, named, and the start goes on",
    (text) =>
      Effect.gen(function* () {
        const files = Files.make()
        files.texts.set(own, text)
        const run = yield* start(files)
        assert.strictEqual(run.ending._tag, "Unreadable")
        assert.strictEqual(files.texts.get(`${own}.unreadable`), text)
        assert.include(run.logs[0], {
          level: "WARN",
          event_type: "last_run_unreadable",
          moved_to: `${own}.unreadable`
        })
        assert.deepInclude(json(files), { state: "running" })
      })
  )

  it.effect("and all before it are summed up from record to record", () =>
    Effect.gen(function* () {
      const files = Files.make()
      yield* (yield* start(files)).stop
      yield* (yield* start(files)).stop
      yield* (yield* start(files)).crash
      const { totals } = yield* start(files)
      assert.deepInclude(totals, { forced: 2, unclean: 1, requestsInterrupted: 2 })
      assert.deepStrictEqual(totals.steps, [
        { step: "database", kind: "release", outcome: "timed_out", count: 2 }
      ])
      assert.deepStrictEqual(
        totals.durations.filter(({ count }) => count > 0),
        [{ count: 2, sumSeconds: 3 }]
      )
    })
  )
})

describe("two processes", () => {
  const second = "data/shutdown-here-8080-2.json"

  it.effect("have files of their own while both live, and the newcomer says so", () =>
    Effect.gen(function* () {
      const files = Files.make()
      const living = new Set([7, 8])
      const a = yield* start(files, 7, living)
      const b = yield* start(files, 8, living)
      assert.strictEqual(Option.getOrNull(b.file), second)
      assert.deepStrictEqual(b.ending, { _tag: "None" })
      assert.deepStrictEqual(b.types(), ["run_record_taken"])
      yield* TestClock.adjust("5 seconds")
      assert.deepInclude(json(files), { pid: 7, seenAt: 5000 })
      assert.deepInclude(json(files, second), { pid: 8, seenAt: 5000 })
      yield* a.stop
      yield* b.stop
      assert.deepInclude(json(files), { pid: 7, state: "stopped" })
      assert.deepInclude(json(files, second), { pid: 8, state: "stopped" })
    })
  )

  it.effect("a process id that went to somebody else does not hide a crash", () =>
    Effect.gen(function* () {
      const files = Files.make()
      yield* (yield* start(files, 7)).crash
      yield* TestClock.adjust(59_999)
      assert.strictEqual(Option.getOrNull((yield* start(files, 8, new Set([7]))).file), second)
      yield* TestClock.adjust(1)
      const run = yield* start(files, 9, new Set([7]))
      assert.strictEqual(Option.getOrNull(run.file), own)
      assert.deepInclude(run.ending, { _tag: "Crashed", lastSeenAt: 0 })
    })
  )

  it.effect("a new process with the id of the one that crashed, as in a container, finds its record", () =>
    Effect.gen(function* () {
      const files = Files.make()
      yield* (yield* start(files, 1)).crash
      const run = yield* start(files, 1, new Set([1]))
      assert.strictEqual(Option.getOrNull(run.file), own)
      assert.strictEqual(run.ending._tag, "Crashed")
    })
  )

  it.effect("a process of another host does not live here", () =>
    Effect.gen(function* () {
      const files = Files.make()
      yield* start(files, 7)
      files.texts.set(own, JSON.stringify({ ...json(files), hostname: "there" }))
      const run = yield* start(files, 8, new Set([7]))
      assert.strictEqual(Option.getOrNull(run.file), own)
      assert.strictEqual(run.ending._tag, "Crashed")
    })
  )

  it.effect("that start in one instant do not take one place", () =>
    Effect.gen(function* () {
      const files = Files.make()
      const other = Files.make()
      yield* start(other, 7)
      files.meanwhile = { method: "link", run: () => files.texts.set(own, other.texts.get(own)!) }
      const run = yield* start(files, 8, new Set([7]))
      assert.strictEqual(Option.getOrNull(run.file), second)
      assert.deepInclude(json(files), { pid: 7 })
    })
  )

  it.effect("that find the same old record: one takes it over, the other does not take that away", () =>
    Effect.gen(function* () {
      const files = Files.make()
      yield* (yield* start(files, 6)).crash
      const other = Files.make()
      yield* start(other, 7)
      files.meanwhile = { method: "rename", run: () => files.texts.set(own, other.texts.get(own)!) }
      const run = yield* start(files, 8, new Set([7]))
      assert.strictEqual(Option.getOrNull(run.file), second)
      assert.deepStrictEqual(run.ending, { _tag: "None" })
      assert.deepInclude(json(files), { pid: 7 })
      assert.deepStrictEqual([...files.texts.keys()].toSorted(), [second, own].toSorted())
    })
  )

  it.effect("a file system without hard links will do", () =>
    Effect.gen(function* () {
      const files = Files.make()
      files.failing = (method) => method === "link"
      yield* (yield* start(files, 6)).crash
      const run = yield* start(files, 8)
      assert.strictEqual(run.ending._tag, "Crashed")
      assert.deepStrictEqual([...files.texts.keys()], [own])
    })
  )
})
