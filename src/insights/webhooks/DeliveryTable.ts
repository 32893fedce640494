/** The `webhook_delivery` table as statements. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import type * as DeliveryStore from "../../webhooks/DeliveryStore.js"
import * as Dialect from "../Dialect.js"
import * as BulkInsert from "../tables/BulkInsert.js"

/** How far a delivery has come. */
export type Status =
  /** It is to be tried, for the first time or again. */
  | "pending"
  /** An answer of 2xx came. */
  | "delivered"
  /** It was given up. */
  | "dead"

/** A delivery, as it is shown. Times are milliseconds since 1970. */
export interface Delivery {
  readonly id: number
  readonly messageId: string
  readonly type: string
  readonly key: string
  readonly status: Status
  readonly attempts: number
  /** When it is tried next; null when it is over, or another of its key comes first. */
  readonly nextAt: number | null
  readonly createdAt: number
  readonly finishedAt: number | null
  /** The last attempt; all null before it. */
  readonly lastAt: number | null
  readonly lastLatencyMillis: number | null
  readonly lastStatus: number | null
  readonly lastBody: string | null
  readonly lastError: string | null
}

/** A delivery that is due, without what is read when it is begun. */
export interface DueRow {
  readonly id: number
  readonly subscription: string
  readonly messageId: string
  readonly key: string
  readonly attempts: number
  readonly url: string
  readonly failures: number
  readonly lastLatencyMillis: number | null
}

/** What goes out, and what it is signed with. */
export interface ContentRow {
  readonly url: string
  readonly body: string
  readonly secret: string
  readonly previousSecret: string | null
  readonly previousUntil: number | null
}

/** A delivery to be added; its place in the order of its key is found when it is. */
export interface New {
  readonly subscription: string
  readonly messageId: string
  readonly type: string
  readonly key: string
  readonly body: string
}

type Rows<A> = Effect.Effect<ReadonlyArray<A>, SqlError>

/** Reads. Each is one statement. */
export const reads = (sql: SqlClient.SqlClient) => {
  const shown = sql.literal(`id, message_id AS "messageId", type, key, status, attempts, next_at AS "nextAt",
    created_at AS "createdAt", finished_at AS "finishedAt", last_at AS "lastAt", last_latency AS "lastLatencyMillis",
    last_status AS "lastStatus", last_body AS "lastBody", last_error AS "lastError"`)
  return {
    /** A few of each active subscription; the index gives each of them at once, however much waits. */
    due: (
      now: number,
      perSubscription: number
    ): Rows<DueRow> => sql<DueRow>`SELECT delivery.id, delivery.subscription,
        delivery.message_id AS "messageId", delivery.key, delivery.attempts, subscription.url, subscription.failures,
        subscription.last_latency AS "lastLatencyMillis"
      FROM webhook_subscription AS subscription CROSS JOIN webhook_delivery AS delivery
      WHERE subscription.active = 1 AND subscription.waiting > 0 AND subscription.hold_until <= ${now}
        AND delivery.id IN (SELECT id FROM webhook_delivery WHERE subscription = subscription.id AND next_at <= ${now}
          ORDER BY next_at, id LIMIT ${perSubscription})
      ORDER BY subscription.id, delivery.next_at, delivery.id`,
    /** Of each active subscription that has something to wait for: when its next delivery is due by itself, and until when all of it is held. */
    nextTimes: (now: number): Rows<{ nextAt: number | null; holdUntil: number }> =>
      sql`SELECT hold_until AS "holdUntil", (SELECT min(next_at) FROM webhook_delivery
          WHERE subscription = subscription.id AND next_at > CASE WHEN subscription.hold_until > ${now} THEN -1 ELSE ${now} END) AS "nextAt"
        FROM webhook_subscription AS subscription WHERE active = 1 AND waiting > 0`,
    content: (id: number, subscription: string): Effect.Effect<ContentRow | undefined, SqlError> =>
      Effect.map(
        sql<ContentRow>`SELECT subscription.url, delivery.body, subscription.secret, subscription.previous_secret AS "previousSecret",
            subscription.previous_until AS "previousUntil"
          FROM webhook_delivery AS delivery JOIN webhook_subscription AS subscription ON subscription.id = delivery.subscription
          WHERE delivery.id = ${id} AND delivery.subscription = ${subscription} AND delivery.status = 'pending' AND subscription.active = 1`,
        ([row]) => row
      ),
    byId: (id: number, subscription: string): Effect.Effect<Delivery | undefined, SqlError> =>
      Effect.map(
        sql<Delivery>`SELECT ${shown} FROM webhook_delivery WHERE id = ${id} AND subscription = ${subscription}`,
        ([row]) => row
      ),
    /** Newest first, those before `before`; of one status, or of all. */
    page: (
      subscription: string,
      options: {
        readonly status: Status | undefined
        readonly before: number | undefined
        readonly limit: number
      }
    ): Rows<Delivery> => {
      const conditions = sql.and([
        sql`subscription = ${subscription}`,
        ...(options.status === undefined ? [] : [sql`status = ${options.status}`]),
        ...(options.before === undefined ? [] : [sql`id < ${options.before}`])
      ])
      return sql<Delivery>`SELECT ${shown} FROM webhook_delivery WHERE ${conditions} ORDER BY id DESC LIMIT ${options.limit}`
    }
  }
}

