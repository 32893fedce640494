/**
 * The background tasks in `/health`, as the section `tasks`.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TaskBoard from "../lifecycle/TaskBoard.js"
import * as HealthDetails from "./HealthDetails.js"

/** Adds the section for as long as it is open. */
export const layer: Layer.Layer<never, never, HealthDetails.HealthDetails | TaskBoard.TaskBoard> =
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const board = yield* TaskBoard.TaskBoard
      const health = yield* HealthDetails.HealthDetails
      yield* health.add(
        "tasks",
        Effect.map(board.all, (all) =>
          all.map(({ lag, lastRun, ...task }) => ({
            ...task,
            lag: lag && { ...lag },
            lastRun: lastRun && { ...lastRun }
          }))
        )
      )
    })
  )
