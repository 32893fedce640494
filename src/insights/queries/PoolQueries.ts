/** What is asked about liquidity pools. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type { Fragment } from "@effect/sql/Statement"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as WideSum from "../WideSum.js"

/** A pool as its last touched ledger left it; nulls where no ledger has shown it. */
export interface Pool {
  /** Its number, which pages are ordered by. */
  readonly number: number
  readonly id: string
  readonly assetA: string | null
  readonly assetB: string | null
  readonly feeBp: number | null
  readonly reserveA: string | null
  readonly reserveB: string | null
  readonly shares: string | null
  readonly trustlines: number | null
  readonly lastLedger: number | null
  readonly removedLedger: number | null
}

/** What was done with a pool over some hours. */
export interface Activity {
  readonly ledgers: number
  readonly trades: number
  readonly deposits: number
  readonly withdrawals: number
  readonly volumeA: string
  readonly volumeB: string
}

/** A pool as it was. */
export interface Snapshot {
  readonly bucket: number
  readonly asOfLedger: number
  readonly reserveA: string
  readonly reserveB: string
  readonly shares: string
  readonly trustlines: number
  readonly price: number | null
  readonly feeGrowth: number | null
}

/** Questions through a connection that reads. */
export const make = (sql: SqlClient.SqlClient) => {
  const columns =
    sql.literal(`pool.id AS number, pool_id AS id, a.name AS "assetA", b.name AS "assetB", fee_bp AS "feeBp",
    CAST(reserve_a AS TEXT) AS "reserveA", CAST(reserve_b AS TEXT) AS "reserveB", CAST(shares AS TEXT) AS shares, trustlines,
    last_ledger AS "lastLedger", removed_ledger AS "removedLedger"`)
  const joined = sql.literal(
    "LEFT JOIN asset AS a ON a.id = pool.asset_a LEFT JOIN asset AS b ON b.id = pool.asset_b"
  )
  const branch = (condition: Fragment, after: number, limit: number) =>
    sql`SELECT * FROM (SELECT * FROM liquidity_pool WHERE ${condition} AND id > ${after} ORDER BY id LIMIT ${limit})`
  return {
    /** A page of pools, in the order in which they were first seen; of those that hold an asset when one is given. */
    page: (
      asset: string | undefined,
      after: number,
      limit: number
    ): Effect.Effect<ReadonlyArray<Pool>, SqlError> => {
      const number = sql`(SELECT id FROM asset WHERE name = ${asset ?? ""})`
      // No pool holds an asset twice, so the two sides have no row in common.
      const found =
        asset === undefined
          ? branch(sql`id >= 0`, after, limit)
          : sql`${branch(sql`asset_a = ${number}`, after, limit)} UNION ALL ${branch(sql`asset_b = ${number}`, after, limit)}`
      return sql<Pool>`SELECT ${columns} FROM (SELECT * FROM (${found}) AS found ORDER BY id LIMIT ${limit}) AS pool ${joined}
        ORDER BY pool.id`
    },
    /** The one of that id. */
    byId: (id: string): Effect.Effect<Option.Option<Pool>, SqlError> =>
      Effect.map(
        sql<Pool>`SELECT ${columns} FROM liquidity_pool AS pool ${joined} WHERE pool_id = ${id}`,
        ([row]) => Option.fromNullable(row)
      ),
    /** What was done with a pool from an hour on. */
    activity: (number: number, since: number): Effect.Effect<Activity, SqlError> =>
      Effect.map(
        sql<
          Record<
            "ledgers" | "trades" | "deposits" | "withdrawals" | "aHi" | "aLo" | "bHi" | "bLo",
            number | null
          >
        >`SELECT sum(ledgers) AS ledgers, sum(trades) AS trades, sum(deposits) AS deposits, sum(withdrawals) AS withdrawals, sum(volume_a_hi) AS "aHi",
            sum(volume_a_lo) AS "aLo", sum(volume_b_hi) AS "bHi", sum(volume_b_lo) AS "bLo"
          FROM pool_hour WHERE pool = ${number} AND hour >= ${since}`,
        ([row]) => ({
          ledgers: row?.ledgers ?? 0,
          trades: row?.trades ?? 0,
          deposits: row?.deposits ?? 0,
          withdrawals: row?.withdrawals ?? 0,
          volumeA: String(WideSum.join(row?.aHi ?? 0, row?.aLo ?? 0)),
          volumeB: String(WideSum.join(row?.bHi ?? 0, row?.bLo ?? 0))
        })
      ),
    /** Snapshots before a bucket, newest first. */
    snapshots: (
      number: number,
      before: number,
      limit: number
    ): Effect.Effect<ReadonlyArray<Snapshot>, SqlError> =>
      sql<Snapshot>`SELECT bucket, as_of_ledger AS "asOfLedger", CAST(reserve_a AS TEXT) AS "reserveA",
          CAST(reserve_b AS TEXT) AS "reserveB", CAST(shares AS TEXT) AS shares, trustlines, price, fee_growth AS "feeGrowth"
        FROM pool_snapshot WHERE pool = ${number} AND bucket < ${before} ORDER BY bucket DESC LIMIT ${limit}`,
    /** The first and the last snapshot of a pool with shares from a time on. */
    growth: (
      number: number,
      since: number
    ): Effect.Effect<Option.Option<{ readonly seconds: number; readonly factor: number }>, SqlError> => {
      const end = (direction: "ASC" | "DESC") =>
        sql<{ bucket: number; growth: number }>`SELECT bucket, fee_growth AS growth FROM pool_snapshot
          WHERE pool = ${number} AND bucket >= ${since} AND fee_growth > 0 ORDER BY bucket ${sql.literal(direction)} LIMIT 1`
      return Effect.zipWith(end("ASC"), end("DESC"), ([first], [last]) =>
        first === undefined || last === undefined || last.bucket === first.bucket
          ? Option.none()
          : Option.some({ seconds: last.bucket - first.bucket, factor: last.growth / first.growth })
      )
    }
  }
}
