/** The contract of the endpoint for background tasks. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import * as Fields from "./Fields.js"

const millis = (what: string) => Schema.NullOr(Fields.count(`${what}, in milliseconds since 1970`))

/** A background task. */
export class BackgroundTask extends Schema.Class<BackgroundTask>("BackgroundTask")({
  name: Fields.text("Its name in logs, health and the report of a stop"),
  state: Schema.Literal("waiting", "working", "failing"),
  intervalMillis: Schema.NullOr(
    Schema.Number.annotations({
      description:
        "From the end of one unit to the begin of the next; null when it works whenever there is work"
    })
  ),
  limitMillis: Schema.Number.annotations({
    description: "How long a unit may still take when the service stops"
  }),
  completed: Fields.count("Units that succeeded since this process started"),
  failed: Fields.count("Units that failed since this process started"),
  failedInARow: Fields.count("Units that failed since the last one that succeeded"),
  lastRun: Schema.NullOr(
    Schema.Struct({
      startedAt: Fields.count("When it began, in milliseconds since 1970"),
      durationMillis: Schema.Number,
      error: Schema.NullOr(Fields.text("What it failed with; null when it succeeded"))
    })
  ),
  lastSuccessAt: millis("When a unit last ended well"),
  nextAt: millis("When the next unit is due"),
  lag: Schema.NullOr(
    Schema.Struct({
      amount: Schema.Number.annotations({ description: "How far it is behind" }),
      unit: Fields.text("Of what: seconds, ledgers or events")
    })
  )
}) {}

/** Who may run tasks that run in one process at a time. */
export class TaskLease extends Schema.Class<TaskLease>("TaskLease")({
  name: Fields.text(
    "Which lease: all tasks that run in one process at a time are under the one called tasks"
  ),
  state: Schema.Literal("standby", "held", "ended").annotations({
    description:
      "What it is to the process that answers: held, the tasks run here; standby, they run elsewhere; ended, it was given back since the process stops"
  }),
  since: Fields.count("Since when, in milliseconds since 1970"),
  holder: Schema.NullOr(
    Fields.text("The process that has it, host:pid and something unique; null when none was seen")
  ),
  epoch: Schema.NullOr(Fields.count("How often it has been given, as this process has seen it last"))
}) {}

/** All of them. */
export class TaskList extends Schema.Class<TaskList>("TaskList")({
  tasks: Schema.Array(BackgroundTask),
  leases: Schema.Array(TaskLease)
}) {}

/** Background tasks of the process that answers, and where those are that run elsewhere. */
export class Tasks extends HttpApiGroup.make("tasks")
  .add(
    HttpApiEndpoint.get("list", "/")
      .addSuccess(TaskList)
      .annotate(
        OpenApi.Summary,
        "What the background tasks of this process are doing, and which process has those that run once"
      )
  )
  .prefix("/api/tasks") {}
