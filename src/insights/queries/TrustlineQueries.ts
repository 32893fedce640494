/** What is asked about the trustlines of an asset. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as WideSum from "../WideSum.js"

/** Changes, summed up. */
export interface Changes {
  readonly created: number
  readonly removed: number
  readonly updated: number
  readonly authorized: number
  readonly maintainLiabilities: number
  readonly unknownBefore: number
  readonly balance: string
}

/** Changes of an hour. */
export interface Hour extends Changes {
  readonly hour: number
}

interface Wide {
  readonly hi: number
  readonly lo: number
}

const withBalance = <A extends Wide>({ hi, lo, ...row }: A) => ({
  ...row,
  balance: String(WideSum.join(hi, lo))
})

/** Questions through a connection that reads. */
export const make = (sql: SqlClient.SqlClient) => {
  const number = (asset: string) => sql`(SELECT id FROM asset WHERE name = ${asset})`
  return {
    /** All changes since there are facts; none for an asset whose trustlines no stored ledger touched. */
    total: (asset: string): Effect.Effect<Option.Option<Changes>, SqlError> =>
      Effect.map(
        sql<
          Omit<Changes, "balance"> & Wide & { readonly hours: number }
        >`SELECT count(*) AS hours, sum(lines_created) AS created,
            sum(lines_removed) AS removed, sum(lines_updated) AS updated, sum(authorized_delta) AS authorized,
            sum(maintain_liabilities_delta) AS "maintainLiabilities", sum(unknown_before) AS "unknownBefore",
            sum(balance_delta_hi) AS hi, sum(balance_delta_lo) AS lo
          FROM asset_hour WHERE asset = ${number(asset)}`,
        ([row]) => {
          if (row === undefined || row.hours === 0) return Option.none()
          const { hours: _hours, ...changes } = row
          return Option.some(withBalance(changes))
        }
      ),
    /** Hours with a change, newest first. */
    history: (asset: string, limit: number): Effect.Effect<ReadonlyArray<Hour>, SqlError> =>
      Effect.map(
        sql<
          Omit<Hour, "balance"> & Wide
        >`SELECT hour, lines_created AS created, lines_removed AS removed, lines_updated AS updated,
            authorized_delta AS authorized, maintain_liabilities_delta AS "maintainLiabilities", unknown_before AS "unknownBefore",
            balance_delta_hi AS hi, balance_delta_lo AS lo
          FROM asset_hour WHERE asset = ${number(asset)} ORDER BY hour DESC LIMIT ${limit}`,
        (rows) => rows.map(withBalance)
      ),
    /** Snapshots, newest first. */
    snapshots: (
      asset: string,
      limit: number
    ): Effect.Effect<
      ReadonlyArray<{
        readonly bucket: number
        readonly asOfLedger: number
        readonly lines: number
        readonly authorized: number
        readonly maintainLiabilities: number
        readonly balance: string
      }>,
      SqlError
    > =>
      Effect.map(
        sql<
          Record<"bucket" | "asOfLedger" | "lines" | "authorized" | "maintainLiabilities", number> & Wide
        >`SELECT bucket, as_of_ledger AS "asOfLedger", lines, authorized, maintain_liabilities AS "maintainLiabilities",
            balance_hi AS hi, balance_lo AS lo
          FROM trustline_snapshot WHERE asset = ${number(asset)} ORDER BY bucket DESC LIMIT ${limit}`,
        (rows) => rows.map(withBalance)
      ),
    /** The first ledger whose facts are stored. */
    since: Effect.map(
      sql<{ since: number | null }>`SELECT facts_since AS since FROM ingestion_cursor WHERE id = 1`,
      ([row]) => row?.since ?? null
    )
  }
}
