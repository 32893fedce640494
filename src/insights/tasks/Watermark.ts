/** How far tasks have worked: `task_watermark`. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as TaskStatus from "../../lifecycle/TaskStatus.js"
import * as Database from "../Database.js"
import * as LedgerStore from "../LedgerStore.js"

/** The last ledger whose facts a task has worked into its rows; none before the first. */
export const get = (sql: SqlClient.SqlClient, task: string): Effect.Effect<Option.Option<number>, SqlError> =>
  Effect.map(sql<{ ledger: number }>`SELECT ledger FROM task_watermark WHERE task = ${task}`, ([row]) =>
    Option.fromNullable(row?.ledger)
  )

/** Moves it on; to be run in the transaction of the work. */
export const set = (
  sql: SqlClient.SqlClient,
  task: string,
  ledger: number
): Effect.Effect<unknown, SqlError> =>
  sql`INSERT INTO task_watermark (task, ledger) VALUES (${task}, ${ledger})
    ON CONFLICT (task) DO UPDATE SET ledger = excluded.ledger`

/** How many ledgers a task is behind the store. */
export const lag = (
  task: string
): Effect.Effect<
  Effect.Effect<TaskStatus.Lag, SqlError>,
  never,
  Database.Database | LedgerStore.LedgerStore
> =>
  Effect.gen(function* () {
    const { read } = yield* Database.Database
    const store = yield* LedgerStore.LedgerStore
    return Effect.gen(function* () {
      const range = yield* store.range
      if (Option.isNone(range)) return { amount: 0, unit: "ledgers" }
      const { first, last } = range.value
      const done = Option.getOrElse(yield* get(read, task), () => first - 1)
      return { amount: Math.max(0, last - done), unit: "ledgers" }
    })
  })
