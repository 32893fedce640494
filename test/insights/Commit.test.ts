/** A ledger's facts go in whole, once, or not at all. */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Database from "../../src/insights/Database.js"
import * as LedgerStore from "../../src/insights/LedgerStore.js"
import * as Migrations from "../../src/insights/Migrations.js"
import * as Outbox from "../../src/insights/Outbox.js"
import * as WideSum from "../../src/insights/WideSum.js"
import type { LedgerDetails } from "../../src/stellar/facts/LedgerDetails.js"
import * as Made from "./Made.js"
import * as Service from "./Service.js"
import * as Tables from "./Tables.js"

const open = (config: { readonly url: string; readonly filename: string }) =>
  Effect.gen(function* () {
    const context = yield* Layer.build(Service.storeOn(config))
    const store = yield* Effect.provide(LedgerStore.LedgerStore, context)
    yield* store.claim("a network")
    return {
      store,
      database: yield* Effect.provide(Database.Database, context),
      outbox: yield* Effect.provide(Outbox.Outbox, context)
    }
  })
const fresh = Effect.flatMap(Service.fresh, open)
const made = (first: number, count: number, contents?: Made.Contents): ReadonlyArray<LedgerDetails> =>
  Service.chain(first, count).map((facts) => Made.full(facts, contents))

/** A store on a database of which the `n`-th statement inside a transaction fails, before it is run or right after; and how many there have been. */
const failing = (database: Database.Shape, at: number, when: "before" | "after") =>
  Effect.gen(function* () {
    let count = 0
    const point = <A>(run: Effect.Effect<A, SqlError>): Effect.Effect<A, SqlError> =>
      Effect.suspend(() => {
        count += 1
        if (count !== at) return run
        const fail = new SqlError({ message: "a failpoint", cause: undefined })
        return when === "before" ? fail : Effect.zipRight(run, fail)
      })
    const transaction: Database.Shape["transaction"] = (body) =>
      database.transaction(
        Effect.flatMap(SqlClient.TransactionConnection, ([connection, depth]) => {
          const wrapped: Connection = {
            ...connection,
            execute: (...statement) => point(connection.execute(...statement))
          }
          return Effect.provideService(body, SqlClient.TransactionConnection, [wrapped, depth])
        }) as typeof body
      )
    const context = yield* Layer.build(
      LedgerStore.layer.pipe(Layer.provide(Layer.succeed(Database.Database, { ...database, transaction })))
    )
    return { store: yield* Effect.provide(LedgerStore.LedgerStore, context), statements: () => count }
  })

