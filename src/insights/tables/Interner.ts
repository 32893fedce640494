/**
 * Names as numbers: accounts, assets and pools, in the order of their first appearance.
 *
 * What is used often is remembered. A number that was given in a transaction is remembered only once the transaction is in, since one that is rolled back
 * gives it to another name the next time.
 */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Dialect from "../Dialect.js"
import * as BulkInsert from "./BulkInsert.js"

/** Numbers of names in one table. */
export interface Interner {
  /**
   * The number of each name, given now to those that have none; to be run in the transaction that needs them. Names may repeat. Fails with `SqlError`.
   */
  readonly numbers: (names: Iterable<string>) => Effect.Effect<ReadonlyMap<string, number>, SqlError>
  /** The transaction in which numbers were asked for is in, so they will hold. */
  readonly committed: () => void
  /** It is not, or it is tried again. */
  readonly forgotten: () => void
}

/** What is interned where. */
export interface Options {
  /** The table; it has an integer key `id`. */
  readonly table: string
  /** Its column of names. */
  readonly column: string
  /** How many names to remember; of more than half of that, those that have not been used of late are forgotten. */
  readonly remember: number
}

/** Numbers of the names in one table, through the connection that writes. */
export const make = (sql: SqlClient.SqlClient, { column, remember, table }: Options): Interner => {
  const { each } = Dialect.words(sql)
  // Two generations: what is used moves to the younger one, and when that is full it becomes the older one, whose names are then forgotten.
  let young = new Map<string, number>()
  let old: ReadonlyMap<string, number> = new Map<string, number>()
  const pending = new Map<string, number>()
  const insert = BulkInsert.make(sql, { table, columns: ["id", column] })
  const [names, key] = [sql(table), sql(column)]

  /** Asks the table for what is not remembered, and gives a number to what is not there either. */
  const resolve = Effect.fnUntraced(function* (missing: ReadonlySet<string>, found: Map<string, number>) {
    const rows = yield* sql<{ id: number; name: string }>`SELECT id, ${key} AS name
      FROM ${each([...missing])} CROSS JOIN ${names} WHERE ${key} = each.value`
    for (const { id, name } of rows) found.set(name, id)
    if (rows.length < missing.size) {
      const [last] = yield* sql<{ id: number | null }>`SELECT max(id) AS id FROM ${names}`
      let next = (last?.id ?? -1) + 1
      const fresh: Array<readonly [number, string]> = []
      for (const name of missing) {
        if (found.has(name)) continue
        found.set(name, next)
        fresh.push([next, name])
        next += 1
      }
      yield* insert(fresh)
    }
    for (const name of missing) pending.set(name, found.get(name)!)
  })

  return {
    numbers: Effect.fnUntraced(function* (wanted) {
      const found = new Map<string, number>()
      const missing = new Set<string>()
      for (const name of wanted) {
        if (found.has(name)) continue
        const id = young.get(name) ?? old.get(name) ?? pending.get(name)
        if (id === undefined) {
          missing.add(name)
          continue
        }
        found.set(name, id)
        if (!young.has(name)) pending.set(name, id)
      }
      if (missing.size > 0) yield* resolve(missing, found)
      return found
    }),
    committed: () => {
      for (const [name, id] of pending) young.set(name, id)
      pending.clear()
      if (young.size > remember / 2) {
        old = young
        young = new Map()
      }
    },
    forgotten: () => pending.clear()
  }
}
