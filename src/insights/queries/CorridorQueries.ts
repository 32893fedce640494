/** What is asked about corridors. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type { Fragment } from "@effect/sql/Statement"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Window from "../analytics/Window.js"
import type * as CorridorWindowTable from "../tables/CorridorWindowTable.js"
import { secondsOf } from "../tables/CorridorWindowTable.js"
import * as WideSum from "../WideSum.js"

/** By what corridors are ordered, the most first. */
export type Sort = "attempts" | "successRate" | "score"

/** A corridor over a window. */
export interface Corridor {
  readonly source: string
  readonly destination: string
  readonly status: CorridorWindowTable.Status
  readonly asOfLedger: number
  readonly attempts: number
  readonly success: number
  readonly failed: number
  readonly rolledBack: number
  readonly rejected: number
  readonly selfSuccess: number
  readonly selfFailed: number
  readonly successRate: number | null
  readonly score: number | null
  readonly sourceVolume: string
  readonly destinationVolume: string
}

/** A corridor with its place in a page. */
export interface Placed {
  readonly corridor: Corridor
  /** What it is ordered by, then the numbers of its assets. */
  readonly place: readonly [number, number, number]
}

/** Which corridors. */
export interface Filter {
  readonly window: Window.Window
  readonly sort: Sort
  readonly source?: string
  readonly destination?: string
  readonly minAttempts?: number
  readonly minSuccessRate?: number
  readonly maxSuccessRate?: number
  /** The place of the last one that was given. */
  readonly after?: readonly [number, number, number]
  readonly limit: number
}

/** Attempts in an hour. */
export interface Hour {
  readonly hour: number
  readonly success: number
  readonly failed: number
  readonly rolledBack: number
  readonly rejected: number
  readonly selfSuccess: number
  readonly selfFailed: number
  readonly sourceVolume: string
  readonly destinationVolume: string
}

interface Volumes {
  readonly srcHi: number
  readonly srcLo: number
  readonly dstHi: number
  readonly dstLo: number
}

const withVolumes = <A extends Volumes>({ dstHi, dstLo, srcHi, srcLo, ...row }: A) => ({
  ...row,
  sourceVolume: WideSum.text(srcHi, srcLo),
  destinationVolume: WideSum.text(dstHi, dstLo)
})

/**
 * A row of a page, by the order of its columns. The driver makes arrays in half of the time that objects take it, which is most of what a page costs.
 */
type PageRow = readonly [
  src: number,
  dst: number,
  status: Corridor["status"],
  asOfLedger: number,
  attempts: number,
  success: number,
  failed: number,
  rolledBack: number,
  rejected: number,
  selfSuccess: number,
  selfFailed: number,
  successRate: number | null,
  score: number | null,
  srcHi: number,
  srcLo: number,
  dstHi: number,
  dstLo: number,
  source: string,
  destination: string
]

const placed = (row: PageRow, sort: Sort): Placed => {
  const [src, dst] = row
  const corridor: Corridor = {
    source: row[17],
    destination: row[18],
    status: row[2],
    attempts: row[4],
    success: row[5],
    failed: row[6],
    rolledBack: row[7],
    rejected: row[8],
    selfSuccess: row[9],
    selfFailed: row[10],
    sourceVolume: WideSum.text(row[13], row[14]),
    destinationVolume: WideSum.text(row[15], row[16]),
    successRate: row[11],
    score: row[12],
    asOfLedger: row[3]
  }
  return { corridor, place: [corridor[sort] ?? 0, src, dst] }
}

const sortColumn: Readonly<Record<Sort, string>> = {
  attempts: "attempts",
  successRate: "success_rate",
  score: "score"
}

