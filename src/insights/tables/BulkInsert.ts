/**
 * Many rows into one table, in few statements.
 *
 * Rows go in by blocks of a few fixed sizes: so there are a handful of texts, which the connection prepares once, and no statement comes near the most
 * parameters that SQLite (32,766) or PostgreSQL (65,535) takes, however many operations a ledger has.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { turn } from "../../http/EventLoop.js"
import * as Dialect from "../Dialect.js"

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

/** Rows in a statement, the most first. Larger ones save nothing more, and take longer to prepare. */
const sizes = [32, 8, 1]

/** Statements between two turns of the event loop: a few milliseconds. A large ledger is hundreds, and requests are answered meanwhile, from the connection that reads. */
const perTurn = 4

/**
 * Puts rows into the table, inside a transaction. Fails with `SqlError`, having put in some; the transaction takes them back.
 */
export type Insert = (rows: ReadonlyArray<ReadonlyArray<Value>>) => Effect.Effect<void, SqlError>

/**
 * The transaction's connection. A statement that goes to it directly has no span and is not compiled again, which is most of what a small one costs; a ledger has
 * a hundred of them.
 */
const connection = Effect.flatMap(Effect.serviceOption(SqlClient.TransactionConnection), (found) =>
  Option.isSome(found)
    ? Effect.succeed(found.value[0])
    : Effect.dieMessage("many rows go into a table only inside a transaction")
)

/** The values of some rows, one after the other. (`Array.flat` takes longer than the insert.) */
const flat = (rows: ReadonlyArray<ReadonlyArray<Value>>, from: number, to: number): ReadonlyArray<Value> => {
  const values: Array<Value> = []
  for (let index = from; index < to; index++) {
    for (const value of rows[index]!) values.push(value)
  }
  return values
}

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
    if (rows.length === 0) return
    const { execute } = yield* connection
    let at = 0
    let count = 0
    for (const { size, text } of blocks) {
      for (; rows.length - at >= size; at += size) {
        yield* execute(text, flat(rows, at, at + size), undefined)
        count += 1
        if (count % perTurn === 0) yield* turn
      }
    }
  })
}
