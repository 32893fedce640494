/** Whole databases compared, row by row. */
import type { SqlClient } from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"

/** Every row of every table of the project, as text; 64-bit integers too. */
export const dump = (sql: SqlClient) =>
  Effect.gen(function* () {
    const tables = yield* sql<{ name: string }>`SELECT name FROM sqlite_master
      WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'migration' ORDER BY name`
    const all: Record<string, ReadonlyArray<string>> = {}
    for (const { name } of tables) {
      const columns = yield* sql<{ name: string }>`SELECT name FROM pragma_table_info(${name})`
      const text = columns.map((column) => `quote(${column.name})`).join(` || ' ' || `)
      const rows = yield* sql<{
        row: string
      }>`SELECT ${sql.literal(text)} AS row FROM ${sql(name)} ORDER BY 1`
      all[name] = rows.map(({ row }) => row)
    }
    return all
  })

/** How many rows each table has. */
export const sizes = (tables: Readonly<Record<string, ReadonlyArray<string>>>) =>
  Object.fromEntries(Object.entries(tables).map(([name, rows]) => [name, rows.length]))
