/**
 * Sessions of WebSocket clients, so that they can go on where they were after a restart, or on another process.
 *
 * `token_hash` is the SHA-256 of the resume token, in hex: who reads the file cannot resume. `epoch` rises whenever a connection takes the session over; what an
 * earlier one still saves is ignored. `channels` is JSON, `expires_at` in milliseconds since 1970.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Dialect from "../Dialect.js"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { int64, strict } = Dialect.types(sql)
  yield* sql`CREATE TABLE realtime_session (
    token_hash TEXT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    epoch ${int64} NOT NULL,
    total ${int64} NOT NULL,
    channels TEXT NOT NULL,
    last_event_id ${int64} NOT NULL,
    expires_at ${int64} NOT NULL
  ) ${strict}`
  yield* sql`CREATE INDEX realtime_session_expiry ON realtime_session (expires_at)`
})
