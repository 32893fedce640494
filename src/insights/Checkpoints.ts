/**
 * When SQLite's log is written back into the file: after commits, some at once, on a thread of its own. Where there is no such thread the connection
 * that writes does it in the midst of a commit, as SQLite does by itself.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as CheckpointThread from "./CheckpointThread.js"
import * as DatabaseMetrics from "./DatabaseMetrics.js"

/** By how many pages of 4 KiB the log grows before a commit writes it back itself, without a thread that does. */
export const alonePages = 4000

/** The same, with a thread: only when that cannot keep up, since there is no pause between commits, or has died. */
const sharedPages = 4 * alonePages

/** The log is written back so long after the first commit that is in it, or after so many commits: pages that several ledgers change are then written once for all of them. */
const [wait, mostCommits] = ["5 seconds", 16] as const

/** The log could not be written back. */
class CheckpointFailed extends Data.TaggedError("CheckpointFailed")<{ readonly cause: unknown }> {}

/**
 * Keeps the log of `filename` short for as long as the scope is open; `write` is the connection that writes. What is given is to be run after each commit, and costs
 * nothing. Never fails: without a thread it logs a warning, and commits do the work.
 */
export const run = (
  filename: string,
  write: SqlClient
): Effect.Effect<Effect.Effect<void>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const autocheckpoint = (pages: number) =>
      Effect.ignore(write`PRAGMA wal_autocheckpoint = ${write.literal(String(pages))}`)
    let thread: CheckpointThread.Handle | undefined
    let commits = 0
    const some = Effect.unsafeMakeLatch()
    const many = Effect.unsafeMakeLatch()

    const checkpoint = Effect.async<void, CheckpointFailed>((resume) => {
      const failed = (cause: unknown) => resume(Effect.fail(new CheckpointFailed({ cause })))
      try {
        thread ??= CheckpointThread.start(filename)
        thread.checkpoint((error) => (error === undefined ? resume(Effect.void) : failed(error)))
      } catch (error) {
        failed(error)
      }
    })
    const due = Effect.zipRight(some.await, Effect.raceFirst(Effect.sleep(wait), many.await))
    const begin = Effect.sync(() => {
      commits = 0
      some.unsafeClose()
      many.unsafeClose()
    })
    yield* autocheckpoint(sharedPages)
    yield* Effect.addFinalizer(() => Effect.promise(() => thread?.close() ?? Promise.resolve()))
    yield* Effect.forkScoped(
      due.pipe(
        Effect.zipRight(begin),
        Effect.zipRight(checkpoint),
        Effect.zipRight(DatabaseMetrics.checkpointed),
        Effect.forever,
        Effect.catchAll((error) =>
          Effect.zipRight(
            autocheckpoint(alonePages),
            Effect.logWarning("The database's log is written back between requests", error)
          )
        ),
        Effect.annotateLogs({ component: "Checkpoints" })
      )
    )
    return Effect.sync(() => {
      commits++
      some.unsafeOpen()
      if (commits >= mostCommits) many.unsafeOpen()
    })
  })
