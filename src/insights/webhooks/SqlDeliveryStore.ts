/** The deliveries of the service's database, for whoever delivers. */
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as DeliveryStore from "../../webhooks/DeliveryStore.js"
import * as Database from "../Database.js"
import * as DeliveryTable from "./DeliveryTable.js"
import * as SubscriptionTable from "./SubscriptionTable.js"

/** Rows that are removed in a transaction: a few milliseconds. */
const perTransaction = 500

const storeFailed = <A>(effect: Effect.Effect<A, SqlError>): Effect.Effect<A, DeliveryStore.StoreFailed> =>
  Effect.mapError(effect, (cause) => new DeliveryStore.StoreFailed({ cause }))

const make = Effect.gen(function* () {
  const { read, transaction, write } = yield* Database.Database
  const deliveries = DeliveryTable.reads(read)
  const subscriptions = SubscriptionTable.reads(read)
  const change = DeliveryTable.writes(write)
  const changeSubscription = SubscriptionTable.writes(write)

  const settle = (delivery: DeliveryStore.Due, record: DeliveryStore.Record, next: DeliveryStore.Next) =>
    transaction(
      Effect.gen(function* () {
        const noted = yield* change.attempted(delivery, record, next)
        if (!noted) return
        const { key, subscription } = delivery
        const finished = next._tag !== "Retry"
        if (finished) yield* change.promote(subscription, key, record.at)
        yield* changeSubscription.attempted(subscription, {
          succeeded: next._tag === "Delivered",
          latencyMillis: record.latencyMillis,
          finished
        })
        if (next._tag === "Gone") yield* changeSubscription.disable(subscription, "gone", record.at)
        else if (next._tag !== "Delivered" && next.holdUntil !== undefined) {
          yield* changeSubscription.hold(subscription, next.holdUntil)
        }
      })
    )

  return DeliveryStore.DeliveryStore.of({
    due: Effect.fn("DeliveryStore.due")((now, perSubscription) =>
      storeFailed(deliveries.due(now, perSubscription))
    ),
    content: Effect.fn("DeliveryStore.content")(({ id, subscription }, now) =>
      storeFailed(
        Effect.map(deliveries.content(id, subscription), (row) =>
          row === undefined
            ? undefined
            : { url: row.url, body: row.body, secrets: SubscriptionTable.secretsOf(row, now) }
        )
      )
    ),
    nextAt: Effect.fn("DeliveryStore.nextAt")((now) =>
      storeFailed(
        Effect.map(deliveries.nextTimes(now), (rows) => {
          const times = rows.flatMap(({ holdUntil, nextAt }) =>
            nextAt === null ? [] : [Math.max(nextAt, holdUntil)]
          )
          return times.length === 0 ? undefined : Math.min(...times)
        })
      )
    ),
    settle: Effect.fn("DeliveryStore.settle")((delivery, record, next) =>
      storeFailed(settle(delivery, record, next))
    ),
    waiting: storeFailed(subscriptions.waiting),
    prune: Effect.fn("DeliveryStore.prune")((before) =>
      storeFailed(transaction(change.prune(before, perTransaction)))
    )
  })
})

/** The deliveries of a database. */
export const layer: Layer.Layer<DeliveryStore.DeliveryStore, never, Database.Database> = Layer.effect(
  DeliveryStore.DeliveryStore,
  make
)
