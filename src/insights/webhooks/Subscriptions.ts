/** Subscriptions to webhooks, and what becomes of their deliveries: what the API does with them. */
import type { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { randomBytes } from "node:crypto"
import { turn } from "../../http/EventLoop.js"
import * as Bell from "../../webhooks/Bell.js"
import * as Endpoint from "../../webhooks/Endpoint.js"
import * as Resolver from "../../webhooks/Resolver.js"
import * as Signature from "../../webhooks/Signature.js"
import * as WebhookConfig from "../../webhooks/WebhookConfig.js"
import * as Database from "../Database.js"
import * as DeliveryTable from "./DeliveryTable.js"
import * as FanOut from "./FanOut.js"
import * as SubscriptionTable from "./SubscriptionTable.js"

/** Most subscriptions. */
export const most = 1000

/** Why something is not done. */
export class SubscriptionRefused extends Data.TaggedError("SubscriptionRefused")<{
  /** `missing`: there is no such subscription or delivery. `inactive`: it is switched off. `most`: there are as many as there may be. */
  readonly reason: "missing" | "inactive" | "most"
  /** The same in a sentence. */
  readonly message: string
}> {}

/** A subscription with the secret that it has got. */
export interface WithSecret {
  readonly subscription: SubscriptionTable.Subscription
  /** To be shown once. */
  readonly secret: Signature.Secret
}

type Refused = SubscriptionRefused | SqlError

/** Subscriptions. Writes that are interrupted are rolled back. */
export interface Shape {
  /** All of them, by age. */
  readonly all: Effect.Effect<ReadonlyArray<SubscriptionTable.Subscription>, SqlError>
  /** The one of that id. */
  readonly byId: (id: string) => Effect.Effect<SubscriptionTable.Subscription, Refused>
  /** Adds one, with a new secret. Its URL is looked at first; fails with `EndpointRefused` when it is not acceptable. */
  readonly create: (
    settings: SubscriptionTable.Settings
  ) => Effect.Effect<WithSecret, Refused | Endpoint.EndpointRefused>
  /** Changes what is given. What was known of its endpoint is forgotten, so that what waits is tried by its own times. */
  readonly update: (
    id: string,
    changes: Partial<SubscriptionTable.Settings>
  ) => Effect.Effect<SubscriptionTable.Subscription, Refused | Endpoint.EndpointRefused>
  /** Removes it, and its deliveries. */
  readonly remove: (id: string) => Effect.Effect<void, Refused>
  /** Gives it a new secret; the one before signs too for as long as is configured. */
  readonly rotate: (id: string) => Effect.Effect<WithSecret, Refused>
  /** Has a `test` event delivered to it, like any other. */
  readonly test: (id: string) => Effect.Effect<DeliveryTable.Delivery, Refused>
  /** Deliveries, newest first. */
  readonly deliveries: (
    id: string,
    options: {
      readonly status: DeliveryTable.Status | undefined
      /** Only those with a lower id. */
      readonly before: number | undefined
      readonly limit: number
    }
  ) => Effect.Effect<ReadonlyArray<DeliveryTable.Delivery>, Refused>
  /** Has one delivered again, under its id, with all attempts ahead; one that is not over need not wait any longer. */
  readonly redeliver: (id: string, delivery: number) => Effect.Effect<DeliveryTable.Delivery, Refused>
}

/** The subscriptions of the service. */
export class Subscriptions extends Context.Tag("stellar-insights/insights/webhooks/Subscriptions")<
  Subscriptions,
  Shape
>() {}

/** Rows that are removed in a transaction: a few milliseconds. */
const perTransaction = 500

const missing = (what: string) =>
  new SubscriptionRefused({ reason: "missing", message: `there is no ${what}` })

const make = (config: Pick<WebhookConfig.WebhookConfig, "allowHttp" | "allowPrivate" | "secretOverlap">) =>
  Effect.gen(function* () {
    const { read, transaction, write } = yield* Database.Database
    const resolver = yield* Resolver.Resolver
    const bell = yield* Bell.Bell
    const reads = { subscription: SubscriptionTable.reads(read), delivery: DeliveryTable.reads(read) }
    const inside = { subscription: SubscriptionTable.reads(write), delivery: DeliveryTable.reads(write) }
    const subscription = SubscriptionTable.writes(write)
    const delivery = DeliveryTable.writes(write)

    const found = (one: Effect.Effect<SubscriptionTable.Subscription | undefined, SqlError>, id: string) =>
      Effect.flatMap(one, (row) => (row === undefined ? missing(`webhook ${id}`) : Effect.succeed(row)))
    const stored = (id: string) => found(inside.subscription.byId(id), id)
    const active = (id: string) =>
      Effect.filterOrFail(
        stored(id),
        (row) => row.active,
        () => new SubscriptionRefused({ reason: "inactive", message: `webhook ${id} is switched off` })
      )
    const storedDelivery = (id: string, number: number) =>
      Effect.flatMap(inside.delivery.byId(number, id), (row) =>
        row === undefined ? missing(`delivery ${number} of webhook ${id}`) : Effect.succeed(row)
      )
    const checked = (url: string) =>
      Effect.provideService(Endpoint.check(url, config), Resolver.Resolver, resolver)
    const rung = <A, E>(effect: Effect.Effect<A, E>) => Effect.tap(effect, bell.ring)

    const create = (settings: SubscriptionTable.Settings, now: number) =>
      Effect.gen(function* () {
        const id = `wh_${randomBytes(12).toString("hex")}`
        const secret = Signature.generate()
        yield* subscription.insert(id, settings, secret, now)
        if ((yield* inside.subscription.count) > most) {
          return yield* new SubscriptionRefused({
            reason: "most",
            message: `there are ${most} webhooks, which is as many as there may be`
          })
        }
        return { subscription: yield* stored(id), secret }
      })

    return Subscriptions.of({
      all: reads.subscription.all,
      byId: Effect.fn("Subscriptions.byId")((id) => found(reads.subscription.byId(id), id)),
      create: Effect.fn("Subscriptions.create")(function* (settings) {
        const url = yield* checked(settings.url)
        return yield* transaction(create({ ...settings, url }, yield* Clock.currentTimeMillis))
      }),
      update: Effect.fn("Subscriptions.update")(function* (id, changes) {
        yield* found(reads.subscription.byId(id), id)
        const url = changes.url === undefined ? {} : { url: yield* checked(changes.url) }
        const now = yield* Clock.currentTimeMillis
        return yield* rung(
          transaction(
            Effect.gen(function* () {
              const before = yield* stored(id)
              yield* subscription.update(id, { ...before, ...changes, ...url }, now)
              return yield* stored(id)
            })
          )
        )
      }),
      remove: Effect.fn("Subscriptions.remove")(function* (id) {
        const now = yield* Clock.currentTimeMillis
        // Nothing is added any more, so that the end is near.
        yield* transaction(Effect.zipRight(stored(id), subscription.disable(id, null, now)))
        yield* Effect.repeat(Effect.zipRight(turn, transaction(delivery.removeSome(id, perTransaction))), {
          while: (removed) => removed === perTransaction
        })
        yield* transaction(subscription.remove(id))
      }),
      rotate: Effect.fn("Subscriptions.rotate")(function* (id) {
        const now = yield* Clock.currentTimeMillis
        const secret = Signature.generate()
        const until = now + Duration.toMillis(config.secretOverlap)
        return yield* transaction(
          Effect.gen(function* () {
            yield* subscription.rotate(id, secret, until, now)
            return { subscription: yield* stored(id), secret }
          })
        )
      }),
      test: Effect.fn("Subscriptions.test")(function* (id) {
        const now = yield* Clock.currentTimeMillis
        const name = randomBytes(8).toString("hex")
        const message = {
          subscription: id,
          messageId: FanOut.messageId(id, `test_${name}`),
          type: "test",
          // A key of its own: it does not wait for what is in trouble before it.
          key: `test:${name}`,
          body: FanOut.bodyOf("test", now, null, { message: "This is a test.", webhook: id })
        }
        return yield* rung(
          transaction(
            Effect.gen(function* () {
              yield* active(id)
              const number = yield* delivery.add([message], now)
              yield* subscription.addWaiting(id, 1)
              return yield* storedDelivery(id, number)
            })
          )
        )
      }),
      deliveries: Effect.fn("Subscriptions.deliveries")((id, options) =>
        Effect.zipRight(found(reads.subscription.byId(id), id), reads.delivery.page(id, options))
      ),
      redeliver: Effect.fn("Subscriptions.redeliver")(function* (id, number) {
        const now = yield* Clock.currentTimeMillis
        return yield* rung(
          transaction(
            Effect.gen(function* () {
              yield* active(id)
              const before = yield* storedDelivery(id, number)
              if (before.status === "pending") yield* delivery.hurry(number, now)
              else {
                yield* delivery.again(number, now)
                yield* subscription.addWaiting(id, 1)
              }
              return yield* storedDelivery(id, number)
            })
          )
        )
      })
    })
  })

/** The subscriptions of a database. */
export const layer = (
  config: Pick<WebhookConfig.WebhookConfig, "allowHttp" | "allowPrivate" | "secretOverlap">
): Layer.Layer<Subscriptions, never, Database.Database | Bell.Bell | Resolver.Resolver> =>
  Layer.effect(Subscriptions, make(config))

/** The subscriptions of the environment (`WEBHOOK_ALLOW_HTTP`, `WEBHOOK_ALLOW_PRIVATE`, `WEBHOOK_SECRET_OVERLAP`). Fails with `ConfigError`. */
export const layerConfig = Layer.unwrapEffect(Effect.map(WebhookConfig.config, layer))
