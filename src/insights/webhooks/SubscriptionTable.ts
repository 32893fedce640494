/** The `webhook_subscription` table as statements. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Secret } from "../../webhooks/Signature.js"
import type { Filters } from "./Filter.js"

/** Why a subscription was switched off by itself. */
export type DisabledReason =
  /** Its endpoint answered 410. */
  | "gone"
  /** More was waiting for it than may. */
  | "overflow"

/** A subscription without its secrets. Times are milliseconds since 1970. */
export interface Subscription {
  readonly id: string
  readonly url: string
  readonly description: string
  /** Types of events; none means all. */
  readonly eventTypes: ReadonlyArray<string>
  readonly filters: Filters
  readonly active: boolean
  readonly disabledReason: DisabledReason | null
  readonly createdAt: number
  readonly updatedAt: number
  /** Attempts that failed since the last one that succeeded. */
  readonly failures: number
  /** How long the last attempt took, in milliseconds; null before the first. */
  readonly lastLatencyMillis: number | null
  /** Nothing is sent before; 0 when there is nothing to wait for. */
  readonly holdUntil: number
  /** Deliveries that are not over. */
  readonly waiting: number
  /** Until when the secret before the current one signs too; null when there is none. */
  readonly previousUntil: number | null
}

interface Row extends Omit<Subscription, "active" | "eventTypes" | "filters"> {
  readonly active: number
  readonly eventTypes: string
  readonly filters: string
}

const toSubscription = ({ active, eventTypes, filters, ...rest }: Row): Subscription => ({
  ...rest,
  active: active === 1,
  eventTypes: JSON.parse(eventTypes) as ReadonlyArray<string>,
  filters: JSON.parse(filters) as Filters
})

/** What a subscription is changed to. */
export type Settings = Pick<Subscription, "url" | "description" | "eventTypes" | "filters" | "active">

/** Secrets of a subscription that sign at a moment, the current one first. */
export const secretsOf = (
  row: {
    readonly secret: string
    readonly previousSecret: string | null
    readonly previousUntil: number | null
  },
  now: number
): ReadonlyArray<Secret> => {
  const current = Redacted.make(row.secret)
  const overlaps = row.previousSecret !== null && (row.previousUntil ?? 0) > now
  return overlaps ? [current, Redacted.make(row.previousSecret)] : [current]
}

/** Reads. Each is one statement. */
export const reads = (sql: SqlClient.SqlClient) => {
  const columns = sql.literal(`id, url, description, event_types AS "eventTypes", filters, active,
    disabled_reason AS "disabledReason", created_at AS "createdAt", updated_at AS "updatedAt", failures,
    last_latency AS "lastLatencyMillis", hold_until AS "holdUntil", waiting, previous_until AS "previousUntil"`)
  const all = (rows: ReadonlyArray<Row>) => rows.map(toSubscription)
  return {
    /** By age. */
    all: Effect.map(sql<Row>`SELECT ${columns} FROM webhook_subscription ORDER BY created_at, id`, all),
    active: Effect.map(
      sql<Row>`SELECT ${columns} FROM webhook_subscription WHERE active = 1 ORDER BY id`,
      all
    ),
    byId: (id: string): Effect.Effect<Subscription | undefined, SqlError> =>
      Effect.map(sql<Row>`SELECT ${columns} FROM webhook_subscription WHERE id = ${id}`, ([row]) =>
        row === undefined ? undefined : toSubscription(row)
      ),
    count: Effect.map(
      sql<{ count: number }>`SELECT count(*) AS count FROM webhook_subscription`,
      ([row]) => row!.count
    ),
    /** How many there are, how many of them are active, and how many deliveries wait for these. */
    totals: Effect.map(
      sql<{ subscriptions: number; active: number | null; waiting: number | null }>`
        SELECT count(*) AS subscriptions, sum(active) AS active, sum(active * waiting) AS waiting FROM webhook_subscription`,
      ([row]) => ({
        subscriptions: row?.subscriptions ?? 0,
        active: row?.active ?? 0,
        waiting: row?.waiting ?? 0
      })
    ),
    /** Deliveries that wait for the active ones. */
    waiting: Effect.map(
      sql<{ count: number | null }>`SELECT sum(waiting) AS count FROM webhook_subscription WHERE active = 1`,
      ([row]) => row?.count ?? 0
    )
  }
}

/** Writes, to be run in the transaction of whoever calls. */
export const writes = (sql: SqlClient.SqlClient) => ({
  insert: (id: string, settings: Settings, secret: Secret, now: number) =>
    sql`INSERT INTO webhook_subscription (id, url, description, event_types, filters, active, secret, created_at, updated_at)
      VALUES (${id}, ${settings.url}, ${settings.description}, ${JSON.stringify(settings.eventTypes)},
        ${JSON.stringify(settings.filters)}, ${settings.active ? 1 : 0}, ${Redacted.value(secret)}, ${now}, ${now})`,
  /** What is known of the endpoint's health is forgotten: somebody has looked after it. */
  update: (id: string, settings: Settings, now: number) =>
    sql`UPDATE webhook_subscription SET url = ${settings.url}, description = ${settings.description},
        event_types = ${JSON.stringify(settings.eventTypes)}, filters = ${JSON.stringify(settings.filters)},
        active = ${settings.active ? 1 : 0}, disabled_reason = NULL, updated_at = ${now}, failures = 0, last_latency = NULL, hold_until = 0
      WHERE id = ${id}`,
  /** The current secret becomes the previous one. Gives whether there was such a subscription. */
  rotate: (id: string, secret: Secret, previousUntil: number, now: number) =>
    Effect.map(
      sql`UPDATE webhook_subscription SET previous_secret = secret, previous_until = ${previousUntil},
        secret = ${Redacted.value(secret)}, updated_at = ${now} WHERE id = ${id} RETURNING id`,
      (rows) => rows.length > 0
    ),
  disable: (id: string, reason: DisabledReason | null, now: number) =>
    sql`UPDATE webhook_subscription SET active = 0, disabled_reason = ${reason}, updated_at = ${now} WHERE id = ${id}`,
  /** Notes an attempt: what it means for all that waits. */
  attempted: (
    id: string,
    change: { readonly succeeded: boolean; readonly latencyMillis: number; readonly finished: boolean }
  ) =>
    sql`UPDATE webhook_subscription SET failures = CASE WHEN ${change.succeeded ? 1 : 0} = 1 THEN 0 ELSE failures + 1 END,
      last_latency = ${change.latencyMillis}, waiting = waiting - ${change.finished ? 1 : 0} WHERE id = ${id}`,
  hold: (id: string, until: number) =>
    sql`UPDATE webhook_subscription SET hold_until = ${until} WHERE id = ${id} AND hold_until < ${until}`,
  addWaiting: (id: string, count: number) =>
    sql`UPDATE webhook_subscription SET waiting = waiting + ${count} WHERE id = ${id}`,
  remove: (id: string) => sql`DELETE FROM webhook_subscription WHERE id = ${id} RETURNING id`
})
