/** What goes into the store, what does not, and what comes out. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Database from "../../src/insights/Database.js"
import * as LedgerStore from "../../src/insights/LedgerStore.js"
import * as ExitCode from "../../src/lifecycle/ExitCode.js"
import * as Made from "./Made.js"
import * as Service from "./Service.js"

const network = "a network"

/** The store on a file of its own, claimed. */
const fresh = Effect.gen(function* () {
  const context = yield* Effect.flatMap(Service.fresh, (config) => Layer.build(Service.storeOn(config)))
  const store = yield* Effect.provide(LedgerStore.LedgerStore, context)
  yield* store.claim(network)
  return { store, database: yield* Effect.provide(Database.Database, context) }
})
const all = { before: Option.none(), limit: 200 }
const sequences = (store: LedgerStore.Shape, options: Parameters<LedgerStore.Shape["page"]>[0] = all) =>
  Effect.map(store.page(options), (page) => page.map(({ sequence }) => sequence))

describe("commit", () => {
  it.scoped("takes any ledger first, then each successor, and gives back what it took", () =>
    Effect.gen(function* () {
      const { store } = yield* fresh
      const ledgers = Service.chain(4_294_967_290, 6)
      for (const ledger of ledgers) assert.strictEqual(yield* store.commit(Made.bare(ledger)), "stored")
      for (const ledger of ledgers) {
        assert.deepStrictEqual(Option.getOrNull(yield* store.bySequence(ledger.sequence)), ledger)
      }
      const { hash, sequence } = ledgers.at(-1)!
      assert.deepStrictEqual(Option.getOrNull(yield* store.cursor), { sequence, hash })
    })
  )

  it.scoped("takes a ledger twice without a trace", () =>
    Effect.gen(function* () {
      const { database, store } = yield* fresh
      const ledgers = Service.chain(100, 3)
      yield* Effect.forEach(ledgers.map(Made.bare), store.commit)
      const tables = Effect.zip(
        database.read`SELECT * FROM ledger`,
        database.read`SELECT * FROM ingestion_cursor`
      )
      const before = yield* tables
      for (const ledger of ledgers)
        assert.strictEqual(yield* store.commit(Made.bare(ledger)), "already-stored")
      assert.deepStrictEqual(yield* tables, before)
    })
  )

  const refused = [
    ["a gap", Service.chain(102, 1)[0]!, "does not follow the last one, 100: expected 101"],
    [
      "a gap that names the right hash",
      { ...Service.chain(102, 1)[0]!, previousHash: Service.chain(100, 1)[0]!.hash },
      "does not follow the last one, 100: expected 101"
    ],
    ["what lies before the first", Service.chain(99, 1)[0]!, "does not follow the last one, 100"],
    ["another ledger of the same sequence", Service.chain(100, 1, "b")[0]!, "but is stored with the hash"],
    [
      "a successor of another ledger",
      Service.chain(101, 1, "b")[0]!,
      "as the ledger before it, but 100 has the hash"
    ]
  ] as const
  for (const [what, ledger, why] of refused) {
    it.scoped(`refuses ${what}, and leaves everything as it was`, () =>
      Effect.gen(function* () {
        const { store } = yield* fresh
        yield* store.commit(Made.bare(Service.chain(100, 1)[0]!))
        const before = yield* store.cursor
        const error = yield* Effect.flip(store.commit(Made.bare(ledger)))
        assert.strictEqual(error._tag, "ChainMismatch")
        assert.include(error.message, `ledger ${ledger.sequence} `)
        assert.include(error.message, why)
        assert.deepStrictEqual(yield* store.cursor, before)
        assert.deepStrictEqual(yield* sequences(store), [100])
        assert.strictEqual(yield* store.commit(Made.bare(Service.chain(101, 1)[0]!)), "stored")
      })
    )
  }

  it.scoped("moves the cursor and adds the ledger, or neither", () =>
    Effect.gen(function* () {
      const { database, store } = yield* fresh
      const [first, second] = Service.chain(100, 2) as [never, never]
      yield* store.commit(Made.bare(first))
      yield* database.write`CREATE TRIGGER broken BEFORE INSERT ON ledger BEGIN SELECT RAISE(ABORT, 'broken'); END`
      assert.strictEqual((yield* Effect.flip(store.commit(Made.bare(second))))._tag, "SqlError")
      assert.strictEqual(Option.getOrThrow(yield* store.cursor).sequence, 100)
      yield* database.write`DROP TRIGGER broken`
      assert.strictEqual(yield* store.commit(Made.bare(second)), "stored")
    })
  )
})

