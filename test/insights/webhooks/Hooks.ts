/** A database with webhooks, and what works on it. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as AnchorStore from "../../../src/insights/anchors/AnchorStore.js"
import * as Database from "../../../src/insights/Database.js"
import * as LedgerStore from "../../../src/insights/LedgerStore.js"
import * as Outbox from "../../../src/insights/Outbox.js"
import type { Settings } from "../../../src/insights/webhooks/SubscriptionTable.js"
import * as FanOut from "../../../src/insights/webhooks/FanOut.js"
import * as SqlDeliveryStore from "../../../src/insights/webhooks/SqlDeliveryStore.js"
import * as Subscriptions from "../../../src/insights/webhooks/Subscriptions.js"
import * as Lifecycle from "../../../src/lifecycle/Lifecycle.js"
import * as TaskBoard from "../../../src/lifecycle/TaskBoard.js"
import * as Bell from "../../../src/webhooks/Bell.js"
import * as DeliveryStore from "../../../src/webhooks/DeliveryStore.js"
import * as Resolver from "../../../src/webhooks/Resolver.js"
import * as WebhookConfig from "../../../src/webhooks/WebhookConfig.js"
import * as Service from "../Service.js"

/** Names that lead outside, and one that leads inside. */
const resolver = Resolver.layerTest((name) => {
  if (name.endsWith("inside.example.com")) return ["10.0.0.1"]
  return name.endsWith("example.com") ? ["93.184.215.14"] : undefined
})

/** Everything over a new file, unless one is given. */
export const make = (
  options: Partial<WebhookConfig.WebhookConfig> = {},
  file?: { readonly url: string; readonly filename: string }
) =>
  Effect.gen(function* () {
    const config = file ?? (yield* Service.fresh)
    const settings = { ...WebhookConfig.defaults, secretOverlap: Duration.hours(1), ...options }
    const lifecycle = yield* Service.ready
    const context = yield* Layer.build(
      Layer.mergeAll(
        Subscriptions.layer(settings),
        FanOut.layer(settings),
        SqlDeliveryStore.layer,
        AnchorStore.layer
      ).pipe(
        Layer.provideMerge(LedgerStore.layer),
        Layer.provideMerge(Layer.mergeAll(Database.layerFrom(config), Bell.layer, resolver, TaskBoard.layer)),
        Layer.provideMerge(Layer.succeed(Lifecycle.Lifecycle, lifecycle))
      )
    )
    const { read, write } = Context.get(context, Database.Database)
    return {
      config,
      context,
      read,
      write,
      lifecycle,
      outbox: Context.get(context, Outbox.Outbox),
      ledgers: Context.get(context, LedgerStore.LedgerStore),
      anchors: Context.get(context, AnchorStore.AnchorStore),
      subscriptions: Context.get(context, Subscriptions.Subscriptions),
      fanOut: Context.get(context, FanOut.FanOut),
      store: Context.get(context, DeliveryStore.DeliveryStore),
      bell: Context.get(context, Bell.Bell)
    }
  })

/** What {@link make} gives. */
export type Hooks = Effect.Effect.Success<ReturnType<typeof make>>

/** Settings of a subscription to everything. */
export const everything: Settings = {
  url: "https://hook.example.com/",
  description: "",
  eventTypes: [],
  filters: {},
  active: true
}

/** An event that has no ledger. */
export const event = (
  id: number,
  kind: Outbox.Event["kind"] = "health_alert",
  payload: Record<string, unknown> = {},
  key = String(id)
): Outbox.Event => ({ id, kind, ledger: 1, closedAt: 1_700_000_000, key, payload })

/** Adds deliveries as the dispatcher does. */
export const fanOut = ({ fanOut, outbox }: Hooks, events: ReadonlyArray<Outbox.Event>) =>
  Effect.zipRight(outbox.transaction(fanOut.add(events)), fanOut.added)
