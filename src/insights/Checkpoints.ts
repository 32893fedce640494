/**
 * When SQLite's log is written back into the file: after commits, some at once, on a thread of its own. Where there is no such thread the connection
 * that writes does it in the midst of a commit, as SQLite does by itself.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as CheckpointThread from "./CheckpointThread.js"

/** By how many pages of 4 KiB the log grows before a commit writes it back itself, without a thread that does. */
export const alonePages = 4000

/** The same, with a thread: only when that cannot keep up, since there is no pause between commits, or has died. */
const sharedPages = 4 * alonePages

/** How often it is looked whether there were commits. */
const interval = "1 seconds"

/** The log is written back after so many of these intervals, or commits, and not sooner: pages that several ledgers change are then written once for all of them. */
const [mostIntervals, mostCommits] = [5, 16]

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
    let intervals = 0

    const checkpoint = Effect.async<void, Error>((resume) => {
      try {
        thread ??= CheckpointThread.start(filename)
        thread.checkpoint((error) => resume(error === undefined ? Effect.void : Effect.fail(error)))
      } catch (error) {
        resume(Effect.fail(error instanceof Error ? error : new Error(String(error))))
      }
    })
    const look = Effect.suspend(() => {
      if (commits === 0 || (++intervals < mostIntervals && commits < mostCommits)) return Effect.void
      commits = 0
      intervals = 0
      return checkpoint
    })
    yield* autocheckpoint(sharedPages)
    yield* Effect.addFinalizer(() => Effect.promise(() => thread?.close() ?? Promise.resolve()))
    yield* Effect.forkScoped(
      Effect.delay(look, interval).pipe(
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
    return Effect.sync(() => void commits++)
  })
