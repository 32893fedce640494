/**
 * The task that keeps liquidity pools as they were: a row for each bucket of time in which a pool was touched.
 *
 * `price` is reserve B over reserve A. `fee_growth` is sqrt(A * B) / shares: it grows by fees alone, whatever is deposited, withdrawn or
 * traded, so the growth between two snapshots is what a share has earned, free of prices.
 */
import * as Effect from "effect/Effect"
import * as Dialect from "../Dialect.js"
import * as SnapshotTask from "./SnapshotTask.js"

/** Liquidity pools. */
export const kind: SnapshotTask.Kind = {
  name: "liquidity-pool-snapshots",
  // Hour by hour: by their order alone, the index of all pools and hours there have ever been would be gone through.
  touched: ({ read }, hour, after, limit) =>
    Effect.map(
      read<{ pool: number }>`SELECT DISTINCT pool
        FROM network_hour CROSS JOIN pool_hour
        WHERE network_hour.hour >= ${hour} AND pool_hour.hour = network_hour.hour AND pool > ${after}
        ORDER BY pool LIMIT ${limit}`,
      (rows) => rows.map(({ pool }) => pool)
    ),
  write: ({ write }, numbers, { after, bucket }) =>
    Effect.map(
      write<{
        pool: number
      }>`INSERT INTO pool_snapshot (pool, bucket, as_of_ledger, reserve_a, reserve_b, shares, trustlines, price,
          fee_growth)
        SELECT id, ${bucket}, last_ledger, reserve_a, reserve_b, shares, trustlines, reserve_b * 1.0 / nullif(reserve_a, 0),
          sqrt(reserve_a * 1.0 * reserve_b) / nullif(shares, 0)
        FROM ${Dialect.words(write).eachInteger(numbers)} CROSS JOIN liquidity_pool
        WHERE id = each.value AND last_ledger > ${after} AND reserve_a IS NOT NULL
        ON CONFLICT (pool, bucket) DO UPDATE SET as_of_ledger = excluded.as_of_ledger, reserve_a = excluded.reserve_a,
          reserve_b = excluded.reserve_b, shares = excluded.shares, trustlines = excluded.trustlines, price = excluded.price,
          fee_growth = excluded.fee_growth
        RETURNING pool`,
      (rows) => rows.length
    )
}

/** The task of the environment; see `SnapshotTask.layerConfig`. */
export const layerConfig = SnapshotTask.layerConfig(kind, ({ poolSnapshots }) => poolSnapshots)
