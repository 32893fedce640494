/** Another process's connection to a database, as far as SQLite can tell: the driver itself, with none of our layers. */
import * as Effect from "effect/Effect"
import { createRequire } from "node:module"

/** A connection of the driver, which has no types of its own. */
export interface Connection {
  readonly exec: (sql: string) => void
  readonly prepare: (sql: string) => {
    readonly all: () => ReadonlyArray<unknown>
    readonly get: () => unknown
  }
  readonly close: () => void
}

const Driver = createRequire(import.meta.url)("better-sqlite3") as new (
  filename: string,
  options?: { readonly readonly?: boolean }
) => Connection

/** Opens a file. */
export const connect = (filename: string, options?: { readonly readonly?: boolean }): Connection =>
  new Driver(filename, options)

/** Holds the write lock of a file until the scope closes. */
export const lock = (filename: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const other = connect(filename)
      other.exec("BEGIN IMMEDIATE")
      return other
    }),
    (other) => Effect.sync(() => other.close())
  )
