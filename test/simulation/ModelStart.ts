/** The model of how parts behave by themselves: when they are acquired, and when their tasks end. */
import type * as Case from "./Case.js"
import type * as Graph from "./Graph.js"

/** Why nothing is foretold. */
export class Unknown extends Error {}

/** Gives up foretelling. */
export const unknown = (why: string): never => {
  throw new Unknown(why)
}

/** How a start goes. */
export interface Start {
  /** When each is acquired; infinite for what never is. */
  readonly ends: Map<Graph.Instance, number>
  /** The first failure or timeout. */
  readonly failsAt: number
  /** When all are acquired. */
  readonly readyAt: number
}

/** When work that begins now would end. */
export const endOf = (work: Case.Work, start: number): number =>
  work.takes === null ? Infinity : start + work.takes

/** When every instance is acquired, as far as nothing stops it. */
export const start = (of: Case.Case, instances: ReadonlyArray<Graph.Instance>): Start => {
  const ends = new Map<Graph.Instance, number>()
  let failsAt = Infinity
  for (const each of instances) {
    const { part } = each
    let at = Math.max(0, ...each.on.map((below) => ends.get(below)!))
    for (const work of [...(part.inner === null ? [] : [part.inner.acquire]), part.acquire]) {
      const end = endOf(work, at)
      if (Number.isFinite(at) && end >= of.startup) failsAt = Math.min(failsAt, of.startup)
      if (end !== Infinity && work.ends !== "well") failsAt = Math.min(failsAt, end)
      at = work.ends === "well" ? end : Infinity
    }
    ends.set(each, at)
  }
  return { ends, failsAt, readyAt: Math.max(0, ...ends.values()) }
}

/** The moment at which a task's unit fails, by itself. */
export const taskFailsAt = (task: Case.Task, from: number): number =>
  task.failsAt === null ? Infinity : from + task.failsAt * (task.pause + task.unit.takes!)

/** When a task that is told to stop has ended, uncut. */
export const taskEndsAt = (task: Case.Task, from: number, told: number): number => {
  if (told >= taskFailsAt(task, from)) return told
  const turn = task.pause + task.unit.takes!
  const into = (told - from) % turn
  if ((into === 0 && told > from) || into === task.pause) return unknown("a task turns in this instant")
  return into < task.pause ? told : told + turn - into
}
