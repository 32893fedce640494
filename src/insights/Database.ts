/**
 * The SQLite file: one connection that writes, one that reads, and transactions that can fail without taking the connection along.
 *
 * - Readers have a connection of their own, since a read would otherwise queue behind an open write transaction.
 * - Write-ahead log with `synchronous = NORMAL`: killing the process at any instant loses no commit. Losing power may lose the last few, whole
 *   and in order; the chain still has them, so ingestion fetches them again, under the same keys. The file is never damaged by either.
 * - Waiting for a lock happens in Effect: SQLite's own waiting blocks the event loop and no timeout can cut it.
 */
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { mkdir } from "node:fs/promises"
import { dirname } from "node:path"
import * as Fence from "../lease/Fence.js"
import * as Budget from "../lifecycle/Budget.js"
import * as Resource from "../lifecycle/Resource.js"
import * as Checkpoints from "./Checkpoints.js"
import * as DatabaseConfig from "./DatabaseConfig.js"
import * as DatabaseMetrics from "./DatabaseMetrics.js"
import * as Migrations from "./Migrations.js"
import * as SqlFailure from "./SqlFailure.js"

/** The open database. */
export interface Shape {
  /** Path of the file. */
  readonly filename: string
  /** For reading. Its connection cannot write. */
  readonly read: SqlClient.SqlClient
  /** For writing; one statement or transaction at a time, others queue. Use {@link transaction} instead of its `withTransaction`. */
  readonly write: SqlClient.SqlClient
  /**
   * Runs `body`, whose statements go through {@link write}, as one transaction that holds the write lock from its beginning. Commits when it
   * succeeds, else rolls back. What runs under a lease is fenced (`Fence.guarded`). Tries again while another process holds the lock, for `SqlFailure.busyMillis` at most, so what else `body` does must
   * bear repetition. Fails with `SqlError` also when the commit itself fails. Interrupting it rolls back.
   */
  readonly transaction: <A, E, R>(body: Effect.Effect<A, E, R>) => Effect.Effect<A, E | SqlError, R>
}

/** The database of the service. */
export class Database extends Context.Tag("stellar-insights/insights/Database")<Database, Shape>() {}

/** How long SQLite itself waits for a lock, in milliseconds: long enough for a neighbour's single statement, too short to be felt. */
const busyTimeoutMillis = 5

/** Pages that the writing connection keeps, in KiB: a ledger touches hundreds, all over the indexes. SQLite's own 2 MiB would read them anew each time. */
const cacheKibibytes = 32_768

/**
 * Transactions of our own, because the client's begin as readers (and then cannot become writers while somebody else commits), and turn
 * a commit that fails on a full disk into a defect that leaves the transaction open.
 */
const makeTransaction = (write: SqlClient.SqlClient): Shape["transaction"] => {
  const execute = (text: string) => (connection: Connection) =>
    connection.executeUnprepared(text, [], undefined)
  // SQLite has often rolled back already when something failed, and then says that there is nothing to roll back.
  const rollback = (connection: Connection) => Effect.ignore(execute("ROLLBACK")(connection))
  const run = SqlClient.makeWithTransaction({
    transactionTag: SqlClient.TransactionConnection,
    spanAttributes: [["db.system.name", "sqlite"]],
    acquireConnection: Effect.flatMap(Scope.make(), (scope) =>
      Effect.map(Scope.extend(write.reserve, scope), (connection) => [scope, connection] as const)
    ),
    begin: execute("BEGIN IMMEDIATE"),
    commit: (connection) => Effect.tapError(execute("COMMIT")(connection), () => rollback(connection)),
    rollback,
    savepoint: (connection, id) => execute(`SAVEPOINT insights_${id}`)(connection),
    rollbackSavepoint: (connection, id) => execute(`ROLLBACK TO SAVEPOINT insights_${id}`)(connection)
  })
  return (body) =>
    run(body).pipe(
      Effect.catchSomeDefect((defect) =>
        SqlFailure.isSqlError(defect) ? Option.some(Effect.fail(defect)) : Option.none()
      ),
      SqlFailure.withBusyRetry
    )
}

