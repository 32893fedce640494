/** The handler of the endpoint for background tasks. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import * as LeaseBoard from "../../lease/LeaseBoard.js"
import * as TaskBoard from "../../lifecycle/TaskBoard.js"
import * as Api from "../Api.js"
import * as Tasks from "./Tasks.js"

/** The endpoint of {@link Tasks.Tasks}. */
export const layer = HttpApiBuilder.group(Api.Api, "tasks", (handlers) =>
  Effect.gen(function* () {
    const tasks = yield* TaskBoard.TaskBoard
    const leases = yield* LeaseBoard.LeaseBoard
    return handlers.handle("list", () =>
      Effect.zipWith(
        tasks.all,
        leases.all,
        (tasks, leases) =>
          new Tasks.TaskList({
            tasks: tasks.map((task) => new Tasks.BackgroundTask(task)),
            leases: leases.map((lease) => new Tasks.TaskLease(lease))
          })
      )
    )
  })
)
