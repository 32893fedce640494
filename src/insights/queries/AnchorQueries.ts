/** What is asked about the figures of anchors. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type * as Effect from "effect/Effect"
import type * as SuccessRate from "../analytics/SuccessRate.js"

/** Figures, whatever they are of. */
interface Figures {
  readonly success: number
  readonly failed: number
  readonly rolledBack: number
  readonly score: number | null
  readonly status: SuccessRate.Health
  readonly asOfLedger: number
}

/** Figures over a window. */
export interface Window extends Figures {
  readonly anchor: string
  readonly windowSeconds: number
  readonly deposits: number
  readonly withdrawals: number
}

/** Figures over 7 days, as they were in an hour. */
export interface Hour extends Figures {
  readonly hour: number
}

type Rows<A> = Effect.Effect<ReadonlyArray<A>, SqlError>

/** Questions through a connection that reads. */
export const make = (sql: SqlClient.SqlClient) => {
  const figures = sql.literal(
    `success, failed_own AS failed, rolled_back AS "rolledBack", score, status, as_of_ledger AS "asOfLedger"`
  )
  const columns = sql`anchor, window_seconds AS "windowSeconds", deposits, withdrawals, ${figures}`
  return {
    /** Of one anchor, by window. */
    windows: (anchor: string): Rows<Window> =>
      sql`SELECT ${columns} FROM anchor_window WHERE anchor = ${anchor}`,
    /** Of each anchor over the window of that length. */
    over: (windowSeconds: number): Rows<Window> =>
      sql`SELECT ${columns} FROM anchor JOIN anchor_window ON anchor = anchor.id AND window_seconds = ${windowSeconds}`,
    /** Of one anchor, newest hour first. */
    history: (anchor: string, limit: number): Rows<Hour> =>
      sql`SELECT bucket AS hour, ${figures} FROM anchor_history WHERE anchor = ${anchor} ORDER BY bucket DESC LIMIT ${limit}`
  }
}
