/** What differs between SQL dialects, in the one place that knows. SQLite is the only one that is served today. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { Fragment } from "@effect/sql/Statement"

/** The words that a table's definition is made of. */
export interface Types {
  /** A signed integer of 64 bits. In SQLite the word must be INTEGER, or a primary key of it would not be the row id. */
  readonly int64: Fragment
  /** What ends a table's definition so that a column takes nothing but its type. */
  readonly strict: Fragment
}

/** The words of the dialect that `sql` speaks. */
export const types = (sql: SqlClient.SqlClient): Types =>
  sql.onDialectOrElse({
    sqlite: () => ({ int64: sql.literal("INTEGER"), strict: sql.literal("STRICT") }),
    orElse: () => ({ int64: sql.literal("BIGINT"), strict: sql.literal("") })
  })
