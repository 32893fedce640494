/**
 * The part of the service that webhooks are, with something to tell: it commits events, makes deliveries of them, and delivers. `FILE` is the database, `EVENTS` how
 * many it commits at most in this run.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import { randomBytes } from "node:crypto"
import * as Database from "../../../src/insights/Database.js"
import * as Outbox from "../../../src/insights/Outbox.js"
import * as WebhookDelivery from "../../../src/insights/tasks/WebhookDelivery.js"
import * as WebhookDispatcher from "../../../src/insights/tasks/WebhookDispatcher.js"
import * as FanOut from "../../../src/insights/webhooks/FanOut.js"
import * as NodeLaunch from "../../../src/lifecycle/node/NodeLaunch.js"
import * as TaskBoard from "../../../src/lifecycle/TaskBoard.js"
import * as Bell from "../../../src/webhooks/Bell.js"
import * as Resolver from "../../../src/webhooks/Resolver.js"
import * as Sender from "../../../src/webhooks/Sender.js"
import * as WebhookConfig from "../../../src/webhooks/WebhookConfig.js"

const filename = process.env.FILE!
const config = { ...WebhookConfig.defaults, allowHttp: true, allowPrivate: true }
const limit = Duration.seconds(5)

const events = Effect.gen(function* () {
  const outbox = yield* Outbox.Outbox
  const one = Effect.gen(function* () {
    const count = yield* Random.nextIntBetween(1, 4)
    const corridor = yield* Random.nextIntBetween(0, 5)
    yield* outbox.transaction(
      outbox.append(
        Array.from({ length: count }, (_, index) => ({
          kind: "health_alert" as const,
          key: `${randomBytes(8).toString("hex")}`,
          ledger: 1,
          payload: { srcAsset: `A${corridor}`, dstAsset: "native", index }
        }))
      )
    )
    yield* Effect.sleep(yield* Random.nextIntBetween(0, 5))
  })
  yield* Effect.repeatN(one, Number(process.env.EVENTS))
})

const database = Database.layerFrom({ url: `sqlite:${filename}`, filename })

const producer = Layer.scopedDiscard(
  Effect.zipRight(
    Effect.log("producing"),
    Number(process.env.EVENTS) > 0 ? Effect.forkScoped(events) : Effect.void
  )
)

const app = producer.pipe(
  Layer.provide([
    WebhookDispatcher.layer(limit),
    Layer.provide(WebhookDelivery.layer(config, limit), Sender.layer(config))
  ]),
  Layer.provide(FanOut.layer(config)),
  Layer.provide(Outbox.layer),
  Layer.provide([database, Bell.layer, Resolver.layer, TaskBoard.layer])
)

NodeRuntime.runMain(NodeLaunch.launch(app))
