/** What became of trustlines by asset and hour: `asset_hour`. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type * as Effect from "effect/Effect"
import type { TrustlineDelta } from "../../stellar/facts/EntryChanges.js"
import * as BulkInsert from "./BulkInsert.js"
import type { Numbers } from "./Numbers.js"
import * as Upsert from "./Upsert.js"

const key = ["hour", "asset"]
const counts = [
  "lines_created",
  "lines_removed",
  "lines_updated",
  "authorized_delta",
  "maintain_liabilities_delta",
  "unknown_before"
]

/** Writes, to be run in the transaction of whoever calls. */
export const writes = (sql: SqlClient.SqlClient) => {
  const table = "asset_hour"
  const insert = BulkInsert.make(sql, {
    table,
    columns: [...key, ...counts, ...Upsert.wideColumns(["balance_delta"])],
    onConflict: Upsert.onConflict({ table, key, add: counts, addWide: ["balance_delta"] })
  })
  return {
    /** Adds what a ledger changed to its hour. */
    add: (
      hour: number,
      deltas: ReadonlyArray<TrustlineDelta>,
      { asset }: Numbers
    ): Effect.Effect<void, SqlError> =>
      insert(
        deltas.map((delta) => [
          hour,
          asset(delta.asset),
          delta.created,
          delta.removed,
          delta.updated,
          delta.authorizedDelta,
          delta.maintainLiabilitiesDelta,
          delta.unknownBefore,
          ...Upsert.wide(delta.balanceDelta)
        ])
      )
  }
}
