/**
 * Background tasks that go on after a failure, and show what they are doing.
 *
 * On top of {@link Task.run}: a unit that fails or dies is logged and recorded, and tried again after a pause that doubles with every failure in a row; when it
 * succeeds again, that is logged too. The task shows on the {@link TaskBoard.TaskBoard}.
 *
 * @module
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import type * as Lifecycle from "./Lifecycle.js"
import * as Task from "./Task.js"
import * as TaskBoard from "./TaskBoard.js"
import * as TaskStatus from "./TaskStatus.js"

/** What every supervised task has. */
export interface Common {
  /** How logs, health and the report of a stop call it. */
  readonly name: string
  /** How long a unit that is under way when the drain begins may still take before it is cut. */
  readonly limit: Duration.Duration
  /** How far behind it is; see `TaskStatus.Options.lag`. */
  readonly lag?: Effect.Effect<TaskStatus.Lag, unknown>
  /** The pause after the first failure, doubled with each further one. Default 1 s. */
  readonly firstPause?: Duration.Duration
  /** The longest pause after failures. Default 1 minute. */
  readonly longestPause?: Duration.Duration
}

/** A task that works whenever there is work. */
export interface Options<A, E, R> extends Common {
  /** Waits for the next piece of work. Interrupted when the task stops; it must not take what it cannot give back. */
  readonly next: Effect.Effect<A, E, R>
  /** Does one piece of work. Not interrupted unless it outlasts the limit. */
  readonly unit: (work: A) => Effect.Effect<void, E, R>
}

/** A task that works at intervals. */
export interface PeriodicOptions<E, R> extends Common {
  /** From the end of one unit to the begin of the next. */
  readonly interval: Duration.Duration
  /** From when it is run to the begin of the first unit. Default none: it begins at once. */
  readonly delay?: Duration.Duration
  /** The part of the interval by which it varies either way, so that instances do not work in step; 0 to 1, default 0.1. */
  readonly jitter?: number
  /** Does the work. Not interrupted unless it outlasts the limit. */
  readonly unit: Effect.Effect<void, E, R>
}

type Requirements = Lifecycle.Lifecycle | TaskBoard.TaskBoard | Scope.Scope

/** A cause that is interruption alone is the stop's doing; it goes on as such. */
const stopped = (cause: Cause.Cause<unknown>): boolean => Cause.isInterruptedOnly(cause)

const supervise = <A, E, R>(
  options: Options<A, E, R>,
  tracker: TaskStatus.Tracker
): Effect.Effect<void, never, R | Requirements> =>
  Effect.gen(function* () {
    const board = yield* TaskBoard.TaskBoard
    yield* board.add(tracker.status)
    const first = Duration.toMillis(options.firstPause ?? Duration.seconds(1))
    const longest = Duration.toMillis(options.longestPause ?? Duration.minutes(1))
    const pauseMillis = (failures: number) => Math.min(longest, first * 2 ** (failures - 1))

    const failed = (cause: Cause.Cause<E>) =>
      Effect.flatMap(tracker.failedInARow, (failures) =>
        // Once a minute of it would drown what else is said: the first of a row is an error, the others are for those who look closely.
        (failures <= 1 ? Effect.logError : Effect.logDebug)("Task failed", cause).pipe(
          Effect.annotateLogs({
            event_type: "task_failed",
            task: options.name,
            failures,
            retryInMillis: pauseMillis(failures)
          })
        )
      )
    const recovered = (failures: number) =>
      failures === 0
        ? Effect.void
        : Effect.logInfo("Task works again").pipe(
            Effect.annotateLogs({ event_type: "task_recovered", task: options.name, failures })
          )

    const rest = Effect.gen(function* () {
      const failures = yield* tracker.failedInARow
      if (failures === 0) return
      const pause = pauseMillis(failures)
      yield* tracker.due((yield* Clock.currentTimeMillis) + pause)
      yield* Effect.sleep(pause)
    })
    /** Waiting that fails is a failure like that of a unit: recorded as one, and tried again. */
    const next: Effect.Effect<A, never, R> = Effect.suspend(() =>
      Effect.zipRight(rest, options.next).pipe(
        Effect.catchAllCause((cause) =>
          stopped(cause)
            ? Effect.failCause(cause as Cause.Cause<never>)
            : tracker.unit(Effect.failCause(cause)).pipe(Effect.catchAllCause(failed), Effect.zipRight(next))
        )
      )
    )
    const unit = (work: A) =>
      Effect.flatMap(tracker.failedInARow, (failures) =>
        tracker.unit(options.unit(work)).pipe(
          Effect.exit,
          Effect.flatMap((exit) => {
            if (Exit.isSuccess(exit)) return recovered(failures)
            return stopped(exit.cause)
              ? Effect.failCause(exit.cause as Cause.Cause<never>)
              : failed(exit.cause)
          })
        )
      )
    yield* Task.run({ name: options.name, limit: options.limit, next, unit })
  })

/**
 * Runs a task in the current scope and returns at once. It stops between units like every {@link Task.run}, and never ends by itself. Never fails.
 */
export const run = <A, E, R>(options: Options<A, E, R>): Effect.Effect<void, never, R | Requirements> =>
  supervise(options, TaskStatus.make({ ...options, interval: Option.none() }))

/** {@link run} with a unit at every interval. */
export const periodic = <E, R>(
  options: PeriodicOptions<E, R>
): Effect.Effect<void, never, R | Requirements> =>
  Effect.suspend(() => {
    const tracker = TaskStatus.make({ ...options, interval: Option.some(options.interval) })
    const jitter = Math.min(1, Math.max(0, options.jitter ?? 0.1))
    let begun = false
    const next = Effect.gen(function* () {
      const isFirst = !begun
      begun = true
      if (isFirst && options.delay === undefined) return
      // After a failure the pause has passed already, and it is the shorter one that counts.
      if (!isFirst && (yield* tracker.failedInARow) > 0) return
      const factor = 1 + jitter * (2 * (yield* Random.next) - 1)
      const millis = Duration.toMillis(isFirst ? (options.delay ?? 0) : options.interval)
      // Whole milliseconds, which is all that timers know.
      const wait = Math.round(millis * factor)
      yield* tracker.due((yield* Clock.currentTimeMillis) + wait)
      yield* Effect.sleep(wait)
    })
    return supervise({ ...options, next, unit: () => options.unit }, tracker)
  })
