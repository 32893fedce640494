/**
 * Where background tasks show what they are doing. Each adds itself; nobody has to know which there are.
 *
 * @module
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { TaskStatus } from "./TaskStatus.js"

/** The registry. */
export interface Shape {
  /** Shows a task for as long as the scope is open. */
  readonly add: (status: Effect.Effect<TaskStatus>) => Effect.Effect<void, never, Scope.Scope>
  /** Every task as of now, by name. Never fails. */
  readonly all: Effect.Effect<ReadonlyArray<TaskStatus>>
}

/** The tasks of this process. */
export class TaskBoard extends Context.Tag("stellar-insights/lifecycle/TaskBoard")<TaskBoard, Shape>() {}

/** A board with nothing on it. */
export const make: Effect.Effect<Shape> = Effect.sync(() => {
  const tasks = new Set<{ readonly status: Effect.Effect<TaskStatus> }>()
  return {
    add: (status) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const task = { status }
          tasks.add(task)
          return task
        }),
        (task) => Effect.sync(() => tasks.delete(task))
      ).pipe(Effect.asVoid),
    all: Effect.map(
      Effect.suspend(() => Effect.forEach([...tasks], ({ status }) => status)),
      (all) => all.sort((a, b) => (a.name < b.name ? -1 : 1))
    )
  }
})

/** A board as a layer. */
export const layer: Layer.Layer<TaskBoard> = Layer.effect(TaskBoard, make)
