/**
 * The task that takes events from the outbox to their webhooks. Its place in the outbox is kept in the database, so that every event is taken once by whichever
 * process it is that runs the task, and no event is removed before it was taken. Nobody can subscribe yet, so there is nothing to deliver.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Duration from "effect/Duration"
import * as Budget from "../../lifecycle/Budget.js"
import * as Resource from "../../lifecycle/Resource.js"
import * as Outbox from "../Outbox.js"
import * as OutboxTask from "./OutboxTask.js"

/** How the task is called in logs, health, reports and the outbox. */
export const name = "webhook-dispatcher"

/** The task: for tests and tools. */
export const layer = (limit: Duration.Duration) =>
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const outbox = yield* Outbox.Outbox
      const position = yield* outbox.register(name, "newest")
      yield* OutboxTask.run({
        name,
        limit,
        position,
        take: (events) => outbox.transaction(outbox.advance(name, events.at(-1)!.id))
      })
    }).pipe(Effect.annotateLogs({ component: "WebhookDispatcher" }))
  )

/** The task as `webhook-dispatcher` within `SHUTDOWN_BACKGROUND_TIMEOUT`. Fails with `SqlError`. */
export const layerConfig = Layer.unwrapEffect(
  Effect.map(Budget.Budget, ({ stages }) =>
    Resource.named(name, { limit: stages.background })(layer(stages.background))
  )
)
