/** What differs between SQL dialects, in the one place that knows. SQLite is the only one that is served today. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { Fragment } from "@effect/sql/Statement"

/** The words that a table's definition is made of. */
export interface Types {
  /** A signed integer of 64 bits. In SQLite the word must be INTEGER, or a primary key of it would not be the row id. */
  readonly int64: Fragment
  /** A number with a fraction, of double precision. */
  readonly real: Fragment
  /** Bytes. */
  readonly bytes: Fragment
  /** What ends a table's definition so that a column takes nothing but its type. */
  readonly strict: Fragment
  /** The same for a table whose rows lie in the order of their primary key, so that rows that are written together lie together. */
  readonly clustered: Fragment
  /**
   * What ends the list of an index's columns so that its entries are in the order of the table's integer key within equal columns. SQLite's entries end in
   * the row id, which is that key, so there it is nothing.
   */
  readonly thenKey: (key: string) => Fragment
}

/** The words of the dialect that `sql` speaks. */
export const types = (sql: SqlClient.SqlClient): Types =>
  sql.onDialectOrElse({
    sqlite: (): Types => ({
      int64: sql.literal("INTEGER"),
      real: sql.literal("REAL"),
      bytes: sql.literal("BLOB"),
      strict: sql.literal("STRICT"),
      clustered: sql.literal("STRICT, WITHOUT ROWID"),
      thenKey: () => sql.literal("")
    }),
    orElse: (): Types => ({
      int64: sql.literal("BIGINT"),
      real: sql.literal("DOUBLE PRECISION"),
      bytes: sql.literal("BYTEA"),
      strict: sql.literal(""),
      clustered: sql.literal(""),
      thenKey: (key) => sql.literal(`, ${key}`)
    })
  })

/** The words that a query is made of. */
export interface Words {
  /** Bytes of a column as lower case hex. */
  readonly hex: (column: string) => Fragment
  /**
   * A table `each` with one row for each text of a list, in its column `value`; however long the list, it is one parameter. What is looked up by it is joined with
   * CROSS JOIN, which SQLite keeps in that order: its statistics of a table that was small when they were made would have it go through the whole of it.
   */
  readonly each: (values: ReadonlyArray<string>) => Fragment
  /** The same for integers. */
  readonly eachInteger: (values: ReadonlyArray<number>) => Fragment
  /** The placeholder of the parameter at this position, from 1, in a statement whose text is written as a whole. */
  readonly placeholder: (position: number) => string
}

/** The words of the dialect that `sql` speaks. */
export const words = (sql: SqlClient.SqlClient): Words =>
  sql.onDialectOrElse({
    sqlite: (): Words => ({
      hex: (column) => sql.literal(`lower(hex(${column}))`),
      each: (values) => sql`(SELECT value FROM json_each(${JSON.stringify(values)})) AS each`,
      eachInteger: (values) => sql`(SELECT value FROM json_each(${JSON.stringify(values)})) AS each`,
      placeholder: () => "?"
    }),
    orElse: (): Words => ({
      hex: (column) => sql.literal(`encode(${column}, 'hex')`),
      each: (values) =>
        sql`jsonb_array_elements_text(CAST(${JSON.stringify(values)} AS jsonb)) AS each(value)`,
      eachInteger: (values) =>
        sql`(SELECT CAST(value AS BIGINT) AS value
          FROM jsonb_array_elements_text(CAST(${JSON.stringify(values)} AS jsonb)) AS all_of(value)) AS each`,
      placeholder: (position) => `$${position}`
    })
  })
