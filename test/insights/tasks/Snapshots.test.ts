/** Snapshots of pools and trustlines, against what the ledgers say. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Database from "../../../src/insights/Database.js"
import * as LedgerStore from "../../../src/insights/LedgerStore.js"
import * as Outbox from "../../../src/insights/Outbox.js"
import * as PoolSnapshots from "../../../src/insights/tasks/PoolSnapshots.js"
import * as SnapshotTask from "../../../src/insights/tasks/SnapshotTask.js"
import * as TrustlineSnapshots from "../../../src/insights/tasks/TrustlineSnapshots.js"
import * as WideSum from "../../../src/insights/WideSum.js"
import * as Made from "../Made.js"
import * as Service from "../Service.js"

const bucket = 300

const fresh = (kind: SnapshotTask.Kind) =>
  Effect.gen(function* () {
    const config = yield* Service.fresh
    const context = yield* Layer.build(Service.storeOn(config))
    const store = Context.get(context, LedgerStore.LedgerStore)
    yield* store.claim("a network")
    return {
      store,
      outbox: Context.get(context, Outbox.Outbox),
      database: Context.get(context, Database.Database),
      snapshot: yield* Effect.provide(SnapshotTask.makeUnit(kind, bucket), context)
    }
  })

/** Ledgers a minute apart, over an hour's end. */
const ledgers = Service.chain(100, 30).map((facts, i) =>
  Made.full({ ...facts, closeTime: 1_700_001_600 + 60 * i }, { payments: 3 })
)
const bucketOf = (closeTime: number) => closeTime - (closeTime % bucket)

describe("pool snapshots", () => {
  it.scoped("hold each pool as it was when its bucket was last looked at, once", () =>
    Effect.gen(function* () {
      const { database, outbox, snapshot, store } = yield* fresh(PoolSnapshots.kind)
      yield* snapshot
      const expected = new Map<string, unknown>()
      for (const ledger of ledgers) {
        yield* store.commit(ledger)
        yield* snapshot
        yield* snapshot
        for (const { id, reserveA, reserveB, shares } of ledger.pools.images) {
          const at = bucketOf(ledger.facts.closeTime)
          expected.set(`${id} ${at}`, {
            ledger: ledger.facts.sequence,
            a: String(reserveA),
            b: String(reserveB),
            shares: String(shares)
          })
        }
        for (const id of ledger.pools.removed) {
          const at = bucketOf(ledger.facts.closeTime)
          expected.set(`${id} ${at}`, { ledger: ledger.facts.sequence, a: "0", b: "0", shares: "0" })
        }
      }
      const rows = yield* database.read<{
        id: string
        bucket: number
      }>`SELECT pool_id AS id, bucket, as_of_ledger AS ledger,
        CAST(pool_snapshot.reserve_a AS TEXT) AS a, CAST(pool_snapshot.reserve_b AS TEXT) AS b, CAST(pool_snapshot.shares AS TEXT) AS shares
        FROM pool_snapshot JOIN liquidity_pool ON liquidity_pool.id = pool`
      assert.deepStrictEqual(
        new Map(rows.map(({ bucket, id, ...row }) => [`${id} ${bucket}`, row])),
        expected
      )
      const [one] = yield* database.read<{
        price: number
        growth: number
        a: number
        b: number
        shares: number
      }>`SELECT price,
        fee_growth AS growth, reserve_a * 1.0 AS a, reserve_b AS b, shares FROM pool_snapshot WHERE shares > 0 LIMIT 1`
      assert.closeTo(one!.price, one!.b / one!.a, 1e-12)
      assert.closeTo(one!.growth / (Math.sqrt(one!.a * one!.b) / one!.shares), 1, 1e-12)
      const events = (yield* outbox.readAfter(0, 10_000)).filter(({ kind }) => kind === "snapshot_update")
      assert.strictEqual(events.length, ledgers.length, "one for each look that found something new")
    })
  )
})

describe("trustline snapshots", () => {
  it.scoped("hold the sums of all changes up to then, beyond 64 bits", () =>
    Effect.gen(function* () {
      const { database, snapshot, store } = yield* fresh(TrustlineSnapshots.kind)
      const sums = new Map<string, { lines: number; authorized: number; balance: bigint }>()
      const expected = new Map<string, unknown>()
      for (const ledger of ledgers) {
        yield* store.commit(ledger)
        yield* snapshot
        const at = bucketOf(ledger.facts.closeTime)
        for (const { asset, authorizedDelta, balanceDelta, created, removed } of ledger.trustlines.assets) {
          const before = sums.get(asset) ?? { lines: 0, authorized: 0, balance: 0n }
          const after = {
            lines: before.lines + created - removed,
            authorized: before.authorized + authorizedDelta,
            balance: before.balance + balanceDelta
          }
          sums.set(asset, after)
          expected.set(`${asset} ${at}`, after)
        }
      }
      const rows = yield* database.read<{
        asset: string
        bucket: number
        lines: number
        authorized: number
        hi: number
        lo: number
      }>`SELECT name AS asset, bucket, lines, authorized, balance_hi AS hi, balance_lo AS lo
        FROM trustline_snapshot JOIN asset ON asset.id = trustline_snapshot.asset`
      assert.deepStrictEqual(
        new Map(
          rows.map(({ asset, bucket, hi, lo, ...row }) => [
            `${asset} ${bucket}`,
            { ...row, balance: WideSum.join(hi, lo) }
          ])
        ),
        expected
      )
      assert.isTrue(
        [...sums.values()].some(({ balance }) => balance < -(2n ** 63n)),
        "the test goes beyond 64 bits"
      )
      for (const { lo } of rows) assert.isTrue(lo >= 0 && BigInt(lo) < WideSum.base)
    })
  )
})
