/**
 * Events that leave the service, and how far their consumers have come.
 *
 * The id of an event is `ledger << 20 | n`, with the ledger that was last when it was committed and `n` counting from 0 within that ledger. So ids rise in the
 * order of commits and are never used twice, an event of a ledger has the same id in every database that holds the ledger, and the next ledger's ids are known
 * without asking. They stay below 2^53. The newest event is never removed.
 *
 * - `ledger` is the ledger that the event tells of, which may be an earlier one where a task computed it.
 * - Events that come with ledgers are hundreds for each, so they are rows of a few bytes that say which row they tell of: `ref` is the toid of a payment, the
 *   source asset of a corridor, a pool's number; `ref2` a corridor's destination asset. They have no `key`.
 * - Events of tasks have a `key`, the name of what they tell of, and happen once for each kind, key and ledger. Their `payload` is JSON.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Dialect from "../Dialect.js"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { int64, strict } = Dialect.types(sql)
  yield* sql`CREATE TABLE outbox (
    id ${int64} NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    ledger ${int64} NOT NULL,
    ref ${int64},
    ref2 ${int64},
    key TEXT,
    payload TEXT
  ) ${strict}`
  yield* sql`CREATE UNIQUE INDEX outbox_once ON outbox (kind, key, ledger) WHERE key IS NOT NULL`
  // last_id: the last event that the consumer is done with.
  yield* sql`CREATE TABLE outbox_consumer (
    name TEXT NOT NULL PRIMARY KEY,
    last_id ${int64} NOT NULL
  ) ${strict}`
})
