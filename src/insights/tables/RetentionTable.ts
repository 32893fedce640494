/** What is old enough to go, and a few rows of it at a time. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as OutboxTable from "./OutboxTable.js"

/** Up to where rows may go; nothing may where it is undefined. */
export interface Bounds {
  /** The last event that may go. */
  readonly lastEvent: number | undefined
  /** The last ledger of which payments, failures and fee bumps may go. */
  readonly lastLedger: number | undefined
}

/** How old rows must be, in seconds before the last ledger's close time; undefined keeps them for ever. */
export interface Ages {
  readonly outbox: number | undefined
  readonly payments: number | undefined
}

/** A table that rows are removed from. */
export type Table = "outbox" | "payment" | "failed_attempt" | "fee_bump"

/** All of them, in the order in which they are to be swept: events before the payments that they tell of. */
export const tables: ReadonlyArray<Table> = ["outbox", "payment", "failed_attempt", "fee_bump"]

const least = (...values: ReadonlyArray<number | undefined>): number | undefined => {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}

/** Statements, to be run in one transaction. */
export const make = (sql: SqlClient.SqlClient) => {
  const outbox = OutboxTable.reads(sql)
  const lastClosedBefore = (time: number) =>
    Effect.map(
      sql<{ sequence: number }>`SELECT sequence FROM ledger WHERE closed_at < ${time}
        ORDER BY closed_at DESC, sequence DESC LIMIT 1`,
      (rows) => rows[0]?.sequence
    )
  const now = Effect.map(
    sql<{ time: number }>`SELECT closed_at AS time FROM ledger ORDER BY sequence DESC LIMIT 1`,
    (rows) => rows[0]?.time
  )
  const ends = Effect.map(
    sql<{ oldest: number | null; newest: number | null }>`SELECT
      (SELECT min(id) FROM outbox) AS oldest, (SELECT max(id) FROM outbox) AS newest`,
    (rows) => rows[0]!
  )

  /** The key of the last row that may go. A toid is beyond what a number holds, so it is text. */
  const lastKey = (table: Table, { lastEvent, lastLedger }: Bounds): number | bigint | undefined => {
    if (table === "outbox") return lastEvent
    return lastLedger === undefined ? undefined : (BigInt(lastLedger + 1) << 32n) - 1n
  }

  return {
    /**
     * An event goes when it is old enough, every consumer has passed it, and it is not the newest, whose id the next one must exceed. A payment goes when it is old
     * enough and no event tells of its ledger any more.
     */
    bounds: (ages: Ages): Effect.Effect<Bounds, SqlError> =>
      Effect.gen(function* () {
        const time = yield* now
        if (time === undefined) return { lastEvent: undefined, lastLedger: undefined }
        const old = ages.outbox === undefined ? undefined : yield* lastClosedBefore(time - ages.outbox)
        const { newest, oldest } = yield* ends
        const lastEvent =
          old === undefined || newest === null
            ? undefined
            : least(OutboxTable.firstId(old + 1) - 1, newest - 1, yield* outbox.slowest)
        const aged = ages.payments === undefined ? undefined : yield* lastClosedBefore(time - ages.payments)
        const told = oldest === null ? undefined : OutboxTable.ledgerOf(oldest) - 1
        return { lastEvent, lastLedger: aged === undefined ? undefined : least(aged, told) }
      }),
    /** Removes the oldest rows within bounds, at most so many, and gives how many there were. */
    remove: (table: Table, bounds: Bounds, limit: number): Effect.Effect<number, SqlError> =>
      Effect.suspend(() => {
        const last = lastKey(table, bounds)
        if (last === undefined) return Effect.succeed(0)
        const key = sql(table === "outbox" ? "id" : "toid")
        return Effect.map(
          sql`DELETE FROM ${sql(table)} WHERE ${key} <=
            (SELECT max(${key}) FROM (SELECT ${key} FROM ${sql(table)} WHERE ${key} <= ${last} ORDER BY ${key} LIMIT ${limit}) AS oldest)
            RETURNING 1`,
          (rows) => rows.length
        )
      })
  }
}
