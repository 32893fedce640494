/**
 * The task that takes events from the outbox to the webhooks that are subscribed to them. Its place in the outbox is kept in the database and moves in the transaction
 * that adds the deliveries, so every event is taken once, whichever process runs the task, and none is removed before it was taken.
 */
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Duration from "effect/Duration"
import * as Budget from "../../lifecycle/Budget.js"
import * as Resource from "../../lifecycle/Resource.js"
import * as Outbox from "../Outbox.js"
import * as FanOut from "../webhooks/FanOut.js"
import * as OutboxTask from "./OutboxTask.js"

/** How the task is called in logs, health, reports and the outbox. */
export const name = "webhook-dispatcher"

/** The task in the current scope. `add` is run in the transaction in which its events are passed, `added` after it. */
const run = (
  limit: Duration.Duration,
  add: (events: ReadonlyArray<Outbox.Event>) => Effect.Effect<void, SqlError>,
  added: Effect.Effect<void>
) =>
  Effect.gen(function* () {
    const outbox = yield* Outbox.Outbox
    const position = yield* outbox.register(name, "newest")
    yield* OutboxTask.run({
      name,
      limit,
      position,
      take: (events) =>
        Effect.zipRight(
          // The first statement is the one that moves the place.
          outbox.transaction(Effect.zipRight(outbox.advance(name, events.at(-1)!.id), add(events))),
          added
        )
    })
  }).pipe(Effect.annotateLogs({ component: "WebhookDispatcher" }))

/** The task where nobody can subscribe: it keeps its place. */
export const layer = (limit: Duration.Duration) =>
  Layer.scopedDiscard(run(limit, () => Effect.void, Effect.void))

/** The task as `webhook-dispatcher` within `SHUTDOWN_BACKGROUND_TIMEOUT`, where nobody can subscribe. Fails with `SqlError`. */
export const layerConfig = Layer.unwrapEffect(
  Effect.map(Budget.Budget, ({ stages }) =>
    Resource.named(name, { limit: stages.background })(layer(stages.background))
  )
)

/** The task with deliveries: for tests and tools. */
export const layerDelivering = (limit: Duration.Duration) =>
  Layer.scopedDiscard(Effect.flatMap(FanOut.FanOut, ({ add, added }) => run(limit, add, added)))

/** The task with deliveries, as `webhook-dispatcher` within `SHUTDOWN_BACKGROUND_TIMEOUT`. Fails with `SqlError`. */
export const layerDeliveringConfig = Layer.unwrapEffect(
  Effect.map(Budget.Budget, ({ stages }) =>
    Resource.named(name, { limit: stages.background })(layerDelivering(stages.background))
  )
)