/** Writes, to be run in the transaction of whoever calls. */
export const writes = (sql: SqlClient.SqlClient) => {
  const { each } = Dialect.words(sql)
  const insert = BulkInsert.make(sql, {
    table: "webhook_delivery",
    columns: ["id", "subscription", "message_id", "type", "key", "body", "status", "next_at", "created_at"]
  })
  const busyKeys = (subscription: string, keys: ReadonlyArray<string>) =>
    Effect.map(
      sql<{ key: string }>`SELECT value AS key FROM ${each(keys)} WHERE EXISTS (SELECT 1 FROM webhook_delivery
        WHERE subscription = ${subscription} AND key = each.value AND finished_at IS NULL)`,
      (rows) => rows.map(({ key }) => key)
    )
  return {
    /** Adds deliveries in this order; the first of a key is due at once, unless another is not over. Gives the number of the first. */
    add: (deliveries: ReadonlyArray<New>, now: number): Effect.Effect<number, SqlError> =>
      Effect.gen(function* () {
        const busy = new Map<string, Set<string>>()
        for (const { key, subscription } of deliveries) {
          busy.set(subscription, (busy.get(subscription) ?? new Set()).add(key))
        }
        for (const [subscription, keys] of busy) {
          busy.set(subscription, new Set(yield* busyKeys(subscription, [...keys])))
        }
        const [row] = yield* sql<{ id: number | null }>`SELECT max(id) AS id FROM webhook_delivery`
        const first = (row?.id ?? 0) + 1
        const rows = deliveries.map(({ body, key, messageId, subscription, type }, index) => {
          const before = busy.get(subscription)!
          const nextAt = before.has(key) ? null : now
          before.add(key)
          return [first + index, subscription, messageId, type, key, body, "pending", nextAt, now]
        })
        yield* insert(rows)
        return first
      }),
    /** Notes an attempt. None when the delivery is gone, over, or was attempted by somebody else meanwhile; else whether it is over. */
    attempted: (
      { attempts, id, messageId, subscription }: DeliveryStore.Due,
      { at, body, error, latencyMillis, status }: DeliveryStore.Record,
      next: DeliveryStore.Next
    ): Effect.Effect<boolean, SqlError> => {
      const [state, nextAt] =
        next._tag === "Retry"
          ? (["pending", next.at] as const)
          : ([next._tag === "Delivered" ? "delivered" : "dead", null] as const)
      return Effect.map(
        sql`UPDATE webhook_delivery SET attempts = attempts + 1, status = ${state}, next_at = ${nextAt},
            finished_at = ${nextAt === null ? at : null}, last_at = ${at}, last_latency = ${latencyMillis}, last_status = ${status},
            last_body = ${body}, last_error = ${error}
          WHERE id = ${id} AND subscription = ${subscription} AND message_id = ${messageId} AND attempts = ${attempts}
            AND status = 'pending' RETURNING id`,
        (rows) => rows.length > 0
      )
    },
    /** The first of a key that is not over becomes due, unless it has a time already. */
    promote: (subscription: string, key: string, now: number) =>
      sql`UPDATE webhook_delivery SET next_at = ${now} WHERE next_at IS NULL AND id = (SELECT min(id) FROM webhook_delivery
        WHERE subscription = ${subscription} AND key = ${key} AND finished_at IS NULL)`,
    /** Makes it due at once, with all attempts ahead. */
    again: (id: number, now: number) =>
      sql`UPDATE webhook_delivery SET status = 'pending', finished_at = NULL, attempts = 0, next_at = ${now} WHERE id = ${id}`,
    /** What waits for its next attempt need not wait; what waits for its turn does. */
    hurry: (id: number, now: number) =>
      sql`UPDATE webhook_delivery SET next_at = ${now} WHERE id = ${id} AND next_at > ${now}`,
    /** Removes some that were over before a time. */
    prune: (before: number, limit: number): Effect.Effect<number, SqlError> =>
      Effect.map(
        sql`DELETE FROM webhook_delivery WHERE id IN
          (SELECT id FROM webhook_delivery WHERE finished_at < ${before} ORDER BY finished_at LIMIT ${limit}) RETURNING 1`,
        (rows) => rows.length
      ),
    /** Removes some of a subscription. */
    removeSome: (subscription: string, limit: number): Effect.Effect<number, SqlError> =>
      Effect.map(
        sql`DELETE FROM webhook_delivery WHERE id IN
          (SELECT id FROM webhook_delivery WHERE subscription = ${subscription} LIMIT ${limit}) RETURNING 1`,
        (rows) => rows.length
      )
  }
}
