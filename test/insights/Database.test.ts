/** The file: what is refused, what a version is, what a transaction does when things go wrong, and what closing leaves. */
import { assert, describe, it } from "@effect/vitest"
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqlClient from "@effect/sql/SqlClient"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import * as Database from "../../src/insights/Database.js"
import * as DatabaseConfig from "../../src/insights/DatabaseConfig.js"
import * as Migrations from "../../src/insights/Migrations.js"
import * as SqlFailure from "../../src/insights/SqlFailure.js"
import * as ExitCode from "../../src/lifecycle/ExitCode.js"
import * as Outside from "./Outside.js"
import * as Service from "./Service.js"

const open = (config: DatabaseConfig.DatabaseConfig, migrations = Migrations.all) =>
  Database.make(config, migrations).pipe(Effect.provide(Reactivity.layer))

/** The error of an opening that must fail: one line that names the setting. */
const refusal = (config: DatabaseConfig.DatabaseConfig, migrations = Migrations.all) =>
  Effect.map(Effect.flip(Effect.scoped(open(config, migrations))), (error) => {
    assert.notInclude(error.message, "\n")
    return error
  })

const refusedSetting = (config: DatabaseConfig.DatabaseConfig) =>
  Effect.map(refusal(config), (error) => {
    assert.strictEqual(error._tag, "DatabaseRefused")
    assert.include(error.message, `DATABASE_URL="${config.url}"`)
    assert.strictEqual((error as Migrations.DatabaseRefused)[ExitCode.symbol], 2)
    return error.message
  })

const schema = (db: Database.Shape) =>
  db.read<{
    sql: string
  }>`SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY name`

describe("DATABASE_URL", () => {
  const read = (value?: string) =>
    ConfigProvider.fromMap(new Map(value === undefined ? [] : [["DATABASE_URL", value]]))
      .load(DatabaseConfig.config)
      .pipe(Effect.either, Effect.runSync)

  it("names a file", () => {
    for (const [url, filename] of [
      ["sqlite:./data/x.db", "./data/x.db"],
      ["sqlite:/var/lib/x.db", "/var/lib/x.db"],
      ["sqlite:///var/lib/x.db", "/var/lib/x.db"],
      ["sqlite:C:\\data\\x.db", "C:\\data\\x.db"]
    ] as const) {
      assert.deepStrictEqual(read(url), Either.right({ url, filename }))
    }
    assert.strictEqual(Either.getOrThrow(read()).filename, "./data/insights.db")
  })

  for (const value of [
    "",
    "postgres://localhost/x",
    "sqlite:",
    "sqlite::memory:",
    "sqlite://host/x",
    "./x.db",
    "sqlite:data/"
  ]) {
    it(`refuses ${JSON.stringify(value)}`, () => {
      const message = String(Either.getOrThrow(Either.flip(read(value))))
      assert.include(message, `DATABASE_URL=${JSON.stringify(value)}`)
      assert.include(message, "must be sqlite: and the path of a file")
    })
  }
})

describe("opening", () => {
  it.scoped("creates the folder, in write-ahead mode", () =>
    Effect.gen(function* () {
      const folder = yield* Service.folder
      const db = yield* open(Service.at(join(folder, "a", "b", "x.db")))
      assert.deepStrictEqual(yield* db.read`PRAGMA journal_mode`, [{ journal_mode: "wal" }])
      assert.deepStrictEqual(yield* db.write`PRAGMA synchronous`, [{ synchronous: 1 }])
      assert.deepStrictEqual(yield* db.write`PRAGMA foreign_keys`, [{ foreign_keys: 1 }])
      for (const sql of [db.read, db.write])
        assert.deepStrictEqual(yield* sql`PRAGMA busy_timeout`, [{ timeout: 5 }])
      assert.strictEqual(SqlFailure.code(yield* Effect.flip(db.read`DELETE FROM ledger`)), "SQLITE_READONLY")
    })
  )

  it.scoped("refuses what is not a database", () =>
    Effect.gen(function* () {
      const config = yield* Service.fresh
      writeFileSync(config.filename, "not a database, though it is long enough to be looked at".repeat(20))
      assert.include(yield* refusedSetting(config), "file is not a database")
    })
  )

  it.scoped("refuses a folder in the file's place, and a file in the folder's", () =>
    Effect.gen(function* () {
      const config = yield* Service.fresh
      mkdirSync(config.filename)
      assert.include(yield* refusedSetting(config), "unable to open database file")
      const other = yield* Service.fresh
      writeFileSync(other.filename, "")
      const message = yield* refusedSetting(Service.at(join(other.filename, "x.db")))
      assert.match(message, /needs the folder .*, which cannot be created: /)
    })
  )

  it.scoped("refuses a folder or a file that cannot be written", () =>
    Effect.gen(function* () {
      const config = yield* Service.fresh
      yield* Effect.scoped(open(config))
      const before = readdirSync(dirname(config.filename))
      chmodSync(config.filename, 0o400)
      chmodSync(dirname(config.filename), 0o500)
      // Root may write anything, so there it opens.
      if (process.getuid?.() !== 0) yield* refusedSetting(config)
      chmodSync(dirname(config.filename), 0o700)
      assert.deepStrictEqual(readdirSync(dirname(config.filename)), before)
    })
  )

  it.scoped("refuses another program's database, and leaves it as it was", () =>
    Effect.gen(function* () {
      const config = yield* Service.fresh
      const other = Outside.connect(config.filename)
      other.exec("CREATE TABLE recipe (name TEXT)")
      other.close()
      assert.include(yield* refusedSetting(config), "holds the tables of another program (recipe")
      const after = Outside.connect(config.filename)
      assert.deepStrictEqual(after.prepare("SELECT name FROM sqlite_master").all(), [{ name: "recipe" }])
      after.close()
    })
  )
})

