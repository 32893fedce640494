/** Another process's connection to a database, as far as SQLite can tell: the driver itself, with none of our layers. */
import Driver from "better-sqlite3"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** A connection of the driver. */
export type Connection = Driver.Database

/** Opens a file. */
export const connect = (filename: string, options?: { readonly readonly?: boolean }): Connection =>
  new Driver(filename, options)

/** Holds the write lock of a file until the scope closes. */
export const lock = (filename: string): Effect.Effect<Connection, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const other = connect(filename)
      other.exec("BEGIN IMMEDIATE")
      return other
    }),
    (other) => Effect.sync(() => other.close())
  )
