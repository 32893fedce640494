/** The background tasks of the process that answers. */
import type { TaskList } from "../insights/api/Tasks.js"
import { byId, rows } from "./Dom.js"
import * as Format from "./Format.js"
import * as Time from "./Time.js"

/** Where they are asked for. */
export const path = "/api/tasks"

type Task = (typeof TaskList.Encoded)["tasks"][number]

let tasks: ReadonlyArray<Task> = []

/** An answer has come. */
export const take = (answer: unknown): void => {
  tasks = (answer as typeof TaskList.Encoded).tasks
}

const lagOf = ({ lag }: Task): string => {
  if (lag === null) return Format.nothing
  if (lag.amount === 0) return "none"
  return lag.unit === "seconds"
    ? Format.duration(1000 * lag.amount)
    : Format.plural(lag.amount, lag.unit.replace(/s$/, ""))
}

const lastRunOf = ({ lastRun }: Task, now: number) => {
  if (lastRun === null) return { text: "not yet" }
  const text = Format.ago(now - lastRun.startedAt - lastRun.durationMillis)
  return lastRun.error === null
    ? { text }
    : { text: `${text}: ${lastRun.error}`, title: lastRun.error, mark: "failed" }
}

const nextOf = ({ nextAt, state }: Task, now: number): string =>
  nextAt === null
    ? state === "working"
      ? "now"
      : "when there is work"
    : `in ${Format.duration(1000 * Math.max(0, Math.ceil((nextAt - now) / 1000)))}`

/** Writes all of it, as of now. */
export const render = (): void => {
  const now = Time.serverNow()
  rows(
    byId("tasks"),
    tasks.map((task) => ({
      key: task.name,
      cells: [
        { text: task.name },
        { text: task.state, class: "task-state", mark: task.state },
        { text: lagOf(task), class: "num" },
        lastRunOf(task, now),
        {
          text: task.lastRun === null ? Format.nothing : Format.duration(task.lastRun.durationMillis),
          class: "num wide-only"
        },
        { text: Format.count(task.completed), class: "num wide-only" },
        {
          text: Format.count(task.failed),
          class: "num wide-only",
          ...(task.failedInARow > 0 ? { mark: "failed" } : {})
        },
        { text: nextOf(task, now), class: "wide-only" }
      ]
    }))
  )
}
