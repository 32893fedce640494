/**
 * Who may do what only one process may do at a time.
 *
 * `epoch` rises with every giving of a lease and never falls. `ttl` is in milliseconds, `expires_at` in milliseconds since 1970; 0 when the lease was given back.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Dialect from "../Dialect.js"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { int64, strict } = Dialect.types(sql)
  yield* sql`CREATE TABLE lease (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    epoch ${int64} NOT NULL,
    ttl ${int64} NOT NULL,
    expires_at ${int64} NOT NULL
  ) ${strict}`
})
