/** Whole database files compared from outside, row by row. */
import { assert } from "@effect/vitest"
import * as Outside from "../insights/Outside.js"

/** Every row of every table, as text, sorted. */
export type Tables = Readonly<Record<string, ReadonlyArray<string>>>

/** Columns whose name ends in `_at` are the wall clock's, but for these, which are the chain's. */
const ofTheChain = /closed_at$/

/**
 * Rows that depend on when tasks ran, and not only on the ledgers: what they are is for {@link taskEvents} to say. And who had the lease, how often: another process each
 * time.
 */
const left: Readonly<Record<string, string>> = { outbox: "key IS NULL", lease: "false" }

/** Runs `use` on a connection that only reads. */
export const reading = <A>(filename: string, use: (database: Outside.Connection) => A): A => {
  const database = Outside.connect(filename, { readonly: true })
  try {
    return use(database)
  } finally {
    database.close()
  }
}

/**
 * All tables but the events that tasks have appended (a snapshot was taken): there is one for every time that a task ran with something new, so what was stopped
 * more often has more of them.
 */
export const dump = (filename: string): Tables =>
  reading(filename, (database) => {
    const names = database
      .prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
      )
      .pluck()
      .all() as ReadonlyArray<string>
    const entries = names.map((name) => {
      const columns = (
        database.prepare(`SELECT name FROM pragma_table_info('${name}')`).pluck().all() as Array<string>
      ).filter((column) => !column.endsWith("_at") || ofTheChain.test(column))
      const row = columns.map((column) => `quote("${column}")`).join(" || ' ' || ")
      const where = left[name] === undefined ? "" : ` WHERE ${left[name]}`
      return [
        name,
        database.prepare(`SELECT ${row} FROM "${name}"${where} ORDER BY 1`).pluck().all()
      ] as const
    })
    return Object.fromEntries(entries) as Tables
  })

/** Whether two are equal; says which rows of which table are not. */
export const assertEqual = (actual: Tables, expected: Tables): void => {
  assert.deepStrictEqual(Object.keys(actual), Object.keys(expected))
  for (const [name, rows] of Object.entries(expected)) {
    const [have, want] = [new Set(actual[name]), new Set(rows)]
    assert.deepStrictEqual(
      {
        table: name,
        rows: actual[name]!.length,
        missing: rows.filter((row) => !have.has(row)).slice(0, 5),
        surplus: actual[name]!.filter((row) => !want.has(row)).slice(0, 5)
      },
      { table: name, rows: rows.length, missing: [], surplus: [] }
    )
  }
}

/** How many rows there are. */
export const size = (tables: Tables): number =>
  Object.values(tables).reduce((sum, rows) => sum + rows.length, 0)

/** What is stored of each ledger: a chain without a gap, and how many payments, failures and events, by sequence. */
export const byLedger = (filename: string): ReadonlyMap<number, string> =>
  reading(filename, (database) => {
    const found = new Map<number, string>()
    const rows = database
      .prepare(
        `SELECT sequence, hash, previous_hash AS previous,
          (SELECT count(*) FROM payment WHERE toid >= sequence << 32 AND toid < (sequence + 1) << 32) AS payments,
          (SELECT count(*) FROM failed_attempt WHERE toid >= sequence << 32 AND toid < (sequence + 1) << 32) AS failures,
          (SELECT count(*) FROM outbox WHERE ledger = sequence AND key IS NULL) AS events,
          (SELECT count(*) FROM ledger_detail AS detail WHERE detail.sequence = ledger.sequence) AS details
        FROM ledger ORDER BY sequence`
      )
      .all() as ReadonlyArray<Record<string, number | string>>
    rows.forEach(({ hash, previous, sequence, ...counts }, index) => {
      const before = rows[index - 1]
      if (before !== undefined) {
        assert.strictEqual(sequence, (before["sequence"] as number) + 1)
        assert.strictEqual(previous, before["hash"])
      }
      found.set(sequence as number, JSON.stringify({ hash, ...counts }))
    })
    const [beyond] = database
      .prepare(
        `SELECT (SELECT count(*) FROM payment WHERE toid >> 32 NOT IN (SELECT sequence FROM ledger)) +
          (SELECT count(*) FROM outbox WHERE ledger NOT IN (SELECT sequence FROM ledger)) +
          (SELECT count(*) FROM ledger_detail WHERE sequence NOT IN (SELECT sequence FROM ledger)) +
          (SELECT count(*) FROM ingestion_cursor WHERE sequence IS NOT (SELECT max(sequence) FROM ledger))`
      )
      .pluck()
      .all() as ReadonlyArray<number>
    assert.strictEqual(beyond, 0, "something is stored of a ledger that is not")
    return found
  })
