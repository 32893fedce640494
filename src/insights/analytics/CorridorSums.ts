/**
 * Attempts of every corridor over every window, kept up to date at the cost of what has changed.
 *
 * Whole hours that are over do not change any more, so their sums are kept in memory: when an hour has passed, it is added to each window and the hour that fell
 * out of the window is subtracted. What the running hour has so far comes on top each time.
 */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as WideSum from "../WideSum.js"
import * as Window from "./Window.js"

/** Attempts from one asset to another, other than those of accounts with themselves unless it says so. */
export interface Counts {
  success: number
  failedOwn: number
  rolledBack: number
  noOpResult: number
  selfSuccess: number
  selfFailed: number
  /** What left and what arrived with `success`, in stroops. */
  srcVolume: bigint
  dstVolume: bigint
}

/** A corridor, by the numbers of its assets. */
export interface Pair {
  readonly src: number
  readonly dst: number
}

/** What a pair is called. */
export const keyOf = ({ dst, src }: Pair): string => `${src}~${dst}`

/** What has become of the sums. Valid until the next update. */
export interface Update {
  /** The sums of a pair over a window; undefined when there was no attempt in it. */
  readonly of: (window: Window.Window, key: string) => (Pair & Counts) | undefined
  /** The pairs with an attempt in the longest window. */
  readonly keys: Iterable<string>
  /** The pairs whose sums may be others than at the update before; undefined when this is the first. */
  readonly touched: ReadonlySet<string> | undefined
}

const columns = [
  "success",
  "failedOwn",
  "rolledBack",
  "noOpResult",
  "selfSuccess",
  "selfFailed"
] as const satisfies ReadonlyArray<keyof Counts>

interface Row extends Pair, Readonly<Record<(typeof columns)[number], number>> {
  readonly srcHi: number
  readonly srcLo: number
  readonly dstHi: number
  readonly dstLo: number
}

type Mutable = Map<string, Pair & Counts>

const longest: Window.Window = "30d"

const merged = (into: Pair & Counts, row: Counts, sign: 1 | -1): Pair & Counts => {
  for (const column of columns) into[column] += sign * row[column]
  into.srcVolume += BigInt(sign) * row.srcVolume
  into.dstVolume += BigInt(sign) * row.dstVolume
  return into
}

const addTo = (sums: Mutable, row: Pair & Counts, sign: 1 | -1): void => {
  const key = keyOf(row)
  const into = sums.get(key)
  if (into === undefined) {
    sums.set(key, { ...row })
    return
  }
  merged(into, row, sign)
  if (columns.every((column) => into[column] === 0)) sums.delete(key)
}

const plus = (a: (Pair & Counts) | undefined, b: (Pair & Counts) | undefined) => {
  if (a === undefined || b === undefined) return a ?? b
  return merged({ ...a }, b, 1)
}

/** Reads one hour: at most some thousand rows, along the table's own order. */
const hourOf = (
  sql: SqlClient.SqlClient,
  hour: number
): Effect.Effect<ReadonlyArray<Pair & Counts>, SqlError> =>
  Effect.map(
    sql<Row>`SELECT src_asset AS src, dst_asset AS dst, success, failed_own AS "failedOwn", rolled_back AS "rolledBack",
        no_op_result AS "noOpResult", self_success AS "selfSuccess", self_failed AS "selfFailed", src_volume_hi AS "srcHi",
        src_volume_lo AS "srcLo", dst_volume_hi AS "dstHi", dst_volume_lo AS "dstLo"
      FROM corridor_hour WHERE hour = ${hour}`,
    (rows) =>
      rows.map(({ dstHi, dstLo, srcHi, srcLo, ...row }) => ({
        ...row,
        srcVolume: WideSum.join(srcHi, srcLo),
        dstVolume: WideSum.join(dstHi, dstLo)
      }))
  )

/** The hours of the table from one to before another: idle ones are passed over by the index. */
const hoursBetween = (sql: SqlClient.SqlClient, from: number, to: number, most: number) =>
  Effect.map(
    sql<{
      hour: number
    }>`SELECT hour FROM network_hour WHERE hour >= ${from} AND hour < ${to} ORDER BY hour LIMIT ${most}`,
    (rows) => rows.map(({ hour }) => hour)
  )

/** Sums that have not been computed yet; `between` is run between any two statements. */
export const make = (sql: SqlClient.SqlClient, between: Effect.Effect<void>) => {
  const settled = Object.fromEntries(
    Window.all.map((window) => [window, { start: 0, end: 0, sums: new Map() as Mutable }])
  ) as Record<Window.Window, { start: number; end: number; sums: Mutable }>
  let running: ReadonlyMap<string, Pair & Counts> = new Map()
  let isFirst = true

  /** Applies the hours from one to before another to a window, noting in `touched` what they hold. */
  const apply = Effect.fnUntraced(function* (
    sums: Mutable,
    from: number,
    to: number,
    sign: 1 | -1,
    touched: Set<string>
  ) {
    for (const hour of yield* hoursBetween(sql, from, to, Window.hours[longest] + 1)) {
      for (const row of yield* hourOf(sql, hour)) {
        addTo(sums, row, sign)
        touched.add(keyOf(row))
      }
      yield* between
    }
  })

  /**
   * Moves all windows to `now`, in seconds since 1970, which must not go back. When it fails or is interrupted, the sums are to be thrown away.
   */
  const update = (now: number): Effect.Effect<Update, SqlError> =>
    Effect.gen(function* () {
      const touched = new Set(running.keys())
      const end = Window.hourOf(now)
      for (const window of Window.all) {
        const one = settled[window]
        const start = Window.firstHour(window, now)
        if (start >= one.end) {
          for (const key of one.sums.keys()) touched.add(key)
          one.sums.clear()
          yield* apply(one.sums, start, end, 1, touched)
        } else {
          yield* apply(one.sums, one.start, start, -1, touched)
          yield* apply(one.sums, one.end, end, 1, touched)
        }
        one.start = start
        one.end = end
      }
      running = new Map((yield* hourOf(sql, end)).map((row) => [keyOf(row), row]))
      for (const key of running.keys()) touched.add(key)
      const update: Update = {
        of: (window, key) => plus(settled[window].sums.get(key), running.get(key)),
        keys: new Set([...settled[longest].sums.keys(), ...running.keys()]),
        touched: isFirst ? undefined : touched
      }
      isFirst = false
      return update
    })
  return { update }
}
