/**
 * The task that takes events from the outbox to the webhooks that are subscribed to them. Its place in the outbox is kept in the database and moves in the transaction
 * that adds the deliveries, so every event is taken once, whichever process runs the task, and none is removed before it was taken.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Duration from "effect/Duration"
import * as Budget from "../../lifecycle/Budget.js"
import * as Outbox from "../Outbox.js"
import * as FanOut from "../webhooks/FanOut.js"
import * as OutboxTask from "./OutboxTask.js"

/** How the task is called in logs, health, reports and the outbox. */
export const name = "webhook-dispatcher"

/** Ledgers are stored by the process that has the lease, as this is; what others commit are notices alone, which may be told a little later where no Redis tells of them. */
const poll = "5 seconds"

/** The task: for tests and tools. */
export const layer = (limit: Duration.Duration) =>
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const outbox = yield* Outbox.Outbox
      const { add, added } = yield* FanOut.FanOut
      // A read where it can be one: ingestion begins after this, and whoever takes over should not be long.
      const position = yield* Effect.flatMap(
        outbox.position(name),
        Option.match({ onNone: () => outbox.register(name, "newest"), onSome: Effect.succeed })
      )
      const take = (events: ReadonlyArray<Outbox.Event>) =>
        Effect.zipRight(
          // The first statement is the one that moves the place.
          outbox.transaction(Effect.zipRight(outbox.advance(name, events.at(-1)!.id), add(events))),
          added
        )
      yield* OutboxTask.run({ name, limit, position, take, poll })
    }).pipe(Effect.annotateLogs({ component: "WebhookDispatcher" }))
  )

/** The task of the environment; a batch may take `SHUTDOWN_BACKGROUND_TIMEOUT` when the service stops. Its release is the lease's. Fails with `SqlError`. */
export const layerConfig = Layer.unwrapEffect(
  Effect.map(Budget.Budget, ({ stages }) => layer(stages.background))
)
