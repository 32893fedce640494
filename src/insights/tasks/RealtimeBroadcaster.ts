/**
 * The task that tells this process what was committed, by whatever process: from the outbox to the {@link EventBus.EventBus}. It begins with what comes after its
 * start: who connects later asks the outbox for what was before. There is one in every process.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Duration from "effect/Duration"
import * as Budget from "../../lifecycle/Budget.js"
import * as Resource from "../../lifecycle/Resource.js"
import * as EventBus from "../EventBus.js"
import * as Outbox from "../Outbox.js"
import * as OutboxTask from "./OutboxTask.js"

/** How the task is called in logs, health and reports. */
export const name = "realtime-broadcaster"

/** The task: for tests and tools. */
export const layer = (limit: Duration.Duration) =>
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const bus = yield* EventBus.EventBus
      const position = yield* Effect.flatMap(Outbox.Outbox, ({ head }) => head)
      yield* OutboxTask.run({ name, limit, position, take: bus.publish })
    }).pipe(Effect.annotateLogs({ component: "RealtimeBroadcaster" }))
  )

/** The task as `realtime-broadcaster` within `SHUTDOWN_BACKGROUND_TIMEOUT`. Fails with `SqlError`. */
export const layerConfig = Layer.unwrapEffect(
  Effect.map(Budget.Budget, ({ stages }) =>
    Resource.named(name, { limit: stages.background })(layer(stages.background))
  )
)
