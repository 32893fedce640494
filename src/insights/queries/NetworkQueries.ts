/** What is asked about the network as a whole. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as NetworkTable from "../tables/NetworkTable.js"

type Column = (typeof NetworkTable.counts)[number]

/** Sums over some hours. Fees are text, the others numbers; `first` and `last` are the close times of the first and last ledger, in seconds since 1970. */
export type Sums = Readonly<Record<Exclude<Column, "fee_charged" | "fee_bumps_charged">, number>> & {
  readonly fee_charged: string
  readonly fee_bumps_charged: string
  readonly first: number | null
  readonly last: number | null
}

/** Fees per operation, in stroops. */
export interface Fees {
  readonly min: string | null
  readonly p50: string | null
  readonly p95: string | null
  readonly max: string | null
}

/** Questions through a connection that reads. */
export const make = (sql: SqlClient.SqlClient) => {
  const isFee = (column: Column) => column === "fee_charged" || column === "fee_bumps_charged"
  const sums = sql.literal(
    NetworkTable.counts
      .map((column) =>
        isFee(column)
          ? `CAST(coalesce(sum(${column}), 0) AS TEXT) AS ${column}`
          : `coalesce(sum(${column}), 0) AS ${column}`
      )
      .join(", ")
  )
  return {
    /** Sums from an hour on. */
    since: (hour: number): Effect.Effect<Sums, SqlError> =>
      Effect.map(
        sql<Sums>`SELECT ${sums}, min(first_closed_at) AS first, max(last_closed_at) AS last FROM network_hour WHERE hour >= ${hour}`,
        ([row]) => row!
      ),
    /** Fees per operation in one ledger; nulls where nothing is known of them. */
    fees: (sequence: number): Effect.Effect<Fees, SqlError> =>
      Effect.map(
        sql<Fees>`SELECT CAST(fee_min AS TEXT) AS min, CAST(fee_p50 AS TEXT) AS p50, CAST(fee_p95 AS TEXT) AS p95,
            CAST(fee_max AS TEXT) AS max
          FROM ledger_detail WHERE sequence = ${sequence}`,
        ([row]) => row ?? { min: null, p50: null, p95: null, max: null }
      )
  }
}
