/**
 * Subscriptions to webhooks, and their deliveries. All times are milliseconds since 1970.
 *
 * `webhook_subscription`
 * - `event_types`, `filters`: JSON, a list (empty for all types) and an object.
 * - `secret`: `whsec_…`, as it must be to sign; `previous_secret` signs too until `previous_until`.
 * - `disabled_reason`: why it was switched off by itself, `gone` or `overflow`; null otherwise.
 * - `failures`: attempts that failed since the last one that succeeded; `last_latency`: of the last attempt. `hold_until`: nothing is sent before.
 * - `waiting`: how many of its deliveries are `pending`.
 *
 * `webhook_delivery`
 * - `id` rises in the order in which deliveries came; `message_id` is the `webhook-id` of every attempt.
 * - `key`: of deliveries of one subscription and key, only the first that is pending has a `next_at`; that of the others is null until it is their turn.
 * - `status`: `pending`, `delivered` or `dead`; `finished_at` is null while it is pending.
 * - `last_…`: of the last attempt, null before the first; `last_status` and `last_body` are null when there was no answer, `last_error` when there was one.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Dialect from "../Dialect.js"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { int64, strict } = Dialect.types(sql)
  yield* sql`CREATE TABLE webhook_subscription (
    id TEXT NOT NULL PRIMARY KEY,
    url TEXT NOT NULL,
    description TEXT NOT NULL,
    event_types TEXT NOT NULL,
    filters TEXT NOT NULL,
    active INTEGER NOT NULL,
    disabled_reason TEXT,
    secret TEXT NOT NULL,
    previous_secret TEXT,
    previous_until ${int64},
    created_at ${int64} NOT NULL,
    updated_at ${int64} NOT NULL,
    failures ${int64} NOT NULL DEFAULT 0,
    last_latency ${int64},
    hold_until ${int64} NOT NULL DEFAULT 0,
    waiting ${int64} NOT NULL DEFAULT 0
  ) ${strict}`
  yield* sql`CREATE TABLE webhook_delivery (
    id ${int64} NOT NULL PRIMARY KEY,
    subscription TEXT NOT NULL REFERENCES webhook_subscription (id) ON DELETE CASCADE,
    message_id TEXT NOT NULL,
    type TEXT NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    status TEXT NOT NULL,
    attempts ${int64} NOT NULL DEFAULT 0,
    next_at ${int64},
    created_at ${int64} NOT NULL,
    finished_at ${int64},
    last_at ${int64},
    last_latency ${int64},
    last_status ${int64},
    last_body TEXT,
    last_error TEXT
  ) ${strict}`
  yield* sql`CREATE UNIQUE INDEX webhook_delivery_once ON webhook_delivery (subscription, message_id)`
  yield* sql`CREATE INDEX webhook_delivery_listed ON webhook_delivery (subscription, status, id)`
  yield* sql`CREATE INDEX webhook_delivery_newest ON webhook_delivery (subscription, id)`
  yield* sql`CREATE INDEX webhook_delivery_due ON webhook_delivery (subscription, next_at, id) WHERE next_at IS NOT NULL`
  yield* sql`CREATE INDEX webhook_delivery_waiting ON webhook_delivery (subscription, key, id) WHERE finished_at IS NULL`
  yield* sql`CREATE INDEX webhook_delivery_finished ON webhook_delivery (finished_at) WHERE finished_at IS NOT NULL`
})
