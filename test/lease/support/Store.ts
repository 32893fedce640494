/** A file with leases and a table to write to, opened once for each process that a test needs, real or made up. */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as SqlFailure from "../../../src/insights/SqlFailure.js"
import * as Fence from "../../../src/lease/Fence.js"
import type * as Leases from "../../../src/lease/Leases.js"
import * as SqlLeases from "../../../src/lease/SqlLeases.js"

export interface Store {
  readonly leases: Leases.Shape
  /** For writing in whatever way, past every fence. */
  readonly sql: SqlClient.SqlClient
  /** Transactions that begin with the fence of whoever runs them. */
  readonly transaction: SqlLeases.Transaction
  /** To be run in a transaction: writes a row with the epoch that the lease has at that moment, and gives it. */
  readonly write: (writer: string) => Effect.Effect<number, SqlError>
  /** Everything that was written. */
  readonly entries: Effect.Effect<
    ReadonlyArray<{ readonly writer: string; readonly epoch: number }>,
    SqlError
  >
  /** The lease as it stands in its table. */
  readonly row: Effect.Effect<
    { readonly holder: string; readonly epoch: number; readonly expires_at: number } | undefined,
    SqlError
  >
}

/** The path of a file in a folder that is removed with the scope. */
export const file: Effect.Effect<string, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "stellar-insights-lease-"))),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  ),
  (folder) => join(folder, "lease.db")
)

/** Opens the file, and creates what it is to hold when it is new. SQLite waits for locks for `busyMillis`, with the event loop blocked. */
export const open = (filename: string, busyMillis = 5): Effect.Effect<Store, never, Scope.Scope> =>
  Effect.gen(function* () {
    const sql = yield* SqliteClient.make({ filename })
    // As the service does: SQLite's own waiting blocks the event loop.
    yield* sql`PRAGMA busy_timeout = ${sql.literal(String(busyMillis))}`
    yield* sql`PRAGMA synchronous = NORMAL`
    // It begins as a reader, so what is run in it begins with a write.
    const transaction: SqlLeases.Transaction = (body) =>
      sql.withTransaction(body).pipe(
        Effect.catchSomeDefect((defect) =>
          SqlFailure.isSqlError(defect) ? Option.some(Effect.fail(defect)) : Option.none()
        ),
        SqlFailure.withBusyRetry
      )
    yield* transaction(
      Effect.gen(function* () {
        yield* sql`CREATE TABLE IF NOT EXISTS entry
          (id INTEGER PRIMARY KEY AUTOINCREMENT, writer TEXT NOT NULL, epoch INTEGER NOT NULL) STRICT`
        const tables = yield* sql`SELECT name FROM sqlite_master WHERE name = 'lease'`
        if (tables.length === 0) yield* SqlLeases.createTable(sql)
      })
    )
    const read = yield* SqliteClient.make({ filename, readonly: true, disableWAL: true })
    return {
      leases: SqlLeases.make({ read, write: sql, transaction }),
      sql,
      transaction: Fence.guarded(transaction),
      write: (writer: string) =>
        Effect.map(
          sql<{ epoch: number }>`INSERT INTO entry (writer, epoch)
            SELECT ${writer}, epoch FROM lease WHERE name = 'tasks' RETURNING epoch`,
          (rows) => rows[0]!.epoch
        ),
      entries: read<{ writer: string; epoch: number }>`SELECT writer, epoch FROM entry ORDER BY id`,
      row: Effect.map(
        read<{
          holder: string
          epoch: number
          expires_at: number
        }>`SELECT holder, epoch, expires_at FROM lease WHERE name = 'tasks'`,
        (rows) => rows[0]
      )
    }
  }).pipe(Effect.provide(Reactivity.layer), Effect.orDie)
