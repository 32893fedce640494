/** A database with leases and a table to write to, opened once for each "process" that a test needs. */
import * as Reactivity from "@effect/experimental/Reactivity"
import type { SqlError } from "@effect/sql/SqlError"
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Database from "../../../src/insights/Database.js"
import * as Fence from "../../../src/lease/Fence.js"
import type * as Leases from "../../../src/lease/Leases.js"
import * as SqlLeases from "../../../src/lease/SqlLeases.js"

const migrations = {
  "0001_lease": Effect.flatMap(SqlClient.SqlClient, SqlLeases.createTable),
  "0002_entry": Effect.flatMap(
    SqlClient.SqlClient,
    (sql) =>
      sql`CREATE TABLE entry (id INTEGER PRIMARY KEY AUTOINCREMENT, writer TEXT NOT NULL, epoch INTEGER NOT NULL) STRICT`
  )
}

export interface Store {
  readonly leases: Leases.Shape
  readonly db: Database.Shape
  /** Transactions that begin with the fence of whoever runs them. */
  readonly transaction: SqlLeases.Transaction
  /** To be run in a transaction: writes a row with the epoch that the lease has at that moment. */
  readonly write: (writer: string) => Effect.Effect<void, SqlError>
  /** Everything that was written. */
  readonly entries: Effect.Effect<
    ReadonlyArray<{ readonly writer: string; readonly epoch: number }>,
    SqlError
  >
  /** The table of leases as it is. */
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

/** Opens the file. */
export const open = (filename: string): Effect.Effect<Store, never, Scope.Scope> =>
  Effect.gen(function* () {
    const db = yield* Database.make({ url: `sqlite:${filename}`, filename }, migrations)
    return {
      db,
      leases: SqlLeases.make(db),
      transaction: Fence.guarded(db.transaction),
      write: (writer: string) =>
        Effect.asVoid(
          db.write`INSERT INTO entry (writer, epoch) SELECT ${writer}, epoch FROM lease WHERE name = 'tasks'`
        ),
      entries: db.read<{ writer: string; epoch: number }>`SELECT writer, epoch FROM entry ORDER BY id`,
      row: Effect.map(
        db.read<{
          holder: string
          epoch: number
          expires_at: number
        }>`SELECT holder, epoch, expires_at FROM lease WHERE name = 'tasks'`,
        (rows) => rows[0]
      )
    }
  }).pipe(Effect.provide(Reactivity.layer), Effect.orDie)
