/**
 * The task that delivers webhooks: what the dispatcher has made of events goes to its endpoints. It must run in one process at a time.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Duration from "effect/Duration"
import * as Budget from "../../lifecycle/Budget.js"
import * as Delivery from "../../webhooks/Delivery.js"
import * as Sender from "../../webhooks/Sender.js"
import * as WebhookConfig from "../../webhooks/WebhookConfig.js"
import * as SqlDeliveryStore from "../webhooks/SqlDeliveryStore.js"
import * as Intervals from "./Intervals.js"

/** How the task is called in logs, health and reports. */
export const name = "webhook-delivery"

/** The task: for tests and tools. `limit` is how long attempts under way may still take when the service stops. */
export const layer = (
  config: WebhookConfig.WebhookConfig,
  limit: Duration.Duration,
  more: Pick<Delivery.Options, "delay"> = {}
) =>
  Layer.scopedDiscard(
    Delivery.run({ ...config, ...more, name, limit }).pipe(
      Effect.annotateLogs({ component: "WebhookDelivery" })
    )
  ).pipe(Layer.provide(SqlDeliveryStore.layer))

/**
 * The task of the environment (`WEBHOOK_*`); attempts may take `SHUTDOWN_BACKGROUND_TIMEOUT` when the service stops. Its release is the lease's. Needs the database, the
 * bell and a resolver. Fails with `ConfigError`.
 */
export const layerConfig = Layer.unwrapEffect(
  Effect.gen(function* () {
    const { stages } = yield* Budget.Budget
    const config = yield* WebhookConfig.config
    return Layer.provide(layer(config, stages.background, { delay: Intervals.delay }), Sender.layer(config))
  })
)
