/** Copies of a database that is being written to. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import * as Backup from "../../src/insights/Backup.js"
import * as Database from "../../src/insights/Database.js"
import * as LedgerStore from "../../src/insights/LedgerStore.js"
import * as Made from "./Made.js"
import * as Outside from "./Outside.js"
import * as Service from "./Service.js"
import * as Tables from "./Tables.js"

/** A store with so many ledgers, and where its copies go. The contents are those of the first six; later ledgers are small where these are given. */
const fresh = (count: number, contents?: Made.Contents) =>
  Effect.gen(function* () {
    const config = yield* Service.fresh
    const context = yield* Layer.build(Service.storeOn(config))
    const store = yield* Effect.provide(LedgerStore.LedgerStore, context)
    yield* store.claim("a network")
    const ledgers = Service.chain(100, count + 20).map((facts, i) =>
      Made.full(facts, contents !== undefined && i >= 6 ? { ...contents, payments: 1 } : contents)
    )
    yield* Effect.forEach(ledgers.slice(0, count), store.commit)
    const folder = yield* Service.folder
    return {
      config,
      store,
      folder,
      database: yield* Effect.provide(Database.Database, context),
      left: ledgers.slice(count),
      file: join(folder, "copy.db")
    }
  })

/** What is in a copy. */
const content = (filename: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const context = yield* Layer.build(Database.layerFrom(Service.at(filename)))
      return yield* Tables.dump((yield* Effect.provide(Database.Database, context)).read)
    })
  )

describe("a backup", () => {
  it.scoped("has everything, says what, and leaves nothing else behind", () =>
    Effect.gen(function* () {
      const { config, database, file, folder } = yield* fresh(5)
      const made = yield* Backup.run({ database: config, file, force: false })
      assert.deepStrictEqual({ ...made, bytes: 0 }, { file, bytes: 0, range: { first: 100, last: 104 } })
      assert.strictEqual(made.bytes, readFileSync(file).length)
      assert.deepStrictEqual(readdirSync(folder), ["copy.db"])
      const copy = Outside.connect(file)
      assert.deepStrictEqual(copy.pragma("integrity_check"), [{ integrity_check: "ok" }])
      copy.close()
      assert.deepStrictEqual(yield* content(file), yield* Tables.dump(database.read))
    })
  )

  it.live("is of one moment, however much is committed meanwhile, and keeps nobody waiting", () =>
    Effect.gen(function* () {
      const { config, database, file, left, store } = yield* fresh(6, { payments: 1500, accounts: 4000 })
      const before = yield* Tables.dump(database.read)
      const copying = yield* Effect.fork(Backup.run({ database: config, file, force: false }))
      let during = 0
      for (const ledger of left) {
        yield* store.commit(ledger)
        yield* Effect.sleep(0)
        if (copying.unsafePoll() === null) during += 1
      }
      const { range } = yield* Fiber.join(copying)
      // How many small commits fit beside the copy depends on the machine; that there was one says that neither waits for the other.
      assert.isAbove(during, 0)
      assert.isAtMost(range!.last, 105 + left.length - 1)
      const copied = yield* content(file)
      // Whole ledgers up to one of them, as they were at that moment.
      const last = range!.last
      if (last === 105) assert.deepStrictEqual(copied, before)
      const other = yield* fresh(last - 99, { payments: 1500, accounts: 4000 })
      assert.deepStrictEqual(copied, yield* Tables.dump(other.database.read))
    }).pipe(Effect.scoped)
  )

  it.scoped("replaces no file unless told so, and never the database", () =>
    Effect.gen(function* () {
      const { config, file, folder } = yield* fresh(1)
      writeFileSync(file, "mine")
      const refused = (options: Partial<Backup.Options>) =>
        Effect.map(
          Effect.flip(Backup.run({ database: config, file, force: false, ...options })),
          (error) => `${error._tag}: ${error.message}`
        )
      assert.match(
        yield* refused({}),
        /^BackupRefused: .*copy\.db is there already; use another name, or --force/
      )
      assert.strictEqual(readFileSync(file, "utf8"), "mine")
      const link = join(folder, "link.db")
      symlinkSync(config.filename, link)
      for (const same of [config.filename, link]) {
        assert.match(
          yield* refused({ file: same, force: true }),
          /^BackupRefused: .* is the database itself$/
        )
      }
      mkdirSync(join(folder, "sub"))
      assert.match(yield* refused({ file: join(folder, "sub"), force: true }), /is not a file$/)
      assert.match(yield* refused({ file: join(folder, "none/x.db") }), /is in a folder that is not there$/)
      assert.match(
        yield* refused({ database: Service.at(join(folder, "none.db")), file: join(folder, "y.db") }),
        /^BackupRefused: there is no database to copy: DATABASE_URL=.*none\.db/
      )
      writeFileSync(join(folder, "text.db"), "no database at all, but long enough to be looked at".repeat(20))
      assert.match(
        yield* refused({ database: Service.at(join(folder, "text.db")), file: join(folder, "y.db") }),
        /^BackupFailed: .*text\.db cannot be copied: file is not a database$/
      )
      yield* Backup.run({ database: config, file, force: true })
      assert.deepStrictEqual(readdirSync(folder).sort(), ["copy.db", "link.db", "sub", "text.db"])
      assert.strictEqual(Object.keys(yield* content(file)).length > 10, true)
    })
  )

  it.live("that is interrupted leaves nothing behind", () =>
    Effect.gen(function* () {
      const { config, database, file, folder, left, store } = yield* fresh(8, {
        payments: 1500,
        accounts: 4000
      })
      const copying = yield* Effect.fork(Backup.run({ database: config, file, force: false }))
      while (readdirSync(folder).length === 0) yield* Effect.sleep(0)
      yield* Fiber.interrupt(copying)
      assert.deepStrictEqual(readdirSync(folder), [])
      assert.strictEqual(yield* store.commit(left[0]!), "stored")
      assert.deepStrictEqual(yield* database.read`PRAGMA quick_check`, [{ quick_check: "ok" }])
      assert.isTrue(readdirSync(dirname(config.filename)).includes("insights.db"))
    }).pipe(Effect.scoped)
  )
})
