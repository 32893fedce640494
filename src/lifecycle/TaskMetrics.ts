/**
 * The {@link TaskBoard.TaskBoard} as metrics.
 *
 * | metric | type | what |
 * | --- | --- | --- |
 * | `task_units{task,outcome}` | gauge | units since the process started, `completed` and `failed` |
 * | `task_failing{task}` | gauge | units that failed since the last one that succeeded |
 * | `task_last_success_timestamp_seconds{task}` | gauge | when a unit last ended well, in seconds since 1970 |
 * | `task_last_duration_seconds{task}` | gauge | how long the last unit took |
 * | `task_lag{task,unit}` | gauge | how far behind it is, in that unit |
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Samples from "./Samples.js"
import * as TaskBoard from "./TaskBoard.js"
import type { TaskStatus } from "./TaskStatus.js"

const gauge = (name: string, description: string) => {
  const metric = Metric.gauge(name, { description })
  return (tags: Readonly<Record<string, string>>, value: number) =>
    Metric.set(
      Object.entries(tags).reduce((tagged, [key, tag]) => Metric.tagged(tagged, key, tag), metric),
      value
    )
}

const units = gauge("task_units", "Units of a task since the process started")
const failing = gauge("task_failing", "Units of a task that failed since the last one that succeeded")
const success = gauge("task_last_success_timestamp_seconds", "When a unit of a task last ended well")
const duration = gauge("task_last_duration_seconds", "How long the last unit of a task took")
const lag = gauge("task_lag", "How far a task is behind")

const set = (status: TaskStatus): Effect.Effect<void> => {
  const task = status.name
  return Effect.all(
    [
      units({ task, outcome: "completed" }, status.completed),
      units({ task, outcome: "failed" }, status.failed),
      failing({ task }, status.failedInARow),
      status.lastSuccessAt === null ? Effect.void : success({ task }, status.lastSuccessAt / 1000),
      status.lastRun === null ? Effect.void : duration({ task }, status.lastRun.durationMillis / 1000),
      status.lag === null ? Effect.void : lag({ task, unit: status.lag.unit }, status.lag.amount)
    ],
    { discard: true }
  )
}

/** Brings the metrics up to date at once: for an endpoint that is about to tell them. Never fails. */
export const update: Effect.Effect<void, never, TaskBoard.TaskBoard> = Effect.flatMap(
  TaskBoard.TaskBoard,
  ({ all }) => Effect.flatMap(all, (tasks) => Effect.forEach(tasks, set, { discard: true }))
)

/** {@link update}, whenever metrics are told. */
export const layer: Layer.Layer<never, never, TaskBoard.TaskBoard | Samples.Samples> = Layer.scopedDiscard(
  Effect.flatMap(Samples.Samples, ({ add }) => add(update))
)