describe("a commit", () => {
  it.scoped("of the same ledgers twice is the same as once", () =>
    Effect.gen(function* () {
      const ledgers = made(100, 9)
      const [once, twice] = [yield* fresh, yield* fresh]
      for (const ledger of ledgers) {
        assert.strictEqual(yield* once.store.commit(ledger), "stored")
        assert.strictEqual(yield* twice.store.commit(ledger), "stored")
        assert.strictEqual(yield* twice.store.commit(ledger), "already-stored")
      }
      const expected = yield* Tables.dump(once.database.read)
      assert.deepStrictEqual(yield* Tables.dump(twice.database.read), expected)
      const sizes = Tables.sizes(expected)
      assert.strictEqual(sizes["payment"], 9 * 41)
      assert.strictEqual(sizes["network_hour"], 1)
      assert.isAbove(sizes["failed_attempt"]!, 100)
    })
  )

  it.scoped("adds up what is more than 64 bits hold", () =>
    Effect.gen(function* () {
      const { database, store } = yield* fresh
      const ledgers = made(100, 9)
      yield* Effect.forEach(ledgers, store.commit)
      const rows = yield* database.read<{ name: string; hi: number; lo: number }>`SELECT
        source.name || '~' || destination.name AS name, sum(src_volume_hi) AS hi, sum(src_volume_lo) AS lo
        FROM corridor_hour JOIN asset AS source ON source.id = src_asset JOIN asset AS destination ON destination.id = dst_asset
        GROUP BY src_asset, dst_asset`
      const expected = new Map<string, bigint>()
      for (const { dstAsset, srcAsset, srcVolume } of ledgers.flatMap(({ corridors }) => corridors)) {
        const key = `${srcAsset}~${dstAsset}`
        expected.set(key, (expected.get(key) ?? 0n) + srcVolume)
      }
      assert.deepStrictEqual(new Map(rows.map(({ hi, lo, name }) => [name, WideSum.join(hi, lo)])), expected)
      assert.isTrue([...expected.values()].some((sum) => sum > 2n ** 63n))

      const balances = yield* database.read<{ name: string; hi: number; lo: number }>`SELECT name,
        balance_delta_hi AS hi, balance_delta_lo AS lo FROM asset_hour JOIN asset ON asset.id = asset`
      for (const { hi, lo, name } of balances) {
        const deltas = ledgers.flatMap(({ trustlines }) =>
          trustlines.assets.filter(({ asset }) => asset === name)
        )
        assert.strictEqual(
          WideSum.join(hi, lo),
          deltas.reduce((sum, { balanceDelta }) => sum + balanceDelta, 0n)
        )
      }
      assert.isTrue(balances.some(({ hi }) => hi < -9_223_372))
    })
  )

  it.scoped("keeps pools as their last ledger left them, also when they go and come again", () =>
    Effect.gen(function* () {
      const { database, store } = yield* fresh
      const pool = Effect.map(
        database.read`SELECT pool_id, asset_b, CAST(reserve_a AS TEXT) AS reserve_a, shares, first_ledger, last_ledger, created_ledger,
          removed_ledger FROM liquidity_pool ORDER BY id LIMIT 1`,
        (rows) => ({ ...rows[0] })
      )
      const [a, b, c] = made(104, 3)
      yield* store.commit(a!)
      const asset = (yield* pool)["asset_b"]
      const expected = { pool_id: Made.hash(0, "f"), asset_b: asset, first_ledger: 104 }
      yield* store.commit(b!)
      assert.deepStrictEqual(yield* pool, {
        ...expected,
        reserve_a: "0",
        shares: 0,
        last_ledger: 105,
        created_ledger: null,
        removed_ledger: 105
      })
      yield* store.commit(c!)
      assert.deepStrictEqual(yield* pool, {
        ...expected,
        reserve_a: String(2n ** 62n + 106n),
        shares: 1000,
        last_ledger: 106,
        created_ledger: 106,
        removed_ledger: null
      })
    })
  )

  it.scoped("of ten thousand operations works", () =>
    Effect.gen(function* () {
      const { database, store } = yield* fresh
      const [ledger] = made(100, 1, {
        payments: 9000,
        failures: 1500,
        accounts: 15_000,
        assets: 800,
        pools: 600
      })
      assert.strictEqual(yield* store.commit(ledger!), "stored")
      const sizes = Tables.sizes(yield* Tables.dump(database.read))
      assert.strictEqual(sizes["payment"], 9001)
      assert.strictEqual(sizes["liquidity_pool"], 600)
      assert.isAbove(sizes["outbox"]!, 9000)
      assert.isAbove(sizes["account"]!, 7000)
    })
  )

  for (const when of ["before", "after"] as const) {
    it.scoped(
      `that fails ${when} any of its statements leaves the database as it was, and goes in afterwards`,
      () =>
        Effect.gen(function* () {
          const [first, second] = made(100, 2)
          const config = yield* Service.fresh
          const { database, store } = yield* open(config)
          yield* store.commit(first!)
          const before = yield* Tables.dump(database.read)
          const counted = yield* failing(database, -1, when)
          yield* Effect.flip(
            database.transaction(Effect.zipRight(counted.store.commit(second!), Effect.fail("undone")))
          )
          const statements = counted.statements()
          for (let at = 1; at <= statements; at++) {
            const { store } = yield* failing(database, at, when)
            const error = yield* Effect.flip(store.commit(second!))
            assert.strictEqual(error._tag, "SqlError", `at ${at}`)
            assert.deepStrictEqual(yield* Tables.dump(database.read), before, `at ${at}`)
          }
          assert.isAbove(statements, 20)
          assert.strictEqual(yield* store.commit(second!), "stored")
          const other = yield* fresh
          yield* Effect.forEach([first!, second!], other.store.commit)
          assert.deepStrictEqual(yield* Tables.dump(database.read), yield* Tables.dump(other.database.read))
        })
    )
  }

  it.scoped("that failed goes in when it is tried again by the same store", () =>
    Effect.gen(function* () {
      const [first, second] = made(100, 2)
      const whole = yield* fresh
      yield* Effect.forEach([first!, second!], whole.store.commit)
      const expected = yield* Tables.dump(whole.database.read)
      // Among them statements before, between and after those that give numbers to names.
      for (const at of [4, 9, 14, 19, 24]) {
        const { database, store } = yield* fresh
        yield* store.commit(first!)
        const point = yield* failing(database, at, "after")
        yield* Effect.flip(point.store.commit(second!))
        assert.strictEqual(yield* point.store.commit(second!), "stored")
        assert.deepStrictEqual(yield* Tables.dump(database.read), expected, `at ${at}`)
      }
    })
  )

  it.scoped("in a database of the first version begins the facts there, and keeps the ledgers before", () =>
    Effect.gen(function* () {
      const config = yield* Service.fresh
      const ledgers = made(100, 3)
      const first = { "0001_ledgers": Migrations.all["0001_ledgers"]! }
      yield* Effect.scoped(
        Effect.gen(function* () {
          const old = yield* Layer.build(
            Layer.provide(Layer.scoped(Database.Database, Database.make(config, first)), Reactivity.layer)
          )
          const { write } = yield* Effect.provide(Database.Database, old)
          const { hash, previousHash } = ledgers[0]!.facts
          yield* write`INSERT INTO ingestion_cursor VALUES (1, 'a network', 100, ${hash})`
          yield* write`INSERT INTO ledger VALUES (100, ${hash}, ${previousHash}, 1700000000, 23, 2, 3, 2, 1, 4, 7, 300, 1, 1, 100, 1, 1, 1, 1)`
        })
      )
      const { outbox, store } = yield* open(config)
      assert.isTrue(Option.isNone(yield* store.factsSince))
      yield* Effect.forEach(ledgers.slice(1), store.commit)
      assert.strictEqual(Option.getOrNull(yield* store.factsSince), 101)
      assert.deepStrictEqual(Option.getOrNull(yield* store.range), { first: 100, last: 102 })
      const [event] = yield* outbox.readAfter(0, 1)
      assert.strictEqual(event?.key, "101")
    })
  )
})
