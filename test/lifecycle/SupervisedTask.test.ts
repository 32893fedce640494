import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Queue from "effect/Queue"
import * as TestClock from "effect/TestClock"
import * as StopReason from "../../src/lifecycle/StopReason.js"
import * as SupervisedTask from "../../src/lifecycle/SupervisedTask.js"
import * as TaskBoard from "../../src/lifecycle/TaskBoard.js"
import * as TaskMetrics from "../../src/lifecycle/TaskMetrics.js"
import type { TaskStatus } from "../../src/lifecycle/TaskStatus.js"
import * as Run from "../support/Run.js"

const limit = Duration.seconds(5)

/** Launches one periodic task, whose unit is given, and hands over the board. */
const launched = Effect.fnUntraced(function* (
  unit: Effect.Effect<void, unknown>,
  more: Partial<SupervisedTask.PeriodicOptions<unknown, never>> = {}
) {
  const board = yield* TaskBoard.make
  const run = yield* Run.launch(
    Layer.scopedDiscard(
      SupervisedTask.periodic({
        name: "sync",
        limit,
        interval: Duration.minutes(1),
        jitter: 0,
        unit,
        ...more
      })
    ).pipe(Layer.provide(Layer.succeed(TaskBoard.TaskBoard, board)))
  )
  yield* TestClock.adjust(0)
  return { run, board, status: Effect.map(board.all, (all) => all[0]!) }
})

const picked = ({ completed, failed, failedInARow, nextAt, state }: TaskStatus) => ({
  completed,
  failed,
  failedInARow,
  nextAt,
  state
})

describe("a periodic task", () => {
  it.effect("waits before its first unit where it is told to, and a stop need not wait for that", () =>
    Effect.gen(function* () {
      let units = 0
      const unit = Effect.sync(() => void (units += 1))
      const { run, status } = yield* launched(unit, { delay: Duration.millis(250) })
      assert.deepInclude(picked(yield* status), { state: "waiting", nextAt: 250 })
      yield* TestClock.adjust(249)
      assert.strictEqual(units, 0)
      yield* TestClock.adjust(1)
      assert.strictEqual(units, 1)
      assert.deepInclude(picked(yield* status), { state: "waiting", nextAt: 60_250 })
      yield* run.signal()
      yield* run.report

      const second = yield* launched(unit, { delay: Duration.millis(250) })
      yield* second.run.signal()
      yield* second.run.report
      assert.strictEqual(units, 1)
    })
  )

  it.effect("works at once, then at its interval, counted from the end of a unit", () =>
    Effect.gen(function* () {
      let units = 0
      const { run, status } = yield* launched(
        Effect.zipRight(
          Effect.sleep("10 seconds"),
          Effect.sync(() => void (units += 1))
        )
      )
      assert.strictEqual((yield* status).state, "working")
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(picked(yield* status), {
        completed: 1,
        failed: 0,
        failedInARow: 0,
        nextAt: 70_000,
        state: "waiting"
      })
      yield* TestClock.adjust(59_999)
      assert.strictEqual((yield* status).state, "waiting")
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* status).state, "working")
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(units, 2)
      assert.deepStrictEqual((yield* status).lastRun, {
        startedAt: 70_000,
        durationMillis: 10_000,
        error: null
      })
      yield* run.signal()
      yield* run.report
    })
  )

  it.effect("varies its interval within the jitter", () =>
    Effect.gen(function* () {
      const due = new Set<number>()
      const { run, status } = yield* launched(Effect.void, { jitter: 0.5 })
      for (let i = 0; i < 20; i++) {
        const { nextAt } = yield* status
        const now = yield* TestClock.currentTimeMillis
        due.add(nextAt! - now)
        yield* TestClock.adjust(nextAt! - now)
      }
      assert.isAbove(due.size, 10)
      for (const wait of due) assert.isTrue(wait >= 30_000 && wait <= 90_000, String(wait))
      yield* run.signal()
      yield* run.report
    })
  )

  it.effect("goes on after failures and defects, with pauses that double, and says what was wrong", () =>
    Effect.gen(function* () {
      let attempts = 0
      const { run, status } = yield* launched(
        Effect.suspend(() => {
          attempts += 1
          if (attempts === 1)
            return Effect.fail(new Error("a statement failed", { cause: new Error("the table is locked") }))
          return attempts <= 3 ? Effect.dieMessage("oops") : Effect.void
        }),
        { longestPause: Duration.seconds(2) }
      )
      assert.deepStrictEqual(picked(yield* status), {
        completed: 0,
        failed: 1,
        failedInARow: 1,
        nextAt: 1000,
        state: "failing"
      })
      assert.strictEqual((yield* status).lastRun?.error, "a statement failed: the table is locked")
      yield* TestClock.adjust(1000)
      assert.strictEqual((yield* status).nextAt, 3000)
      yield* TestClock.adjust(2000)
      assert.strictEqual((yield* status).nextAt, 5000, "the longest pause")
      yield* TestClock.adjust(2000)
      assert.deepStrictEqual(picked(yield* status), {
        completed: 1,
        failed: 3,
        failedInARow: 0,
        nextAt: 65_000,
        state: "waiting"
      })
      yield* run.signal()
      const report = yield* run.report
      assert.strictEqual(report.exitCode, 0)
    })
  )

  it.effect("finishes its unit when the service stops, and waits for nothing else", () =>
    Effect.gen(function* () {
      let finished = 0
      const unit = Effect.zipRight(
        Effect.sleep("4 seconds"),
        Effect.sync(() => void (finished += 1))
      )
      const { board, run } = yield* launched(unit)
      yield* TestClock.adjust("2 seconds")
      yield* run.signal()
      yield* TestClock.adjust("2 seconds")
      const report = yield* run.report
      assert.strictEqual(finished, 1)
      assert.strictEqual(report.exitCode, 0)
      assert.deepStrictEqual(yield* board.all, [], "it is off the board")
    })
  )

  it.effect("is cut when its unit outlasts the limit, which is no failure of the task", () =>
    Effect.gen(function* () {
      let undone = 0
      const { run } = yield* launched(
        Effect.onInterrupt(Effect.never, () => Effect.sync(() => void (undone += 1)))
      )
      yield* run.signal()
      yield* TestClock.adjust(4999)
      assert.strictEqual(undone, 0)
      yield* TestClock.adjust(1)
      assert.strictEqual(undone, 1)
      const report = yield* run.report
      assert.strictEqual(report.exitCode, 3)
      assert.include(report.reason, "SIGTERM")
    })
  )
})