describe("migrations", () => {
  const names = Object.keys(Migrations.all)

  it.scoped("lead to the same schema from empty and from every version before", () =>
    Effect.gen(function* () {
      const whole = yield* Effect.scoped(Effect.flatMap(Effect.flatMap(Service.fresh, open), schema))
      for (let version = 0; version <= names.length; version++) {
        const config = yield* Service.fresh
        const before = Object.fromEntries(Object.entries(Migrations.all).slice(0, version))
        yield* Effect.scoped(open(config, before))
        assert.deepStrictEqual(yield* Effect.scoped(Effect.flatMap(open(config), schema)), whole)
      }
    })
  )

  it.scoped("refuse what a newer version wrote, and leave it as it was", () =>
    Effect.gen(function* () {
      const config = yield* Service.fresh
      const later = {
        ...Migrations.all,
        "0099_later": Effect.flatMap(SqlClient.SqlClient, (sql) => sql`CREATE TABLE later (x)`)
      }
      yield* Effect.scoped(open(config, later))
      const bytes = readFileSync(config.filename)
      const message = yield* refusedSetting(config)
      assert.include(
        message,
        `was written by a newer version of this program (schema 99, this one knows ${names.length})`
      )
      assert.deepStrictEqual(readFileSync(config.filename), bytes)
    })
  )

  it.scoped("that fail are named, and undone", () =>
    Effect.gen(function* () {
      const config = yield* Service.fresh
      yield* Effect.scoped(open(config))
      const broken = Effect.flatMap(SqlClient.SqlClient, (sql) =>
        Effect.zipRight(sql`CREATE TABLE half (x)`, sql`CREATE TABLE ledger (x)`)
      )
      const error = yield* refusal(config, { ...Migrations.all, "0099_broken": broken })
      assert.strictEqual(error._tag, "MigrationFailed")
      assert.include(error.message, "0099_broken".slice(2))
      assert.include(error.message, "table ledger already exists")
      assert.strictEqual(ExitCode.symbol in error, false)
      const db = yield* open(config)
      assert.deepStrictEqual(yield* db.read`SELECT name FROM sqlite_master WHERE name = 'half'`, [])
    })
  )

  it.scopedLive("wait for another process that is migrating", () =>
    Effect.gen(function* () {
      for (const mode of ["delete", "wal"]) {
        const config = yield* Service.fresh
        const other = Outside.connect(config.filename)
        other.exec(`PRAGMA journal_mode = ${mode}; BEGIN IMMEDIATE`)
        const waiting = yield* Effect.fork(Effect.scoped(open(config)))
        yield* Effect.sleep("100 millis")
        assert.isNull(waiting.unsafePoll())
        other.close()
        yield* Fiber.join(waiting)
      }
    })
  )
})

