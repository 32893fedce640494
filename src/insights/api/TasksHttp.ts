/** The handler of the endpoint for background tasks. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import * as TaskBoard from "../../lifecycle/TaskBoard.js"
import * as Api from "../Api.js"
import * as Tasks from "./Tasks.js"

/** The endpoint of {@link Tasks.Tasks}. */
export const layer = HttpApiBuilder.group(Api.Api, "tasks", (handlers) =>
  Effect.map(TaskBoard.TaskBoard, (board) =>
    handlers.handle("list", () =>
      Effect.map(
        board.all,
        (all) => new Tasks.TaskList({ tasks: all.map((task) => new Tasks.BackgroundTask(task)) })
      )
    )
  )
)
