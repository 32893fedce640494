/**
 * What one background task is doing, for health, metrics and the API: written by the task alone, read by anyone.
 *
 * @module
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as ErrorText from "./ErrorText.js"

/**
 * - `waiting`: for its time, or for work.
 * - `working`: a unit is under way.
 * - `failing`: its last unit failed; it waits before it tries again.
 */
export type State = "waiting" | "working" | "failing"

/** How far a task is behind what there is to do. */
export interface Lag {
  /** 0 when nothing is left to do. */
  readonly amount: number
  /** What is counted: `seconds` past the time it was due, `ledgers`, `events`, … */
  readonly unit: string
}

/** One unit that ended. */
export interface Run {
  /** When it began, in milliseconds since 1970. */
  readonly startedAt: number
  /** How long it took, in milliseconds. */
  readonly durationMillis: number
  /** What it failed with, in a line; null when it succeeded. */
  readonly error: string | null
}

/** The answer. All times are milliseconds since 1970. */
export interface TaskStatus {
  /** As logs and the report of a stop call it. */
  readonly name: string
  /** What it does at the moment. */
  readonly state: State
  /** Milliseconds from the end of one unit to the begin of the next, before jitter; null when it works whenever there is work. */
  readonly intervalMillis: number | null
  /** How long a unit may still take when the service stops, in milliseconds. */
  readonly limitMillis: number
  /** Units that succeeded since this process started. */
  readonly completed: number
  /** Units that failed since this process started. */
  readonly failed: number
  /** Units that failed since the last one that succeeded. */
  readonly failedInARow: number
  /** The unit that ended last; null before the first. */
  readonly lastRun: Run | null
  /** When a unit last ended well; null before the first. */
  readonly lastSuccessAt: number | null
  /** When the next unit is due; null while one is under way, and for tasks that wait for work. */
  readonly nextAt: number | null
  /** How far behind it is; null when that could not be found out. */
  readonly lag: Lag | null
}

/** What is fixed about a task. */
export interface Options {
  /** As logs and the report of a stop call it. */
  readonly name: string
  /** How long a unit may still take when the service stops. */
  readonly limit: Duration.Duration
  /** From the end of one unit to the begin of the next; none for a task that works whenever there is work. */
  readonly interval: Option.Option<Duration.Duration>
  /** How far behind it is. Asked whenever the status is, so it must be quick. Default: the seconds since it was due. */
  readonly lag?: Effect.Effect<Lag, unknown> | undefined
}

/** What led to a unit is in the past, or nobody's: it begins a trace of its own. */
const spanOptions = { root: true, captureStackTrace: false } as const

/** The task's side. */
export interface Tracker {
  /** The answer as of now. Never fails. */
  readonly status: Effect.Effect<TaskStatus>
  /** Runs a unit and notes when, how long and how it ended. An interrupted one counts neither way. It is a span, `task <name>`, and begins a trace. */
  readonly unit: <A, E, R>(unit: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Notes when the next unit is due. */
  readonly due: (at: number) => Effect.Effect<void>
  /** Units that failed since the last one that succeeded. */
  readonly failedInARow: Effect.Effect<number>
}

/** What a failure says, and what caused it, in a line: `Failed to execute statement: database or disk is full`. */
export const lineOf = (cause: Cause.Cause<unknown>): string => {
  const said: Array<string> = []
  for (let error = Cause.squash(cause), depth = 0; depth < 8; depth++) {
    const line = ErrorText.of(error).split("\n", 1)[0]!.trim()
    if (line !== "" && line !== said.at(-1)) said.push(line)
    if (!(error instanceof Error && error.cause instanceof Error)) break
    error = error.cause
  }
  return said.join(": ") || "unknown"
}

/** The status of a task that has not done anything yet. */
export const make = (options: Options): Tracker => {
  let working = false
  let completed = 0
  let failed = 0
  let failedInARow = 0
  let lastRun: Run | null = null
  let lastSuccessAt: number | null = null
  let nextAt: number | null = null

  const overdue = (now: number): Lag => ({
    amount: nextAt === null ? 0 : Math.max(0, (now - nextAt) / 1000),
    unit: "seconds"
  })
  const lag = (now: number): Effect.Effect<Lag | null> =>
    options.lag === undefined
      ? Effect.succeed(overdue(now))
      : Effect.catchAllCause(options.lag, () => Effect.succeed(null))
  const ended = (startedAt: number, now: number, exit: Exit.Exit<unknown, unknown>) => {
    working = false
    if (Exit.isInterrupted(exit)) return
    const error = Exit.isSuccess(exit) ? null : lineOf(exit.cause)
    lastRun = { startedAt, durationMillis: now - startedAt, error }
    if (error === null) {
      completed += 1
      failedInARow = 0
      lastSuccessAt = now
    } else {
      failed += 1
      failedInARow += 1
    }
  }
  return {
    status: Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.map(lag(now), (behind) => ({
        name: options.name,
        state: working ? "working" : failedInARow > 0 ? "failing" : "waiting",
        intervalMillis: Option.getOrNull(Option.map(options.interval, Duration.toMillis)),
        limitMillis: Duration.toMillis(options.limit),
        completed,
        failed,
        failedInARow,
        lastRun,
        lastSuccessAt,
        nextAt,
        lag: behind
      }))
    ),
    unit: (unit) =>
      Effect.flatMap(Clock.currentTimeMillis, (startedAt) => {
        working = true
        nextAt = null
        return Effect.onExit(Effect.withSpan(unit, `task ${options.name}`, spanOptions), (exit) =>
          Effect.map(Clock.currentTimeMillis, (now) => ended(startedAt, now, exit))
        )
      }),
    due: (at) => Effect.sync(() => void (nextAt = at)),
    failedInARow: Effect.sync(() => failedInARow)
  }
}