/** Questions through a connection that reads. */
export const make = (sql: SqlClient.SqlClient) => {
  const columns = sql.literal(`corridor_window.src_asset AS src, corridor_window.dst_asset AS dst, status,
    as_of_ledger AS "asOfLedger", attempts, success, failed_own AS failed, rolled_back AS "rolledBack", no_op_result AS rejected,
    self_success AS "selfSuccess", self_failed AS "selfFailed", success_rate AS "successRate", score, src_volume_hi AS "srcHi",
    src_volume_lo AS "srcLo", dst_volume_hi AS "dstHi", dst_volume_lo AS "dstLo"`)
  type Row = Omit<Corridor, "sourceVolume" | "destinationVolume"> &
    Volumes & { readonly src: number; readonly dst: number }

  const assetNumber = (name: string): Effect.Effect<Option.Option<number>, SqlError> =>
    Effect.map(sql<{ id: number }>`SELECT id FROM asset WHERE name = ${name}`, ([row]) =>
      Option.fromNullable(row?.id)
    )

  return {
    /** A page of them. An asset that no ledger has named has none. */
    page: (filter: Filter): Effect.Effect<ReadonlyArray<Placed>, SqlError> =>
      Effect.gen(function* () {
        const where: Array<Fragment> = [sql`window_seconds = ${secondsOf(filter.window)}`]
        for (const [column, name] of [
          ["src_asset", filter.source],
          ["dst_asset", filter.destination]
        ] as const) {
          if (name === undefined) continue
          const number = yield* assetNumber(name)
          if (Option.isNone(number)) return []
          where.push(sql`${sql(column)} = ${number.value}`)
        }
        const by = sql(sortColumn[filter.sort])
        where.push(sql`${by} >= 0`)
        if (filter.minAttempts !== undefined) where.push(sql`attempts >= ${filter.minAttempts}`)
        if (filter.minSuccessRate !== undefined) where.push(sql`success_rate >= ${filter.minSuccessRate}`)
        if (filter.maxSuccessRate !== undefined) where.push(sql`success_rate <= ${filter.maxSuccessRate}`)
        if (filter.after !== undefined) {
          const [value, src, dst] = filter.after
          where.push(sql`(${by}, src_asset, dst_asset) < (${value}, ${src}, ${dst})`)
        }
        const rows = yield* sql`SELECT page.*, source.name AS source, destination.name AS destination
          FROM (SELECT ${columns} FROM corridor_window WHERE ${sql.and(where)}
            ORDER BY ${by} DESC, src_asset DESC, dst_asset DESC LIMIT ${filter.limit}) AS page
            JOIN asset AS source ON source.id = src JOIN asset AS destination ON destination.id = dst
          ORDER BY ${sql(filter.sort)} DESC, src DESC, dst DESC`.values
        // The columns stand in the statement; the driver gives them as arrays of anything.
        return (rows as unknown as ReadonlyArray<PageRow>).map((row) => placed(row, filter.sort))
      }),
    /** One corridor over each window in which there was an attempt. */
    windows: (
      source: string,
      destination: string
    ): Effect.Effect<ReadonlyArray<Corridor & { readonly windowSeconds: number }>, SqlError> =>
      Effect.map(
        sql<
          Row & { windowSeconds: number }
        >`SELECT window_seconds AS "windowSeconds", ${columns}, source.name AS source,
            destination.name AS destination
          FROM asset AS source JOIN asset AS destination ON destination.name = ${destination}
            JOIN corridor_window ON src_asset = source.id AND dst_asset = destination.id
              AND window_seconds IN ${sql.in([3600, 86_400, 604_800, 2_592_000])}
          WHERE source.name = ${source} ORDER BY window_seconds`,
        (rows) => rows.map(({ dst: _dst, src: _src, ...row }) => withVolumes(row))
      ),
    /** The newest hours with an attempt from one on, newest first. */
    history: (
      source: string,
      destination: string,
      since: number,
      limit: number
    ): Effect.Effect<ReadonlyArray<Hour>, SqlError> =>
      Effect.map(
        sql<
          Omit<Hour, "sourceVolume" | "destinationVolume"> & Volumes
        >`SELECT hour, success, failed_own AS failed,
            rolled_back AS "rolledBack", no_op_result AS rejected, self_success AS "selfSuccess", self_failed AS "selfFailed",
            src_volume_hi AS "srcHi", src_volume_lo AS "srcLo", dst_volume_hi AS "dstHi", dst_volume_lo AS "dstLo"
          FROM corridor_hour
          WHERE src_asset = (SELECT id FROM asset WHERE name = ${source})
            AND dst_asset = (SELECT id FROM asset WHERE name = ${destination}) AND hour >= ${since}
          ORDER BY hour DESC LIMIT ${limit}`,
        (rows) => rows.map(withVolumes)
      )
  }
}