/** Opens a connection. What the driver throws is a defect of the client's making; here it is an error. */
const connect = (filename: string, readonly: boolean) =>
  Effect.gen(function* () {
    // The client would set WAL before the busy timeout, and so wait for a lock with the event loop blocked.
    const sql = yield* SqliteClient.make({ filename, readonly, disableWAL: true })
    yield* sql`PRAGMA busy_timeout = ${sql.literal(String(busyTimeoutMillis))}`
    if (readonly) return sql
    const mode = yield* SqlFailure.withBusyRetry(sql<{ journal_mode: string }>`PRAGMA journal_mode = WAL`)
    if (mode[0]?.journal_mode !== "wal") {
      return yield* new Migrations.DatabaseRefused({ message: "the file system allows no write-ahead log" })
    }
    yield* sql`PRAGMA synchronous = NORMAL`
    yield* sql`PRAGMA foreign_keys = ON`
    yield* sql`PRAGMA analysis_limit = 400`
    yield* sql`PRAGMA cache_size = ${sql.literal(String(-cacheKibibytes))}`
    yield* sql`PRAGMA wal_autocheckpoint = ${sql.literal(String(Checkpoints.alonePages))}`
    return sql
  }).pipe(Effect.catchAllDefect(Effect.fail))

/** Last work before the handles close. Each step may fail without the next one being left out; closing comes in any case. */
const settle = (write: SqlClient.SqlClient) =>
  Effect.gen(function* () {
    yield* write`PRAGMA optimize`
    // A passive one keeps nobody from writing: the process that has taken over the work is at its first ledger now. Whoever closes last removes the log.
    yield* write`PRAGMA wal_checkpoint(PASSIVE)`
  }).pipe(Effect.catchAllCause((cause) => Effect.logDebug("database was not tidied before closing", cause)))

/**
 * Opens the file, brings it to the current version, and closes it with the scope: open transactions end first, then the log is written back and the
 * handles close. Fails with `DatabaseRefused` (one line that names the setting), or `MigrationFailed`.
 */
export const make = Effect.fn("Database.make")(function* (
  config: DatabaseConfig.DatabaseConfig,
  migrations: Readonly<Record<string, Migrations.Migration>> = Migrations.all
) {
  const refuse = (what: string, cause?: unknown) =>
    new Migrations.DatabaseRefused({ message: `DATABASE_URL=${JSON.stringify(config.url)} ${what}`, cause })
  const unusable = (cause: unknown) => {
    const code = SqlFailure.code(cause)
    return refuse(
      `cannot be opened: ${SqlFailure.message(cause)}${code === undefined ? "" : ` (${code})`}`,
      cause
    )
  }
  const { filename } = config

  yield* Effect.tryPromise(() => mkdir(dirname(filename), { recursive: true })).pipe(
    Effect.mapError(({ error }) =>
      refuse(
        `needs the folder ${dirname(filename)}, which cannot be created: ${SqlFailure.message(error)}`,
        error
      )
    )
  )
  const write = yield* Effect.mapError(connect(filename, false), unusable)
  const transaction = makeTransaction(write)
  yield* Migrations.run(write, transaction, migrations).pipe(
    Effect.catchTags({
      SqlError: (error) => unusable(error),
      DatabaseRefused: (error) => refuse(error.message, error)
    })
  )
  yield* Effect.addFinalizer(() => settle(write))
  const read = yield* Effect.mapError(connect(filename, true), unusable)
  const committed = yield* Checkpoints.run(filename, write)
  const counted: Shape["transaction"] = (body) =>
    Effect.zipLeft(DatabaseMetrics.measured(transaction(body)), committed)
  return { filename, read, write, transaction: Fence.guarded(counted) } satisfies Shape
})

/** The database at `config`, without a name or a limit: for tests and tools. */
export const layerFrom = (config: DatabaseConfig.DatabaseConfig) =>
  Layer.scoped(Database, make(config)).pipe(Layer.provide(Reactivity.layer))

/**
 * The database of the environment (`DATABASE_URL`), released as `database` within `SHUTDOWN_DB_TIMEOUT`. Fails with `ConfigError`, `DatabaseRefused` (both
 * exit code 2) or `MigrationFailed`.
 */
export const layerConfig = Layer.unwrapEffect(
  Effect.gen(function* () {
    const { stages } = yield* Budget.Budget
    const config = yield* DatabaseConfig.config
    return Resource.named("database", { limit: stages.database })(layerFrom(config))
  })
)
