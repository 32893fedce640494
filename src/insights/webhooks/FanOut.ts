/**
 * From events to deliveries: each event becomes a delivery to every subscription that it is for, in the transaction in which the events are passed. So there is one
 * delivery for each, whenever the process ends.
 */
import type { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { turn } from "../../http/EventLoop.js"
import * as Bell from "../../webhooks/Bell.js"
import * as WebhookConfig from "../../webhooks/WebhookConfig.js"
import * as Database from "../Database.js"
import type * as Outbox from "../Outbox.js"
import * as DeliveryTable from "./DeliveryTable.js"
import * as Filter from "./Filter.js"
import * as SubscriptionTable from "./SubscriptionTable.js"

/** The fan-out. */
export interface Shape {
  /** Adds the deliveries of these events, inside the transaction of whoever calls. Fails with `SqlError`. */
  readonly add: (events: ReadonlyArray<Outbox.Event>) => Effect.Effect<void, SqlError>
  /** Tells the delivery that the transaction was committed. Never fails. */
  readonly added: Effect.Effect<void>
}

/** The fan-out of the service. */
export class FanOut extends Context.Tag("stellar-insights/insights/webhooks/FanOut")<FanOut, Shape>() {}

/** The `webhook-id` of an event's delivery to a subscription. */
export const messageId = (subscription: string, event: number | string): string => `${subscription}_${event}`

/** The body of a message. `at` is in milliseconds since 1970. */
export const bodyOf = (
  type: string,
  at: number,
  ledger: number | null,
  data: Readonly<Record<string, unknown>>
): string => JSON.stringify({ type, timestamp: new Date(at).toISOString(), ledger, data })

const make = ({ maxWaiting }: { readonly maxWaiting: number }) =>
  Effect.gen(function* () {
    const { write } = yield* Database.Database
    const bell = yield* Bell.Bell
    const subscriptions = SubscriptionTable.reads(write)
    const changeSubscription = SubscriptionTable.writes(write)
    const deliveries = DeliveryTable.writes(write)

    const membersOf = (anchor: string) =>
      Effect.gen(function* () {
        const accounts = yield* write<{
          address: string
        }>`SELECT address FROM anchor_account WHERE anchor = ${anchor}`
        const assets = yield* write<{
          asset: string
        }>`SELECT asset FROM anchor_asset WHERE anchor = ${anchor}`
        return {
          accounts: new Set(accounts.map(({ address }) => address)),
          assets: new Set(assets.map(({ asset }) => asset))
        } satisfies Filter.Members
      })

    const switchOff = ({ id, waiting }: SubscriptionTable.Subscription, now: number) =>
      Effect.zipRight(
        changeSubscription.disable(id, "overflow", now),
        Effect.logWarning("Too much waits for a webhook; its subscription is switched off").pipe(
          Effect.annotateLogs({
            event_type: "webhook_switched_off",
            subscription: id,
            waiting,
            most: maxWaiting
          })
        )
      )

    const add = Effect.fn("FanOut.add")(function* (events: ReadonlyArray<Outbox.Event>) {
      const active = yield* subscriptions.active
      if (active.length === 0) return
      const now = yield* Clock.currentTimeMillis
      const anchors = new Map<string, Filter.Members>()
      for (const { filters } of active) {
        if (filters.anchor === undefined || anchors.has(filters.anchor)) continue
        anchors.set(filters.anchor, yield* membersOf(filters.anchor))
      }
      const bodies = new Map<number, string>()
      const bodyFor = (event: Outbox.Event) => {
        const known = bodies.get(event.id)
        if (known !== undefined) return known
        const at = event.closedAt === null ? now : event.closedAt * 1000
        const body = bodyOf(event.kind, at, event.ledger, event.payload)
        bodies.set(event.id, body)
        return body
      }
      for (const subscription of active) {
        const { eventTypes, filters, id, waiting } = subscription
        const own = events.filter((event) =>
          Filter.passes(event, eventTypes, filters, (anchor) => anchors.get(anchor))
        )
        if (own.length === 0) continue
        if (waiting + own.length > maxWaiting) {
          yield* switchOff(subscription, now)
          continue
        }
        yield* deliveries.add(
          own.map((event) => ({
            subscription: id,
            messageId: messageId(id, event.id),
            type: event.kind,
            key: Filter.orderingKey(event),
            body: bodyFor(event)
          })),
          now
        )
        yield* changeSubscription.addWaiting(id, own.length)
        yield* turn
      }
    })

    return FanOut.of({ add, added: bell.ring })
  })

/** The fan-out of a database. */
export const layer = (options: {
  /** Deliveries that may wait for one subscription; one more, and it is switched off. */
  readonly maxWaiting: number
}): Layer.Layer<FanOut, never, Database.Database | Bell.Bell> => Layer.effect(FanOut, make(options))

/** The fan-out of the environment (`WEBHOOK_MAX_WAITING`). Fails with `ConfigError`. */
export const layerConfig = Layer.unwrapEffect(Effect.map(WebhookConfig.config, layer))
