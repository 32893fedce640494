/** Attempts by pair of assets and hour: `corridor_hour`. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type * as Effect from "effect/Effect"
import type { CorridorCount } from "../../stellar/facts/Payment.js"
import * as BulkInsert from "./BulkInsert.js"
import type { Numbers } from "./Numbers.js"
import * as Upsert from "./Upsert.js"

const key = ["hour", "src_asset", "dst_asset"]
const counts = ["success", "failed_own", "rolled_back", "no_op_result", "self_success", "self_failed"]
const volumes = ["src_volume", "dst_volume", "self_src_volume", "self_dst_volume"]

/** Writes, to be run in the transaction of whoever calls. */
export const writes = (sql: SqlClient.SqlClient) => {
  const table = "corridor_hour"
  const insert = BulkInsert.make(sql, {
    table,
    columns: [...key, ...counts, ...Upsert.wideColumns(volumes)],
    onConflict: Upsert.onConflict({ table, key, add: counts, addWide: volumes })
  })
  return {
    /** Adds what a ledger counted to its hour. */
    add: (
      hour: number,
      corridors: ReadonlyArray<CorridorCount>,
      { asset }: Numbers
    ): Effect.Effect<void, SqlError> =>
      insert(
        corridors.map((corridor) => [
          hour,
          asset(corridor.srcAsset),
          asset(corridor.dstAsset),
          corridor.success,
          corridor.failedOwn,
          corridor.rolledBack,
          corridor.noOpResult,
          corridor.selfSuccess,
          corridor.selfFailed,
          ...Upsert.wide(
            corridor.srcVolume,
            corridor.dstVolume,
            corridor.selfSrcVolume,
            corridor.selfDstVolume
          )
        ])
      )
  }
}
