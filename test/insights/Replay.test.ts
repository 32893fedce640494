/** Recorded stretches of the real networks, from the lake into the tables: everything that there is to count comes out as the oracle has it. */
import type { SqlClient } from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as WideSum from "../../src/insights/WideSum.js"
import * as Network from "../../src/stellar/Network.js"
import * as Service from "./Service.js"

const recorded = fileURLToPath(new URL("../../../shared/stellar/", import.meta.url))
const available = existsSync(recorded)
const stretches = available
  ? (JSON.parse(readFileSync(`${recorded}replay-oracle.json`, "utf8")) as ReadonlyArray<Service.Json>)
  : []

/** What the oracle says of the network as a whole, out of the tables. */
const totals = (sql: SqlClient) =>
  Effect.gen(function* () {
    const [hours] = yield* sql<Record<string, number>>`SELECT sum(ledgers) AS ledgers, sum(tx_count) AS tx,
      sum(success_tx) AS success, sum(failed_tx) AS failed, sum(op_count) AS ops, sum(tx_set_op_count) AS "txSetOps",
      sum(fee_charged) AS fees, sum(fee_bumps) AS "feeBumps", sum(account_merges) AS merges,
      sum(created_accounts) AS "createAccounts", sum(payments) AS "paymentRows" FROM network_hour`
    const [rows] = yield* sql<Record<string, number>>`SELECT (SELECT count(*) FROM payment) AS "paymentRows",
      (SELECT count(*) FROM account_merge) AS merges, (SELECT count(*) FROM fee_bump) AS "feeBumps",
      (SELECT count(*) FROM ledger_detail) AS ledgers`
    assert.deepStrictEqual({ ...hours, ...rows }, { ...hours })
    return hours!
  })

const corridors = (sql: SqlClient) =>
  Effect.gen(function* () {
    const rows = yield* sql<
      Record<string, number | string>
    >`SELECT source.name || '>' || destination.name AS key,
      sum(success) AS success, sum(failed_own) AS "failedOwn", sum(rolled_back) AS "rolledBack", sum(no_op_result) AS "noOpResult",
      sum(self_success) AS "selfSuccess", sum(self_failed) AS "selfFailed",
      sum(src_volume_hi) AS a, sum(src_volume_lo) AS b, sum(dst_volume_hi) AS c, sum(dst_volume_lo) AS d,
      sum(self_src_volume_hi) AS e, sum(self_src_volume_lo) AS f, sum(self_dst_volume_hi) AS g, sum(self_dst_volume_lo) AS h
      FROM corridor_hour JOIN asset AS source ON source.id = src_asset JOIN asset AS destination ON destination.id = dst_asset
      GROUP BY src_asset, dst_asset`
    const all: Record<string, unknown> = {}
    const others: Record<string, unknown> = {}
    for (const row of rows) {
      const number = (name: string) => Number(row[name])
      const success = number("success")
      const failedOwn = number("failedOwn")
      const rolledBack = number("rolledBack")
      const noOpResult = number("noOpResult")
      const selfSuccess = number("selfSuccess")
      const selfFailed = number("selfFailed")
      const [src, dst] = [WideSum.join(row["a"]!, row["b"]!), WideSum.join(row["c"]!, row["d"]!)]
      const [selfSrc, selfDst] = [WideSum.join(row["e"]!, row["f"]!), WideSum.join(row["g"]!, row["h"]!)]
      const failed = failedOwn + rolledBack + noOpResult + selfFailed
      const key = String(row["key"])
      all[key] = {
        attempts: success + selfSuccess + failed,
        success: success + selfSuccess,
        failed,
        srcVolume: String(src + selfSrc),
        dstVolume: String(dst + selfDst)
      }
      if (success + failedOwn + rolledBack + noOpResult === 0) continue
      others[key] = {
        success,
        failedOwn,
        rolledBack,
        noOpResult,
        srcVolume: String(src),
        dstVolume: String(dst)
      }
    }
    const sum = (name: string) => rows.reduce((total, row) => total + Number(row[name]), 0)
    const paymentTotals = {
      self_failed: sum("selfFailed"),
      self_ok: sum("selfSuccess"),
      success: sum("success"),
      rolledBack: sum("rolledBack"),
      failedOwn: sum("failedOwn"),
      noOpResult: sum("noOpResult")
    }
    return { all, others, paymentTotals }
  })

