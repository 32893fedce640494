/**
 * What a failed statement means, read from SQLite's own result codes.
 *
 * A statement can fail because somebody else holds the lock for a moment, because the disk is full or broken, or because it is wrong.
 * The first is worth trying again at once, the second later, the third never.
 */
import { SqlErrorTypeId, type SqlError } from "@effect/sql/SqlError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import * as DatabaseMetrics from "./DatabaseMetrics.js"

/** Whether a defect or an error is one of a statement. Never fails. */
export const isSqlError = (error: unknown): error is SqlError => Predicate.hasProperty(error, SqlErrorTypeId)

/** SQLite's extended result code, such as `SQLITE_BUSY`, wherever in the chain of causes it stands; undefined when there is none. */
export const code = (error: unknown): string | undefined => {
  for (let at = error; typeof at === "object" && at !== null; at = "cause" in at ? at.cause : undefined) {
    if ("code" in at && typeof at.code === "string") return at.code
  }
  return undefined
}

/** The innermost message: what SQLite itself said. */
export const message = (error: unknown): string => {
  let found = String(error)
  for (let at = error; at instanceof Error; at = at.cause) if (at.message !== "") found = at.message
  return found
}

const startsWith = (error: unknown, ...prefixes: ReadonlyArray<string>): boolean => {
  const found = code(error)
  return found !== undefined && prefixes.some((prefix) => found === prefix || found.startsWith(`${prefix}_`))
}

/** Somebody else holds a lock: trying again soon can help. */
export const isBusy = (error: unknown): boolean => startsWith(error, "SQLITE_BUSY", "SQLITE_LOCKED")

/** The disk is full, fails, or has become read-only: an operator can mend it while the service runs. */
export const isDisk = (error: unknown): boolean =>
  startsWith(error, "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN")

/** How long {@link withBusyRetry} goes on, in milliseconds. */
export const busyMillis = 5000

const soon = Schedule.exponential("2 millis", 1.5).pipe(
  Schedule.union(Schedule.spaced("100 millis")),
  Schedule.jittered,
  // Whole milliseconds, which is all that timers know.
  Schedule.modifyDelay((_, delay) => Duration.millis(Math.ceil(Duration.toMillis(delay)))),
  Schedule.upTo(busyMillis)
)

/**
 * Tries again while a lock is held, for {@link busyMillis} at most; then the error passes. The waiting happens here and not in SQLite, whose
 * own waiting blocks the event loop and cannot be interrupted. Interrupting it is free. What is wrapped must be a whole transaction or a single
 * statement, since it starts from its beginning.
 */
export const withBusyRetry = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.retry(
    Effect.tapError(effect, (error) => (isBusy(error) ? DatabaseMetrics.busy : Effect.void)),
    { while: isBusy, schedule: soon }
  )
