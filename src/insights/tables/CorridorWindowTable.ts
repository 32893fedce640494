/** The sums and scores of corridors by window: `corridor_window`. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import type { Counts, Pair } from "../analytics/CorridorSums.js"
import * as SuccessRate from "../analytics/SuccessRate.js"
import * as Window from "../analytics/Window.js"
import * as Dialect from "../Dialect.js"
import * as BulkInsert from "./BulkInsert.js"
import * as Upsert from "./Upsert.js"

/** How a corridor does: `unknown` with fewer than 20 attempts in 24 hours, else by how far the last hour has fallen below them. */
export type Status = "unknown" | "healthy" | SuccessRate.Alert

/** A row to be written. */
export interface Row extends Pair, Counts {
  readonly window: Window.Window
  readonly status: Status
}

const key = ["window_seconds", "src_asset", "dst_asset"]
const columns = [
  "as_of_ledger",
  "attempts",
  "success",
  "failed_own",
  "rolled_back",
  "no_op_result",
  "self_success",
  "self_failed",
  "src_volume_hi",
  "src_volume_lo",
  "dst_volume_hi",
  "dst_volume_lo",
  "success_rate",
  "score",
  "status"
]

/** How `window_seconds` calls a window. */
export const secondsOf = (window: Window.Window): number => Window.hours[window] * 3600

/** Writes, to be run in the transaction of whoever calls. */
export const writes = (sql: SqlClient.SqlClient) => {
  const { eachInteger } = Dialect.words(sql)
  const insert = BulkInsert.make(sql, {
    table: "corridor_window",
    columns: [...key, ...columns],
    onConflict: `ON CONFLICT (${key.join(", ")}) DO UPDATE SET ${columns
      .map((column) => `${column} = excluded.${column}`)
      .join(", ")}`
  })
  return {
    /** Puts rows in, or in the place of those of the same corridor and window. */
    put: (asOfLedger: number, rows: ReadonlyArray<Row>): Effect.Effect<void, SqlError> =>
      insert(
        rows.map((row) => {
          const attempts = { success: row.success, failed: row.failedOwn }
          return [
            secondsOf(row.window),
            row.src,
            row.dst,
            asOfLedger,
            row.success + row.failedOwn,
            row.success,
            row.failedOwn,
            row.rolledBack,
            row.noOpResult,
            row.selfSuccess,
            row.selfFailed,
            ...Upsert.wide(row.srcVolume, row.dstVolume),
            SuccessRate.rate(attempts),
            SuccessRate.score(attempts),
            row.status
          ]
        })
      ),
    /** Removes what a corridor has in a window. */
    remove: (window: Window.Window, { dst, src }: Pair): Effect.Effect<unknown, SqlError> =>
      sql`DELETE FROM corridor_window
        WHERE window_seconds = ${secondsOf(window)} AND src_asset = ${src} AND dst_asset = ${dst}`,
    /** Names of assets by their numbers. */
    names: (ids: ReadonlyArray<number>): Effect.Effect<ReadonlyMap<number, string>, SqlError> =>
      Effect.map(
        sql<{
          id: number
          name: string
        }>`SELECT id, name FROM ${eachInteger(ids)} CROSS JOIN asset WHERE id = each.value`,
        (rows) => new Map(rows.map(({ id, name }) => [id, name]))
      )
  }
}

/** What was written before, in the order of the table's key. */
export interface Written extends Pair {
  readonly window: Window.Window
  readonly status: Status
}

/** Reads. */
export const reads = (sql: SqlClient.SqlClient) => ({
  /** At most `limit` rows of a window after a pair. */
  after: (
    window: Window.Window,
    { dst, src }: Pair,
    limit: number
  ): Effect.Effect<ReadonlyArray<Written>, SqlError> =>
    Effect.map(
      sql<Omit<Written, "window">>`SELECT src_asset AS src, dst_asset AS dst, status FROM corridor_window
        WHERE window_seconds = ${secondsOf(window)} AND (src_asset, dst_asset) > (${src}, ${dst})
        ORDER BY src_asset, dst_asset LIMIT ${limit}`,
      (rows) => rows.map((row) => ({ ...row, window }))
    )
})