describe("a task that waits for work", () => {
  it.effect("shows its lag, survives a wait that fails, and takes nothing more once stopped", () =>
    Effect.gen(function* () {
      const board = yield* TaskBoard.make
      const queue = yield* Queue.unbounded<number>()
      const done: Array<number> = []
      const hold = yield* Deferred.make<void>()
      let waits = 0
      const run = yield* Run.launch(
        Layer.scopedDiscard(
          SupervisedTask.run({
            name: "broadcaster",
            limit,
            lag: Effect.map(Queue.size(queue), (amount) => ({ amount: Math.max(0, amount), unit: "events" })),
            next: Effect.suspend(() => (++waits === 1 ? Effect.fail("no connection") : Queue.take(queue))),
            unit: (n: number) =>
              Effect.zipRight(
                n === 2 ? Deferred.await(hold) : Effect.void,
                Effect.sync(() => void done.push(n))
              )
          })
        ).pipe(Layer.provide(Layer.succeed(TaskBoard.TaskBoard, board)))
      )
      yield* TestClock.adjust(0)
      const status = Effect.map(board.all, (all) => all[0]!)
      assert.strictEqual((yield* status).lastRun?.error, "no connection")
      yield* Queue.offerAll(queue, [1, 2, 3])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(done, [1])
      assert.deepStrictEqual((yield* status).lag, { amount: 1, unit: "events" })
      yield* run.signal()
      yield* Deferred.succeed(hold, void 0)
      yield* run.report
      assert.deepStrictEqual(done, [1, 2])
      assert.strictEqual(yield* Queue.size(queue), 1, "what was not begun is still there")
    })
  )
})

describe("the metrics of tasks", () => {
  it.effect("say what the board says", () =>
    Effect.gen(function* () {
      const { board, run } = yield* launched(Effect.fail("no"), { name: "metrics-of-tasks" })
      yield* Effect.provide(TaskMetrics.update, Context.make(TaskBoard.TaskBoard, board))
      const value = (name: string, ...tags: ReadonlyArray<readonly [string, string]>) =>
        Metric.value(
          [["task", "metrics-of-tasks"] as const, ...tags].reduce(
            (metric, [key, tag]) => Metric.tagged(metric, key, tag),
            Metric.gauge(name, { description: descriptions[name]! })
          )
        )
      assert.strictEqual((yield* value("task_failing")).value, 1)
      assert.strictEqual((yield* value("task_units", ["outcome", "failed"])).value, 1)
      assert.strictEqual((yield* value("task_lag", ["unit", "seconds"])).value, 0)
      yield* run.signal()
      yield* run.report
    })
  )
})

const descriptions: Readonly<Record<string, string>> = {
  task_failing: "Units of a task that failed since the last one that succeeded",
  task_units: "Units of a task since the process started",
  task_lag: "How far a task is behind"
}

describe("the reason of a stop", () => {
  it.effect("is never a task that fails", () =>
    Effect.gen(function* () {
      const { run } = yield* launched(Effect.die(new Error("always")))
      yield* TestClock.adjust("10 minutes")
      yield* run.tell(StopReason.requested("the test is over"))
      const report = yield* run.report
      assert.include(report.reason, "the test is over")
    })
  )
})
