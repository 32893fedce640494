/**
 * A copy of the database while it is in use, as it was at one moment.
 *
 * The copy is read within one transaction, so whatever the service commits meanwhile is in it or not as a whole: not at all. Writers are not kept waiting; the
 * write-ahead log cannot be cut back until the copy is done, so it grows meanwhile. The copy comes under another name in the folder of the file, and gets its own when it
 * is whole and on disk: a file of that name is a backup, however the process ended.
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { randomBytes } from "node:crypto"
import { open, realpath, rename, rm, stat } from "node:fs/promises"
import { dirname, resolve } from "node:path"
import * as ExitCode from "../lifecycle/ExitCode.js"
import type * as DatabaseConfig from "./DatabaseConfig.js"
import * as SqlFailure from "./SqlFailure.js"

/** What was asked for cannot be done; nothing was written. Ends the command with code 2. */
export class BackupRefused extends Data.TaggedError("BackupRefused")<{ readonly message: string }> {
  readonly [ExitCode.symbol] = ExitCode.invalid
}

/** It did not work out; nothing is left of it, and a file that was there is still the one that was. */
export class BackupFailed extends Data.TaggedError("BackupFailed")<{
  readonly message: string
  readonly cause?: unknown
}> {}

/** What to copy, and where to. */
export interface Options {
  /** The database. */
  readonly database: DatabaseConfig.DatabaseConfig
  /** Path of the copy. Its folder must be there. */
  readonly file: string
  /** Whether a file of that name may be replaced. */
  readonly force: boolean
}

/** What was copied. */
export interface Backup {
  /** Absolute path of the copy. */
  readonly file: string
  /** Its size. */
  readonly bytes: number
  /** The ledgers in it, both ends included; null when there are none. */
  readonly range: { readonly first: number; readonly last: number } | null
}

const failed = (what: string) => (cause: unknown) =>
  new BackupFailed({ message: `${what}: ${SqlFailure.message(cause)}`, cause })

const io = <A>(what: string, run: () => Promise<A>) => Effect.tryPromise({ try: run, catch: failed(what) })

/** Where a path leads to; undefined when nothing is there. */
const found = (path: string) => Effect.promise(() => realpath(path).catch(() => undefined))

/** Absolute path of the file to be written, if it may be. */
const target = Effect.fnUntraced(function* ({ database, file, force }: Options) {
  const path = resolve(file)
  const refuse = (what: string) => new BackupRefused({ message: `${file} ${what}` })
  const source = yield* found(database.filename)
  if (source === undefined) {
    return yield* new BackupRefused({
      message: `there is no database to copy: DATABASE_URL=${JSON.stringify(database.url)} names a file that is not there`
    })
  }
  const there = yield* found(path)
  if (there === source) return yield* refuse("is the database itself")
  if (there !== undefined) {
    if (!(yield* io(`${file} cannot be looked at`, () => stat(there))).isFile())
      return yield* refuse("is not a file")
    if (!force) return yield* refuse("is there already; use another name, or --force to replace it")
  }
  if ((yield* found(dirname(path))) === undefined) return yield* refuse("is in a folder that is not there")
  return path
})

/** On disk, not only on its way. */
const flushed = (path: string) =>
  io(`${path} cannot be written to disk`, async () => {
    const handle = await open(path, "r")
    try {
      await handle.sync()
      return (await handle.stat()).size
    } finally {
      await handle.close()
    }
  })

/** What SQLite keeps beside a file while it writes it. */
const beside = ["", "-journal", "-wal", "-shm"]

const copy = ({ database }: Options, to: string) =>
  Effect.gen(function* () {
    const sql = yield* SqliteClient.make({ filename: database.filename, readonly: true, disableWAL: true })
    const tables = yield* sql`SELECT name FROM sqlite_master WHERE name IN ('migration', 'ledger')`
    if (tables.length < 2) {
      return yield* new BackupRefused({
        message: `DATABASE_URL=${JSON.stringify(database.url)} is not a database of this program`
      })
    }
    // Within a transaction that has read something, all pages are of that moment; else the copy would begin anew with every commit.
    yield* sql`BEGIN`
    const [range] = yield* sql<{ first: number | null; last: number | null }>`SELECT
      (SELECT min(sequence) FROM ledger) AS first, (SELECT max(sequence) FROM ledger) AS last`
    yield* sql.backup(to)
    yield* sql`ROLLBACK`
    return range === undefined || range.first === null || range.last === null
      ? null
      : { first: range.first, last: range.last }
  }).pipe(
    Effect.scoped,
    Effect.provide(Reactivity.layer),
    Effect.catchAllDefect(Effect.fail),
    Effect.mapError((error) =>
      error instanceof BackupRefused ? error : failed(`${database.filename} cannot be copied`)(error)
    )
  )

/**
 * Makes the copy. Fails with {@link BackupRefused} or {@link BackupFailed}. Interrupting it leaves nothing behind.
 */
export const run: (options: Options) => Effect.Effect<Backup, BackupRefused | BackupFailed> = Effect.fn(
  "Backup.run"
)(function* (options: Options) {
  const file = yield* target(options)
  const partial = `${file}.${randomBytes(4).toString("hex")}.partial`
  const remove = Effect.promise(() =>
    Promise.all(beside.map((end) => rm(`${partial}${end}`, { force: true }).catch(() => undefined)))
  )
  return yield* Effect.acquireUseRelease(
    remove,
    () =>
      Effect.gen(function* () {
        const range = yield* copy(options, partial)
        const bytes = yield* flushed(partial)
        // Somebody may have made a file of that name in the meantime.
        yield* target(options)
        yield* io(`${options.file} cannot be written`, () => rename(partial, file))
        yield* flushed(dirname(file))
        return { file, bytes, range }
      }),
    () => remove
  )
})
