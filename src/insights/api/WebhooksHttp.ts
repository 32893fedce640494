/** The handlers of the webhook endpoints. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Problem from "../../http/Problem.js"
import type { EndpointRefused } from "../../webhooks/Endpoint.js"
import type * as DeliveryTable from "../webhooks/DeliveryTable.js"
import type * as SubscriptionTable from "../webhooks/SubscriptionTable.js"
import * as Subscriptions from "../webhooks/Subscriptions.js"
import * as Api from "../Api.js"
import * as Answers from "./Answers.js"
import * as Fields from "./Fields.js"
import * as Webhooks from "./Webhooks.js"

const webhook = (subscription: SubscriptionTable.Subscription, now: number) => {
  const { holdUntil, previousUntil, ...rest } = subscription
  return {
    ...rest,
    heldUntil: holdUntil > now ? holdUntil : null,
    previousSecretUntil: previousUntil !== null && previousUntil > now ? previousUntil : null
  }
}

const delivery = (row: DeliveryTable.Delivery) => {
  const { lastAt, lastBody, lastError, lastLatencyMillis, lastStatus, ...rest } = row
  const last = { latencyMillis: lastLatencyMillis ?? 0, status: lastStatus, body: lastBody, error: lastError }
  return new Webhooks.WebhookDelivery({
    ...rest,
    lastAttempt: lastAt === null ? null : { at: lastAt, ...last }
  })
}

/** What is accepted and goes on: 202. Numbers and texts always become JSON. */
const accepted = (row: DeliveryTable.Delivery) =>
  Effect.orDie(HttpServerResponse.json(delivery(row), { status: 202 }))

const statuses = { missing: 404, inactive: 409, most: 409 } as const

/** What is refused as problem details, what the database fails in as 503. */
const answered = <A>(
  effect: Effect.Effect<A, Subscriptions.SubscriptionRefused | EndpointRefused | SqlError>
) =>
  Answers.orUnavailable(effect).pipe(
    Effect.catchTags({
      SubscriptionRefused: ({ message, reason }) =>
        Effect.succeed(Problem.toResponse(Problem.make(statuses[reason], message))),
      EndpointRefused: ({ message }) =>
        Effect.succeed(
          Problem.toResponse(
            Problem.make(400, `url: ${message}`, {
              errors: [{ parameter: "url", value: null, allowed: message }]
            })
          )
        )
    })
  )

/** The endpoints of {@link Webhooks.Webhooks}. */
export const layer = HttpApiBuilder.group(Api.Api, "webhooks", (handlers) =>
  Effect.gen(function* () {
    const subscriptions = yield* Subscriptions.Subscriptions
    const shown = (subscription: SubscriptionTable.Subscription) =>
      Effect.map(Clock.currentTimeMillis, (now) => new Webhooks.Webhook(webhook(subscription, now)))
    const shownWithSecret = ({ secret, subscription }: Subscriptions.WithSecret) =>
      Effect.map(
        Clock.currentTimeMillis,
        (now) =>
          new Webhooks.WebhookWithSecret({ ...webhook(subscription, now), secret: Redacted.value(secret) })
      )

    return handlers
      .handle("list", () =>
        answered(
          Effect.flatMap(subscriptions.all, (all) =>
            Effect.map(Effect.forEach(all, shown), (webhooks) => new Webhooks.WebhookList({ webhooks }))
          )
        )
      )
      .handle("create", ({ payload }) =>
        answered(Effect.flatMap(subscriptions.create(payload), shownWithSecret))
      )
      .handle("byId", ({ path: { id } }) => answered(Effect.flatMap(subscriptions.byId(id), shown)))
      .handle("update", ({ path: { id }, payload }) =>
        answered(Effect.flatMap(subscriptions.update(id, payload), shown))
      )
      .handle("remove", ({ path: { id } }) =>
        answered(Effect.as(subscriptions.remove(id), HttpServerResponse.empty({ status: 204 })))
      )
      .handle("rotate", ({ path: { id } }) =>
        answered(Effect.flatMap(subscriptions.rotate(id), shownWithSecret))
      )
      .handle("test", ({ path: { id } }) => answered(Effect.flatMap(subscriptions.test(id), accepted)))
      .handle("deliveries", ({ path: { id }, urlParams: { cursor, limit, status } }) =>
        answered(
          Effect.map(
            subscriptions.deliveries(id, { status, before: cursor?.[0], limit: limit + 1 }),
            (found) => {
              const page = found.slice(0, limit)
              const last = page.at(-1)
              const more = found.length > limit && last !== undefined
              return new Webhooks.WebhookDeliveryPage({
                deliveries: page.map(delivery),
                next: more ? Fields.encodeCursor(Webhooks.Place, [last.id]) : null
              })
            }
          )
        )
      )
      .handle("redeliver", ({ path: { delivery: number, id } }) =>
        answered(Effect.flatMap(subscriptions.redeliver(id, number), accepted))
      )
  })
)