const assets = (sql: SqlClient) =>
  Effect.map(
    sql<
      Record<string, number>
    >`SELECT name, sum(lines_created) AS created, sum(lines_removed) AS removed, sum(lines_updated) AS updated,
      sum(authorized_delta) AS "authorizedDelta", sum(balance_delta_hi) AS hi, sum(balance_delta_lo) AS lo, sum(unknown_before) AS unknown
      FROM asset_hour JOIN asset ON asset.id = asset GROUP BY asset.id`,
    (rows) =>
      Object.fromEntries(
        rows.map(({ hi, lo, name, unknown, ...counts }) => {
          assert.strictEqual(unknown, 0)
          return [name, { ...counts, balanceDelta: String(WideSum.join(hi!, lo!)) }]
        })
      )
  )

const pools = (sql: SqlClient) =>
  Effect.map(
    sql<
      Record<string, string | number>
    >`SELECT pool_id AS id, a.name AS "assetA", b.name AS "assetB", fee_bp AS "feeBp",
      CAST(liquidity_pool.reserve_a AS TEXT) AS "reserveA", CAST(liquidity_pool.reserve_b AS TEXT) AS "reserveB",
      CAST(liquidity_pool.shares AS TEXT) AS shares, CAST(liquidity_pool.trustlines AS TEXT) AS trustlines, last_ledger AS "lastLedger",
      sum(trades) AS trades, sum(ledgers) AS "touchedLedgers",
      sum(volume_a_hi) AS ah, sum(volume_a_lo) AS al, sum(volume_b_hi) AS bh, sum(volume_b_lo) AS bl
      FROM pool_hour JOIN liquidity_pool ON liquidity_pool.id = pool JOIN asset AS a ON a.id = asset_a JOIN asset AS b ON b.id = asset_b
      GROUP BY pool`,
    (rows) =>
      Object.fromEntries(
        rows.map(({ id, ah, al, bh, bl, ...pool }) => [
          id,
          { ...pool, volumeA: String(WideSum.join(ah!, al!)), volumeB: String(WideSum.join(bh!, bl!)) }
        ])
      )
  )

describe.skipIf(!available)("a replay from the lake", () => {
  if (!available) return it("needs the folder ../shared/stellar with recorded ledgers", () => {})
  for (const oracle of stretches) {
    const { first, last, network } = oracle
    it.live(`of ${network} ${first} to ${last} leaves the tables as the oracle has them`, () =>
      Effect.gen(function* () {
        const folder = `${recorded}lake-${network}`
        const source = Service.lake(folder, Network.passphrases[network as "pubnet" | "testnet"])
        const service = yield* Service.run(yield* Service.fresh, source, first)
        yield* Service.until(service, (status) => status.lastLedger === last || status.state === "halted")
        const sql = service.database.read
        const expected = oracle as Record<string, unknown>

        const whole = yield* totals(sql)
        for (const [name, value] of Object.entries(whole)) {
          assert.strictEqual(String(value), String(expected[name]), name)
        }
        const { all, others, paymentTotals } = yield* corridors(sql)
        assert.deepStrictEqual(all, expected["corridors"])
        assert.deepStrictEqual(others, expected["corridorsExSelf"])
        const nothing = { self_failed: 0, self_ok: 0, success: 0, rolledBack: 0, failedOwn: 0, noOpResult: 0 }
        assert.deepStrictEqual(paymentTotals, { ...nothing, ...(expected["paymentTotals"] as object) })
        assert.deepStrictEqual(yield* assets(sql), expected["assets"])
        assert.deepStrictEqual(yield* pools(sql), expected["pools"])
        const failures = paymentTotals.failedOwn + paymentTotals.rolledBack + paymentTotals.noOpResult
        const [rows] = yield* sql<{ count: number }>`SELECT count(*) AS count FROM failed_attempt`
        assert.strictEqual(rows!.count, failures)
      }).pipe(Effect.scoped)
    )
  }
})
