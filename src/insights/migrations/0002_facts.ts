/**
 * What happened in ledgers: payments, failures, corridors, trustlines, pools, fees.
 *
 * - Accounts, assets and pools are numbered in the order of their first appearance, so that a payment and its indexes are a third of the size that they
 *   would have with the names in them. Asset 0 is the network's own coin.
 * - `toid` (SEP-35) is `ledger << 32 | transaction << 12 | operation`: it is key, order and ledger in one, so there is no other column for the ledger.
 * - Single amounts are 64-bit integers, as the chain has them. Sums of amounts are two columns, `…_hi * 10^12 + …_lo` with `0 <= …_lo < 10^12` (see
 *   `WideSum`): they hold what 64 bits do not, and SQL can still add them up.
 * - Tables by hour begin with the hour (seconds since 1970, a multiple of 3600), so that what one ledger writes lies together; a second index leads from
 *   an entity to its hours.
 * - Muxed ids are unsigned and so text.
 *
 * A database of version 1 holds ledgers without any of this. It keeps them; facts begin with the next ledger, which
 * `ingestion_cursor.facts_since` names from then on.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Dialect from "../Dialect.js"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { bytes, clustered, int64, strict, thenKey } = Dialect.types(sql)
  const toid = thenKey("toid")

  // The first ledger of which there are facts; null before it.
  yield* sql`ALTER TABLE ingestion_cursor ADD COLUMN facts_since ${int64}`
  // Ledgers have closed in the order of their sequences, so this leads from a time to a ledger.
  yield* sql`CREATE INDEX ledger_closed_at ON ledger (closed_at)`

  yield* sql`CREATE TABLE account (
    id ${int64} NOT NULL PRIMARY KEY,
    address TEXT NOT NULL UNIQUE
  ) ${strict}`
  // `native`, or CODE:ISSUER.
  yield* sql`CREATE TABLE asset (
    id ${int64} NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
  ) ${strict}`
  yield* sql`INSERT INTO asset (id, name) VALUES (0, 'native')`

  // Payments of successful transactions. kind: the operation, such as pathPaymentStrictSend. An account that pays itself has src = dst.
  yield* sql`CREATE TABLE payment (
    toid ${int64} NOT NULL PRIMARY KEY,
    tx_hash ${bytes} NOT NULL,
    kind TEXT NOT NULL,
    src ${int64} NOT NULL,
    dst ${int64} NOT NULL,
    src_asset ${int64} NOT NULL,
    dst_asset ${int64} NOT NULL,
    src_amount ${int64} NOT NULL,
    dst_amount ${int64} NOT NULL,
    src_muxed TEXT,
    dst_muxed TEXT
  ) ${strict}`
  // What is found by its source is left out of the indexes by destination, so the two sides of an account or asset have no row in common.
  yield* sql`CREATE INDEX payment_src ON payment (src${toid})`
  yield* sql`CREATE INDEX payment_dst ON payment (dst${toid}) WHERE src <> dst`
  yield* sql`CREATE INDEX payment_src_asset ON payment (src_asset${toid})`
  yield* sql`CREATE INDEX payment_dst_asset ON payment (dst_asset${toid}) WHERE src_asset <> dst_asset`
  yield* sql`CREATE INDEX payment_corridor ON payment (src_asset, dst_asset${toid})`

  // Payments to somebody else of failed transactions, for what is counted by account: anchors may be configured later than they fail.
  // outcome: failedOwn, rolledBack or noOpResult. Failed payments to oneself are only counted, in corridor_hour.
  yield* sql`CREATE TABLE failed_attempt (
    toid ${int64} NOT NULL PRIMARY KEY,
    outcome TEXT NOT NULL,
    src ${int64} NOT NULL,
    dst ${int64} NOT NULL,
    src_asset ${int64} NOT NULL,
    dst_asset ${int64} NOT NULL
  ) ${strict}`
  yield* sql`CREATE INDEX failed_attempt_src ON failed_attempt (src${toid})`
  yield* sql`CREATE INDEX failed_attempt_dst ON failed_attempt (dst${toid})`

  // Attempts by ordered pair of assets. Volumes are those of `success` and `self_success`.
  yield* sql`CREATE TABLE corridor_hour (
    hour ${int64} NOT NULL,
    src_asset ${int64} NOT NULL,
    dst_asset ${int64} NOT NULL,
    success INTEGER NOT NULL,
    failed_own INTEGER NOT NULL,
    rolled_back INTEGER NOT NULL,
    no_op_result INTEGER NOT NULL,
    self_success INTEGER NOT NULL,
    self_failed INTEGER NOT NULL,
    src_volume_hi ${int64} NOT NULL,
    src_volume_lo ${int64} NOT NULL,
    dst_volume_hi ${int64} NOT NULL,
    dst_volume_lo ${int64} NOT NULL,
    self_src_volume_hi ${int64} NOT NULL,
    self_src_volume_lo ${int64} NOT NULL,
    self_dst_volume_hi ${int64} NOT NULL,
    self_dst_volume_lo ${int64} NOT NULL,
    PRIMARY KEY (hour, src_asset, dst_asset)
  ) ${clustered}`
  yield* sql`CREATE INDEX corridor_hour_pair ON corridor_hour (src_asset, dst_asset, hour)`

  // What became of an asset's trustlines. unknown_before: lines whose state before a ledger was not in its meta; the deltas leave them out.
  yield* sql`CREATE TABLE asset_hour (
    hour ${int64} NOT NULL,
    asset ${int64} NOT NULL,
    lines_created INTEGER NOT NULL,
    lines_removed INTEGER NOT NULL,
    lines_updated INTEGER NOT NULL,
    authorized_delta INTEGER NOT NULL,
    maintain_liabilities_delta INTEGER NOT NULL,
    unknown_before INTEGER NOT NULL,
    balance_delta_hi ${int64} NOT NULL,
    balance_delta_lo ${int64} NOT NULL,
    PRIMARY KEY (hour, asset)
  ) ${clustered}`
  yield* sql`CREATE INDEX asset_hour_asset ON asset_hour (asset, hour)`

  // Pools as their last touched ledger left them; zeros when it removed them. A pool that was never seen but in a trade or at its removal has nulls.
  yield* sql`CREATE TABLE liquidity_pool (
    id ${int64} NOT NULL PRIMARY KEY,
    pool_id TEXT NOT NULL UNIQUE,
    asset_a ${int64},
    asset_b ${int64},
    fee_bp INTEGER,
    reserve_a ${int64},
    reserve_b ${int64},
    shares ${int64},
    trustlines ${int64},
    first_ledger ${int64},
    last_ledger ${int64},
    created_ledger ${int64},
    removed_ledger ${int64}
  ) ${strict}`
  yield* sql`CREATE INDEX liquidity_pool_asset_a ON liquidity_pool (asset_a${thenKey("id")})`
  yield* sql`CREATE INDEX liquidity_pool_asset_b ON liquidity_pool (asset_b${thenKey("id")})`

  // What was done with a pool. ledgers: how many touched it. Reserves, shares and trustlines as the last of them left it; null when never seen.
  yield* sql`CREATE TABLE pool_hour (
    hour ${int64} NOT NULL,
    pool ${int64} NOT NULL,
    ledgers INTEGER NOT NULL,
    trades INTEGER NOT NULL,
    deposits INTEGER NOT NULL,
    withdrawals INTEGER NOT NULL,
    volume_a_hi ${int64} NOT NULL,
    volume_a_lo ${int64} NOT NULL,
    volume_b_hi ${int64} NOT NULL,
    volume_b_lo ${int64} NOT NULL,
    reserve_a ${int64},
    reserve_b ${int64},
    shares ${int64},
    trustlines ${int64},
    PRIMARY KEY (hour, pool)
  ) ${clustered}`
  yield* sql`CREATE INDEX pool_hour_pool ON pool_hour (pool, hour)`

  // toid of the operation. The merge is among the payments too, for as long as these are kept; this row stays.
  yield* sql`CREATE TABLE account_merge (
    toid ${int64} NOT NULL PRIMARY KEY,
    tx_hash ${bytes} NOT NULL,
    account ${int64} NOT NULL,
    into_account ${int64} NOT NULL,
    amount ${int64} NOT NULL
  ) ${strict}`
  yield* sql`CREATE INDEX account_merge_account ON account_merge (account${toid})`
  yield* sql`CREATE INDEX account_merge_into ON account_merge (into_account${toid})`

  // toid of the transaction: that of an operation, with operation 0.
  yield* sql`CREATE TABLE fee_bump (
    toid ${int64} NOT NULL PRIMARY KEY,
    tx_hash ${bytes} NOT NULL,
    inner_hash ${bytes} NOT NULL,
    fee_source ${int64} NOT NULL,
    inner_source ${int64} NOT NULL,
    fee_charged ${int64} NOT NULL,
    max_fee ${int64} NOT NULL,
    operations INTEGER NOT NULL,
    success INTEGER NOT NULL
  ) ${strict}`

  // The network as a whole. Sums of fees stay below 2^63, which is more than there are coins.
  yield* sql`CREATE TABLE network_hour (
    hour ${int64} NOT NULL PRIMARY KEY,
    ledgers INTEGER NOT NULL,
    first_closed_at ${int64} NOT NULL,
    last_closed_at ${int64} NOT NULL,
    tx_count INTEGER NOT NULL,
    success_tx INTEGER NOT NULL,
    failed_tx INTEGER NOT NULL,
    op_count INTEGER NOT NULL,
    tx_set_op_count INTEGER NOT NULL,
    soroban_tx INTEGER NOT NULL,
    payments INTEGER NOT NULL,
    account_merges INTEGER NOT NULL,
    created_accounts INTEGER NOT NULL,
    fee_charged ${int64} NOT NULL,
    fee_bumps INTEGER NOT NULL,
    fee_bumps_success INTEGER NOT NULL,
    fee_bumps_charged ${int64} NOT NULL,
    fee_bumps_operations INTEGER NOT NULL
  ) ${strict}`

  // What else is known of a ledger. Fees in stroops per operation, null when no transaction counts (see FeeSpread). detail: JSON, see LedgerDetailTable.
  yield* sql`CREATE TABLE ledger_detail (
    sequence ${int64} NOT NULL PRIMARY KEY,
    fee_min ${int64},
    fee_p50 ${int64},
    fee_p95 ${int64},
    fee_max ${int64},
    detail TEXT NOT NULL
  ) ${strict}`
})