describe("a transaction", () => {
  const add = (db: Database.Shape) => db.write`INSERT INTO ingestion_cursor (id, network) VALUES (1, 'x')`
  const rows = (db: Database.Shape) =>
    Effect.map(db.read`SELECT * FROM ingestion_cursor`, (found) => found.length)

  it.scoped("is undone when its body fails, dies or is interrupted", () =>
    Effect.gen(function* () {
      const db = yield* Effect.flatMap(Service.fresh, open)
      assert.isTrue(
        Exit.isFailure(yield* Effect.exit(db.transaction(Effect.zipRight(add(db), Effect.fail("no")))))
      )
      assert.isTrue(
        Exit.isFailure(yield* Effect.exit(db.transaction(Effect.zipRight(add(db), Effect.die("no")))))
      )
      const stuck = yield* Effect.fork(db.transaction(Effect.zipRight(add(db), Effect.never)))
      yield* TestClock.adjust(0)
      yield* Fiber.interrupt(stuck)
      assert.strictEqual(yield* rows(db), 0)
      yield* db.transaction(add(db))
      assert.strictEqual(yield* rows(db), 1)
    })
  )

  it.scoped("holds the write lock from its beginning, and so never fails half-way for want of it", () =>
    Effect.gen(function* () {
      const config = yield* Service.fresh
      const db = yield* open(config)
      const other = Outside.connect(config.filename)
      other.exec("PRAGMA busy_timeout = 0")
      yield* db.transaction(
        Effect.gen(function* () {
          assert.throws(() => other.exec("BEGIN IMMEDIATE"), /locked/)
          assert.strictEqual(yield* rows(db), 0)
          yield* add(db)
        })
      )
      other.close()
    })
  )

  it.scopedLive("does not make readers wait", () =>
    Effect.gen(function* () {
      const db = yield* Effect.flatMap(Service.fresh, open)
      const stuck = yield* Effect.fork(db.transaction(Effect.zipRight(add(db), Effect.never)))
      yield* Effect.sleep("20 millis")
      assert.strictEqual(yield* Effect.timeout(rows(db), "1 second"), 0)
      yield* Fiber.interrupt(stuck)
    })
  )

  it.scopedLive("waits for a lock without blocking the event loop, and gets it", () =>
    Effect.gen(function* () {
      const config = yield* Service.fresh
      const db = yield* open(config)
      const scope = yield* Scope.make()
      yield* Scope.extend(Outside.lock(config.filename), scope)
      const waiting = yield* Effect.fork(db.transaction(add(db)))
      // Were the waiting SQLite's, these sleeps would take seconds.
      const [taken] = yield* Effect.timed(Effect.repeatN(Effect.sleep("10 millis"), 19))
      assert.isBelow(Duration.toMillis(taken), 1000)
      assert.isNull(waiting.unsafePoll())
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.join(waiting)
      assert.strictEqual(yield* rows(db), 1)
    })
  )

  it.scoped("gives up on a lock after five seconds", () =>
    Effect.gen(function* () {
      const config = yield* Service.fresh
      const db = yield* open(config)
      yield* Outside.lock(config.filename)
      const waiting = yield* Effect.fork(Effect.flip(db.transaction(add(db))))
      yield* TestClock.adjust("4900 millis")
      assert.isNull(waiting.unsafePoll())
      yield* TestClock.adjust("500 millis")
      assert.isTrue(SqlFailure.isBusy(yield* Fiber.join(waiting)))
      assert.strictEqual(yield* rows(db), 0)
    })
  )

  it.scoped("on a full disk fails, is undone, and the next one works", () =>
    Effect.gen(function* () {
      const db = yield* Effect.flatMap(Service.fresh, open)
      const [pages] = yield* db.write<{ page_count: number }>`PRAGMA page_count`
      yield* db.write`PRAGMA max_page_count = ${db.write.literal(String(pages!.page_count))}`
      const big = db.write`INSERT INTO ingestion_cursor (id, network) VALUES (1, ${"x".repeat(100_000)})`
      const error = yield* Effect.flip(db.transaction(big))
      assert.isTrue(SqlFailure.isDisk(error), String(SqlFailure.code(error)))
      assert.strictEqual(yield* rows(db), 0)
      yield* db.transaction(add(db))
      assert.strictEqual(yield* rows(db), 1)
    })
  )

  it.scoped("whose commit fails is an error, is undone, and the next one works", () =>
    Effect.gen(function* () {
      const db = yield* Effect.flatMap(Service.fresh, open)
      // A deferred constraint is what makes a commit fail at will.
      yield* db.write`CREATE TABLE child (parent INTEGER REFERENCES ingestion_cursor (id) DEFERRABLE INITIALLY DEFERRED)`
      const error = yield* Effect.flip(db.transaction(db.write`INSERT INTO child VALUES (7)`))
      assert.isTrue(SqlFailure.isSqlError(error))
      assert.deepStrictEqual(yield* db.read`SELECT * FROM child`, [])
      yield* db.transaction(add(db))
      assert.strictEqual(yield* rows(db), 1)
    })
  )
})

describe("closing", () => {
  it.scoped("writes the log back and leaves one file", () =>
    Effect.gen(function* () {
      const config = yield* Service.fresh
      yield* Effect.scoped(
        Effect.flatMap(
          open(config),
          (db) => db.write`INSERT INTO ingestion_cursor (id, network) VALUES (1, 'x')`
        )
      )
      assert.deepStrictEqual(readdirSync(dirname(config.filename)), ["insights.db"])
    })
  )

  it.scoped("ends an open transaction first, and is quick while another process reads", () =>
    Effect.gen(function* () {
      const config = yield* Service.fresh
      const scope = yield* Scope.make()
      const db = yield* Scope.extend(open(config), scope)
      yield* db.write`INSERT INTO ingestion_cursor (id, network) VALUES (1, 'x')`
      const reader = Outside.connect(config.filename, { readonly: true })
      reader.exec("BEGIN")
      reader.prepare("SELECT * FROM ingestion_cursor").all()
      yield* db.write`UPDATE ingestion_cursor SET network = 'y'`
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(existsSync(`${config.filename}-wal`))
      assert.deepStrictEqual(reader.prepare("SELECT network FROM ingestion_cursor").get(), { network: "x" })
      reader.close()
      const again = yield* open(config)
      assert.deepStrictEqual(yield* again.read`SELECT network FROM ingestion_cursor`, [{ network: "y" }])
    })
  )

  it.scoped("also when opening fails half-way", () =>
    Effect.gen(function* () {
      const config = yield* Service.fresh
      yield* refusal(config, { "0001_broken": Effect.fail("no") })
      assert.deepStrictEqual(readdirSync(dirname(config.filename)), ["insights.db"])
    })
  )
})
