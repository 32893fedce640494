/**
 * Many rows into one table, in few statements.
 *
 * Rows go in by blocks of a few fixed sizes: so there are a handful of texts, which the connection prepares once, and no statement comes near the most
 * parameters that SQLite (32,766) or PostgreSQL (65,535) takes, however many operations a ledger has.
 */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Dialect from "./Dialect.js"

/** What a column of a row may hold. */
export type Value = string | number | bigint | Uint8Array | null

/** Where rows go. */
export interface Options {
  /** The table. */
  readonly table: string
  /** Its columns, in the order of the rows' values. */
  readonly columns: ReadonlyArray<string>
  /** What follows the rows, such as `ON CONFLICT DO NOTHING`; nothing by default. Rows of one call must not conflict with each other. */
  readonly onConflict?: string
}

/** Rows in a statement, the most first. */
const sizes = [128, 32, 8, 1]

/** Puts rows into the table. Fails with `SqlError`, having put in some; the caller's transaction takes them back. */
export type Insert = (rows: ReadonlyArray<ReadonlyArray<Value>>) => Effect.Effect<void, SqlError>

/** Prepares the texts for one table. */
export const make = (sql: SqlClient.SqlClient, { columns, onConflict = "", table }: Options): Insert => {
  const { placeholder } = Dialect.words(sql)
  const width = columns.length
  const text = (size: number): string => {
    const row = (index: number) =>
      `(${columns.map((_, column) => placeholder(index * width + column + 1)).join(", ")})`
    const rows = Array.from({ length: size }, (_, index) => row(index))
    return `INSERT INTO ${table} (${columns.join(", ")}) VALUES ${rows.join(", ")} ${onConflict}`
  }
  const blocks = sizes.map((size) => ({ size, text: text(size) }))
  return Effect.fnUntraced(function* (rows) {
    let at = 0
    for (const { size, text } of blocks) {
      for (; rows.length - at >= size; at += size) {
        yield* sql.unsafe(text, rows.slice(at, at + size).flat())
      }
    }
  })
}
