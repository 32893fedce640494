/**
 * What tasks make out of the facts: scores by window, snapshots, and the anchors that are configured.
 *
 * Every row of a task is keyed by what it tells of and a bucket of the ledgers' time, so that making it again replaces it by itself. Windows are in seconds:
 * 3600, 86400, 604800 and 2592000. Buckets are seconds since 1970. Sums of amounts are `…_hi * 10^12 + …_lo`, see `WideSum`.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Dialect from "../Dialect.js"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { clustered, int64, real, strict } = Dialect.types(sql)

  // Names, not numbers: an anchor may be configured before any of its accounts or assets was seen.
  yield* sql`CREATE TABLE anchor (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    home_domain TEXT
  ) ${strict}`
  yield* sql`CREATE TABLE anchor_account (
    anchor TEXT NOT NULL REFERENCES anchor (id) ON DELETE CASCADE,
    address TEXT NOT NULL,
    PRIMARY KEY (anchor, address)
  ) ${clustered}`
  yield* sql`CREATE TABLE anchor_asset (
    anchor TEXT NOT NULL REFERENCES anchor (id) ON DELETE CASCADE,
    asset TEXT NOT NULL,
    PRIMARY KEY (anchor, asset)
  ) ${clustered}`

  // Attempts of the window's hours. attempts = success + failed_own; success_rate = success / attempts, null without any.
  // score: 100 * the lower Wilson bound (z = 1.96), null below 20 attempts. as_of_ledger: the ledger whose close time was "now".
  yield* sql`CREATE TABLE corridor_window (
    window_seconds ${int64} NOT NULL,
    src_asset ${int64} NOT NULL,
    dst_asset ${int64} NOT NULL,
    as_of_ledger ${int64} NOT NULL,
    attempts INTEGER NOT NULL,
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
    success_rate ${real},
    score ${real},
    status TEXT NOT NULL,
    PRIMARY KEY (window_seconds, src_asset, dst_asset)
  ) ${clustered}`
  yield* sql`CREATE INDEX corridor_window_dst ON corridor_window (window_seconds, dst_asset, src_asset)`
  yield* sql`CREATE INDEX corridor_window_attempts ON corridor_window (window_seconds, attempts, src_asset, dst_asset)`
  yield* sql`CREATE INDEX corridor_window_rate ON corridor_window (window_seconds, success_rate, src_asset, dst_asset)`
  yield* sql`CREATE INDEX corridor_window_score ON corridor_window (window_seconds, score, src_asset, dst_asset)`

  // status: green, yellow, red or unknown. deposits: from the anchor; withdrawals: to it.
  yield* sql`CREATE TABLE anchor_window (
    anchor TEXT NOT NULL REFERENCES anchor (id) ON DELETE CASCADE,
    window_seconds ${int64} NOT NULL,
    as_of_ledger ${int64} NOT NULL,
    success INTEGER NOT NULL,
    failed_own INTEGER NOT NULL,
    rolled_back INTEGER NOT NULL,
    deposits INTEGER NOT NULL,
    withdrawals INTEGER NOT NULL,
    score ${real},
    status TEXT NOT NULL,
    PRIMARY KEY (anchor, window_seconds)
  ) ${clustered}`
  yield* sql`CREATE TABLE anchor_history (
    anchor TEXT NOT NULL REFERENCES anchor (id) ON DELETE CASCADE,
    bucket ${int64} NOT NULL,
    as_of_ledger ${int64} NOT NULL,
    success INTEGER NOT NULL,
    failed_own INTEGER NOT NULL,
    rolled_back INTEGER NOT NULL,
    score ${real},
    status TEXT NOT NULL,
    PRIMARY KEY (anchor, bucket)
  ) ${clustered}`

  // A pool as it was at the end of the bucket, for buckets in which it was touched. fee_growth: sqrt(reserve_a * reserve_b) / shares.
  yield* sql`CREATE TABLE pool_snapshot (
    pool ${int64} NOT NULL,
    bucket ${int64} NOT NULL,
    as_of_ledger ${int64} NOT NULL,
    reserve_a ${int64} NOT NULL,
    reserve_b ${int64} NOT NULL,
    shares ${int64} NOT NULL,
    trustlines ${int64} NOT NULL,
    price ${real},
    fee_growth ${real},
    PRIMARY KEY (pool, bucket)
  ) ${clustered}`

  // Sums of an asset's trustline changes from facts_since to the end of the bucket, for buckets in which there were any.
  yield* sql`CREATE TABLE trustline_snapshot (
    asset ${int64} NOT NULL,
    bucket ${int64} NOT NULL,
    as_of_ledger ${int64} NOT NULL,
    lines ${int64} NOT NULL,
    authorized ${int64} NOT NULL,
    maintain_liabilities ${int64} NOT NULL,
    balance_hi ${int64} NOT NULL,
    balance_lo ${int64} NOT NULL,
    PRIMARY KEY (asset, bucket)
  ) ${clustered}`

  // The last ledger whose facts a task has worked into its rows.
  yield* sql`CREATE TABLE task_watermark (
    task TEXT NOT NULL PRIMARY KEY,
    ledger ${int64} NOT NULL
  ) ${strict}`
})
