/**
 * Ledgers and how far ingestion has come.
 *
 * Amounts are 64-bit integers that no JavaScript number holds: they are written as bigint and read as text. The hash has no index of its
 * own: what keeps it unique is the chain, and an index over random bytes costs more than the rest of the row.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Dialect from "../Dialect.js"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { int64, strict } = Dialect.types(sql)
  yield* sql`CREATE TABLE ledger (
    sequence ${int64} NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    closed_at ${int64} NOT NULL,
    protocol INTEGER NOT NULL,
    lcm_version INTEGER NOT NULL,
    tx_count INTEGER NOT NULL,
    success_tx INTEGER NOT NULL,
    failed_tx INTEGER NOT NULL,
    op_count INTEGER NOT NULL,
    tx_set_op_count INTEGER NOT NULL,
    total_fee_charged ${int64} NOT NULL,
    fee_pool ${int64} NOT NULL,
    total_coins ${int64} NOT NULL,
    base_fee ${int64} NOT NULL,
    base_reserve ${int64} NOT NULL,
    max_tx_set_size ${int64} NOT NULL,
    fee_bumps INTEGER NOT NULL,
    soroban_tx INTEGER NOT NULL
  ) ${strict}`
  yield* sql`CREATE TABLE ingestion_cursor (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    network TEXT NOT NULL,
    sequence ${int64},
    hash TEXT,
    CHECK ((sequence IS NULL) = (hash IS NULL))
  ) ${strict}`
})