describe("a network", () => {
  it.scoped("keeps a database that has a ledger", () =>
    Effect.gen(function* () {
      const { store } = yield* fresh
      yield* store.claim("another")
      yield* store.claim(network)
      yield* store.commit(Made.bare(Service.chain(100, 1)[0]!))
      yield* store.claim(network)
      const error = yield* Effect.flip(store.claim("another"))
      assert.strictEqual(error._tag, "NetworkMismatch")
      assert.strictEqual((error as LedgerStore.NetworkMismatch)[ExitCode.symbol], 2)
      assert.include(error.message, `"${network}"`)
      assert.include(error.message, `"another"`)
      assert.notInclude(error.message, "\n")
    })
  )
})

describe("reading", () => {
  it.scoped("an empty store gives nothing", () =>
    Effect.gen(function* () {
      const { store } = yield* fresh
      for (const nothing of [
        store.cursor,
        store.latest,
        store.range,
        store.bySequence(1),
        store.firstAfter(0)
      ]) {
        assert.isTrue(Option.isNone(yield* nothing as Effect.Effect<Option.Option<unknown>>))
      }
      assert.deepStrictEqual(yield* sequences(store), [])
    })
  )

  it.scoped("pages go from the newest to the oldest", () =>
    Effect.gen(function* () {
      const { store } = yield* fresh
      yield* Effect.forEach(Service.chain(100, 5).map(Made.bare), store.commit)
      assert.deepStrictEqual(yield* sequences(store, { before: Option.none(), limit: 2 }), [104, 103])
      assert.deepStrictEqual(yield* sequences(store, { before: Option.some(103), limit: 2 }), [102, 101])
      assert.deepStrictEqual(yield* sequences(store, { before: Option.some(101), limit: 2 }), [100])
      assert.deepStrictEqual(Option.getOrNull(yield* store.range), { first: 100, last: 104 })
      assert.strictEqual(Option.getOrThrow(yield* store.latest).sequence, 104)
      assert.strictEqual(Option.getOrThrow(yield* store.firstAfter(7)).sequence, 100)
      assert.isTrue(Option.isNone(yield* store.firstAfter(104)))
    })
  )
})

describe("awaitAfter", () => {
  it.scoped("ends at once for what is in, and at the commit for what is not", () =>
    Effect.gen(function* () {
      const { store } = yield* fresh
      const [first, second, third] = Service.chain(100, 3)
      const early = yield* Effect.fork(store.awaitAfter(99))
      const late = yield* Effect.fork(store.awaitAfter(101))
      yield* store.commit(Made.bare(first!))
      yield* Fiber.join(early)
      yield* store.awaitAfter(50)
      yield* store.commit(Made.bare(second!))
      yield* Effect.yieldNow()
      assert.isNull(late.unsafePoll())
      yield* store.commit(Made.bare(third!))
      yield* Fiber.join(late)
    })
  )

  it.scoped("knows what was there before", () =>
    Effect.gen(function* () {
      const config = yield* Service.fresh
      const use = <A, E>(f: (store: LedgerStore.Shape) => Effect.Effect<A, E>) =>
        Effect.flatMap(LedgerStore.LedgerStore, f).pipe(Effect.provide(Service.storeOn(config)))
      yield* use((store) =>
        Effect.zipRight(
          store.claim(network),
          Effect.forEach(Service.chain(100, 3).map(Made.bare), store.commit)
        )
      )
      yield* use((store) => store.awaitAfter(101))
    })
  )
})
