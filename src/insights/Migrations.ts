/**
 * Bringing a database to the version that this program knows, or refusing it.
 *
 * All of it is one transaction, so a migration that fails leaves the file as it was, and of two processes that start at the same time one
 * migrates and the other finds it done.
 */
import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as ExitCode from "../lifecycle/ExitCode.js"
import ledgers from "./migrations/0001_ledgers.js"
import facts from "./migrations/0002_facts.js"
import outbox from "./migrations/0003_outbox.js"
import metrics from "./migrations/0004_metrics.js"
import sessions from "./migrations/0005_sessions.js"
import leases from "./migrations/0006_leases.js"
import webhooks from "./migrations/0007_webhooks.js"
import * as SqlFailure from "./SqlFailure.js"

/** A migration changes the schema from the version before it. It may fail in anything; that refuses the database. */
export type Migration = Effect.Effect<unknown, unknown, SqlClient.SqlClient>

/** Every migration by number and name, in order. One that has been released never changes. */
export const all: Readonly<Record<string, Migration>> = {
  "0001_ledgers": ledgers,
  "0002_facts": facts,
  "0003_outbox": outbox,
  "0004_metrics": metrics,
  "0005_sessions": sessions,
  "0006_leases": leases,
  "0007_webhooks": webhooks
}

/** The database is not one that this program can work with: it is left as it was. The message is for the operator, in one line. */
export class DatabaseRefused extends Data.TaggedError("DatabaseRefused")<{
  readonly message: string
  readonly cause?: unknown
}> {
  readonly [ExitCode.symbol] = ExitCode.invalid
}

/** A migration of ours does not work on this database; it is left as it was. Ends the start with code 1. */
export class MigrationFailed extends Data.TaggedError("MigrationFailed")<{
  readonly message: string
  readonly cause: unknown
}> {}

const table = "migration"

/** Refuses what a newer version wrote, and what another program did. */
const check = (sql: SqlClient.SqlClient, newest: number) =>
  Effect.gen(function* () {
    const tables = yield* sql<{ name: string }>`SELECT name FROM sqlite_master WHERE type = 'table'`
    if (tables.length === 0) return
    if (!tables.some(({ name }) => name === table)) {
      return yield* new DatabaseRefused({
        message: `holds the tables of another program (${tables[0]!.name}, …); allowed is a file of this program, or none yet`
      })
    }
    const rows = yield* sql<{
      version: number | null
    }>`SELECT max(migration_id) AS version FROM ${sql(table)}`
    const version = rows[0]?.version ?? 0
    if (version > newest) {
      return yield* new DatabaseRefused({
        message:
          `was written by a newer version of this program (schema ${version}, this one knows ${newest}); ` +
          "run that version, or restore a backup from before its upgrade"
      })
    }
  })

const migrationFailed = (error: unknown) => {
  const name = error instanceof Migrator.MigrationError ? error.message : "Migrating"
  return new MigrationFailed({
    message: `${name} and left the database as it was: ${SqlFailure.message(error)}`,
    cause: error
  })
}

/**
 * Brings the database behind `sql` to the newest of `migrations`, inside `transaction`, which must begin with the write lock. Messages say what is
 * wrong with the database and leave it to the caller to say which one it is. Interrupting it rolls back.
 */
export const run = (
  sql: SqlClient.SqlClient,
  transaction: <A, E, R>(body: Effect.Effect<A, E, R>) => Effect.Effect<A, E | SqlError, R>,
  migrations: Readonly<Record<string, Migration>> = all
): Effect.Effect<void, DatabaseRefused | MigrationFailed | SqlError> => {
  const newest = Math.max(0, ...Object.keys(migrations).map((name) => Number.parseInt(name, 10)))
  const loader = Migrator.fromRecord(
    migrations as Record<string, Effect.Effect<void, unknown, SqlClient.SqlClient>>
  )
  const migrate = Migrator.make({})({ loader, table }).pipe(
    Effect.provideService(SqlClient.SqlClient, sql),
    // The migrator turns what a migration fails in into a defect, which would reach the operator as a stack trace without a name.
    Effect.catchAllCause((cause) =>
      Cause.isInterruptedOnly(cause) ? Effect.interrupt : Effect.fail(migrationFailed(Cause.squash(cause)))
    )
  )
  return transaction(Effect.zipRight(check(sql, newest), migrate)).pipe(Effect.asVoid)
}
