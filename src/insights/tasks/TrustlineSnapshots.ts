/**
 * The task that keeps how many hold an asset, and how much: a row for each bucket of time in which a trustline of the asset was touched.
 *
 * The sums are of all changes since the first ledger whose facts are stored, so they are differences from the unknown state before it, and say so in the API.
 */
import * as Effect from "effect/Effect"
import * as Dialect from "../Dialect.js"
import * as WideSum from "../WideSum.js"
import * as SnapshotTask from "./SnapshotTask.js"

/** Trustlines, by asset. */
export const kind: SnapshotTask.Kind = {
  name: "trustline-snapshots",
  // Hour by hour: by their order alone, the index of all assets and hours there have ever been would be gone through.
  touched: ({ read }, hour, after, limit) =>
    Effect.map(
      read<{ asset: number }>`SELECT DISTINCT asset
        FROM network_hour CROSS JOIN asset_hour
        WHERE network_hour.hour >= ${hour} AND asset_hour.hour = network_hour.hour AND asset > ${after}
        ORDER BY asset LIMIT ${limit}`,
      (rows) => rows.map(({ asset }) => asset)
    ),
  write: ({ write }, numbers, { bucket, ledger }) => {
    const base = write.literal(String(WideSum.base))
    return Effect.map(
      write<{
        asset: number
      }>`INSERT INTO trustline_snapshot (asset, bucket, as_of_ledger, lines, authorized, maintain_liabilities,
          balance_hi, balance_lo)
        SELECT asset, ${bucket}, ${ledger}, sum(lines_created) - sum(lines_removed), sum(authorized_delta),
          sum(maintain_liabilities_delta), sum(balance_delta_hi) + sum(balance_delta_lo) / ${base}, sum(balance_delta_lo) % ${base}
        FROM ${Dialect.words(write).eachInteger(numbers)} CROSS JOIN asset_hour
        WHERE asset = each.value GROUP BY asset
        ON CONFLICT (asset, bucket) DO UPDATE SET as_of_ledger = excluded.as_of_ledger, lines = excluded.lines,
          authorized = excluded.authorized, maintain_liabilities = excluded.maintain_liabilities, balance_hi = excluded.balance_hi,
          balance_lo = excluded.balance_lo
        RETURNING asset`,
      (rows) => rows.length
    )
  }
}

/** The task of the environment; see `SnapshotTask.layerConfig`. */
export const layerConfig = SnapshotTask.layerConfig(kind, ({ trustlineSnapshots }) => trustlineSnapshots)
