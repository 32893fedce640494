/**
 * What must happen in a case, and when, computed from the case alone: no fibers, no scopes, only sums of times over the graph.
 *
 * Where two things meet in one millisecond and their order would matter, or where the order is the layer library's own affair, the model says
 * that it does not know; then only the laws are checked.
 */
import * as Case from "./Case.js"
import * as Graph from "./Graph.js"
import { endOf, start, taskEndsAt, taskFailsAt, unknown } from "./ModelStart.js"

/** What is foretold. */
export interface Foretold {
  /** A line for every step, phase and acquisition, as `Lines` makes them from what happened. */
  readonly lines: ReadonlyArray<string>
  readonly exitCode: number
  readonly durationMillis: number
  readonly wholeMillis: number
  readonly endedAt: number
}

interface End {
  readonly at: number
  readonly outcome: "completed" | "failed" | "timed_out"
}

/** The order in which hooks were added, which the model cannot know where parts are acquired in the same instant. */
export type AddedHooks = ReadonlyArray<{ readonly name: string; readonly hook: Case.Hook }>

/** Foretells the life of a case whose hooks were added in this order. */
export const foretell = (of: Case.Case, added: AddedHooks): Foretold => {
  const instances = Graph.expand(of)
  const { ends, failsAt, readyAt } = start(of, instances)
  const words = of.words.filter(({ at }) => at >= 0)
  if (words.length < of.words.length) unknown("a word before the launch")
  let workerAt = Infinity
  for (const each of instances) {
    if (each.part.task !== null) workerAt = Math.min(workerAt, taskFailsAt(each.part.task, ends.get(each)!))
  }
  const wordAt = words[0]?.at ?? Infinity
  const reasonAt = Math.min(wordAt, workerAt)
  if (readyAt > reasonAt || failsAt < Infinity) return unknown("the start is called off or fails")
  if (readyAt === reasonAt || wordAt === workerAt) unknown("a reason in the instant of another")
  const needed = Graph.needed(of, instances)
  const isRefused = of.whole !== null && needed > of.whole
  const wholeMillis = of.whole ?? Math.max(needed, of.announce + Case.pathMillis)
  const begin = isRefused ? readyAt : reasonAt
  const deadline = of.force ? begin + wholeMillis : Infinity
  const signals = words.filter(({ what }) => what.startsWith("SIG"))
  const hurryAt = signals[1]?.at ?? Infinity
  if (isRefused ? signals.some(({ at }) => at <= readyAt) : hurryAt === begin)
    unknown("a signal in the instant of the stop")
  return stop(of, {
    instances,
    acquiredAt: ends,
    added,
    begin,
    deadline,
    hurryAt,
    wholeMillis,
    isRefused,
    readyAt,
    isFailure: reasonAt === workerAt || words[0]?.what === "uncaught"
  })
}

interface Stop {
  readonly instances: ReadonlyArray<Graph.Instance>
  readonly acquiredAt: ReadonlyMap<Graph.Instance, number>
  readonly added: AddedHooks
  readonly begin: number
  readonly deadline: number
  readonly hurryAt: number
  readonly wholeMillis: number
  readonly isRefused: boolean
  readonly readyAt: number
  readonly isFailure: boolean
}

const stop = (of: Case.Case, s: Stop): Foretold => {
  const lines: Array<string> = []
  const outcomes: Array<End["outcome"]> = []
  const hurried = Math.min(s.deadline, s.hurryAt + 1000)
  const reserve = Graph.reserves(s.instances)
  const hooksOf = (when: Case.Hook["when"]) => s.added.filter(({ hook }) => hook.when === when).toReversed()
  const sum = (hooks: AddedHooks) => hooks.reduce((total, { hook }) => total + hook.limit, 0)
  const graphNeeds = Math.max(0, ...s.instances.map((each) => Graph.needOf(each, reserve.get(each)!)))
  const before = hooksOf("before-release")
  const after = hooksOf("after-release")
  const tail = sum(after)

  /** One step: how long it may take, and what becomes of work that ends at `end`. */
  const step = (
    kind: string,
    name: string,
    from: number,
    limit: number,
    keep: number,
    work: { readonly end: number; readonly well: boolean },
    cut = Infinity
  ): End => {
    const room = Math.max(0, Math.min(limit, (from < s.hurryAt ? s.deadline - keep : hurried) - from))
    let expiry = from + room
    if (from < s.hurryAt && s.hurryAt < expiry) {
      expiry = Math.min(expiry, s.hurryAt + Math.max(0, Math.min(limit, hurried - s.hurryAt)))
    }
    expiry = Math.min(expiry, Math.max(cut, from))
    if (work.end === expiry && work.end > from) unknown("work ends at its limit")
    const end: End =
      work.end <= expiry
        ? { at: work.end, outcome: work.well ? "completed" : "failed" }
        : { at: expiry, outcome: "timed_out" }
    outcomes.push(end.outcome)
    lines.push(`${kind} ${name} at ${from} limit ${room} ${end.outcome} at ${end.at}`)
    return end
  }
  const plain = (work: Case.Work, from: number) => ({ end: endOf(work, from), well: work.ends === "well" })

  // Announcing and draining.
  const drainAt = s.isRefused ? s.begin : Math.min(s.begin + of.announce, Math.max(s.begin, s.hurryAt))
  let releaseAt = drainAt
  const taskEnds = new Map<Graph.Instance, number>()
  for (const each of s.instances) {
    if (s.isRefused) break
    const name = Case.nameOf(each.index)
    const keep = sum(before) + graphNeeds + tail
    const { quiesce, task } = each.part
    if (quiesce !== null) {
      const end = step("quiesce", name, drainAt, quiesce.limit, keep, plain(quiesce.work, drainAt), s.hurryAt)
      releaseAt = Math.max(releaseAt, end.at)
    }
    if (task !== null) {
      const ended = taskEndsAt(task, s.acquiredAt.get(each)!, drainAt)
      const end = step(
        "quiesce",
        `${name}.task`,
        drainAt,
        task.limit,
        keep,
        { end: ended, well: true },
        s.hurryAt
      )
      taskEnds.set(each, end.outcome === "timed_out" && !task.unit.stubborn ? end.at : ended)
      releaseAt = Math.max(releaseAt, end.at)
    }
  }
  if (releaseAt === s.hurryAt && drainAt < s.hurryAt && outcomes.length === 0)
    unknown("the drain ends at the signal")

  /** Hooks, one after the other, or all at once in a hurry. */
  const hooks = (due: AddedHooks, from: number, keep: number): number => {
    let turn = from
    let last = from
    due.forEach(({ hook, name }, i) => {
      const at = i === 0 ? from : Math.min(turn, Math.max(from, s.hurryAt))
      const end = step("hook", name, at, hook.limit, keep + sum(due.slice(i + 1)), plain(hook.work, at))
      turn = end.at
      last = Math.max(last, end.at)
    })
    return last
  }

  const graphAt = hooks(before, releaseAt, graphNeeds + tail)

  // The graph, backwards.
  const closedAt = new Map<Graph.Instance, number>()
  const openUntil: Array<number> = []
  /** Named releases inside others have limits of their own, and are awaited for themselves. */
  let innerEnd = 0
  /** The moment from which a named release is begun whatever hangs before it. */
  const latest = (limit: number, below: number) =>
    Math.max(releaseAt, Math.min(s.hurryAt, s.deadline - limit - below - tail))
  for (const each of s.instances.toReversed()) {
    const { part } = each
    const name = Case.nameOf(each.index)
    const below = reserve.get(each)!
    const reached = Math.max(graphAt, ...each.users.map((user) => closedAt.get(user)!))
    const from = part.named ? Math.min(reached, latest(part.limit, below)) : reached
    if (from === Infinity) {
      closedAt.set(each, Infinity)
      const { inner } = part
      if (inner?.named === true) {
        const at = latest(inner.limit, below)
        if (at < Infinity) {
          const work = plain(inner.release, at)
          const end = step("release", Case.innerNameOf(each.index), at, inner.limit, below + tail, work)
          innerEnd = Math.max(innerEnd, end.at)
        }
      }
      continue
    }
    const ownFrom =
      part.task === null ? from : (taskEnds.get(each) ?? taskEndsAt(part.task, s.acquiredAt.get(each)!, from))
    const own = plain(part.release, Math.max(from, ownFrom))
    let work = own
    if (part.inner !== null) {
      if (part.task !== null) unknown("a task with something inside")
      const { inner } = part
      const at = inner.named ? Math.min(own.end, latest(inner.limit, below)) : own.end
      const limit = part.named
        ? Math.max(0, Math.min(part.limit, s.deadline - below - tail - from))
        : Infinity
      if (at > from + limit || (s.hurryAt < Infinity && at > s.hurryAt))
        unknown("what is inside is released after its part was given up")
      const end = inner.named
        ? step(
            "release",
            Case.innerNameOf(each.index),
            at,
            inner.limit,
            below + tail,
            plain(inner.release, at)
          ).at
        : endOf(inner.release, at)
      if (inner.named) innerEnd = Math.max(innerEnd, end)
      work = { end: Math.max(own.end, end), well: own.well && (inner.named || inner.release.ends === "well") }
    }
    const end = part.named ? step("release", name, from, part.limit, below + tail, work).at : work.end
    closedAt.set(each, Math.max(reached, end))
    if (part.named) openUntil.push(end)
  }
  // What has no name tells of its failure once the graph is closed.
  const unnamedFails = s.instances.some(
    ({ part }) =>
      !part.named &&
      ((part.release.ends !== "well" && part.release.takes !== null) ||
        (part.inner?.named === false &&
          part.inner.release.ends !== "well" &&
          part.inner.release.takes !== null))
  )
  const closed = Math.max(graphAt, ...closedAt.values())
  const graphDone = Math.max(graphAt, innerEnd, ...closedAt.values())
  const expiry = graphAt < s.hurryAt ? Math.min(s.deadline - tail, hurried) : hurried
  if (graphDone === expiry && graphDone > graphAt && openUntil.every((at) => at < graphDone))
    unknown("what has no name ends at the deadline")
  const graphEnd = Math.min(graphDone, Math.max(graphAt, expiry))
  const isForced = graphDone > graphEnd
  if (unnamedFails && isForced) unknown("what has no name is cut at the end of the graph, and fails")
  if (unnamedFails && closed <= graphEnd) {
    outcomes.push("failed")
    lines.push(`release an unnamed layer at ${closed} limit 0 failed at ${closed}`)
  }
  if (graphEnd === Infinity) unknown("a stop that only warns and never ends")
  const lastHook =
    after.length === 0
      ? graphEnd
      : hooks(after, Math.min(graphEnd, Math.max(releaseAt, Math.min(s.deadline - tail, s.hurryAt))), 0)
  const endedAt = Math.max(graphEnd, lastHook)
  if (endedAt === s.hurryAt) unknown("the second signal comes at the end")
  const isHurried = s.hurryAt < endedAt
  if (isHurried && graphAt > s.hurryAt) unknown("hooks outlast the second signal")

  const phases: Array<readonly [string, number]> = s.isRefused
    ? [["releasing", s.begin]]
    : [
        ["ready", s.readyAt],
        ["announcing", s.begin],
        ["draining", drainAt],
        ["releasing", releaseAt]
      ]
  for (const [phase, at] of [...phases, ["stopped", endedAt] as const]) lines.push(`phase ${phase} at ${at}`)
  if (isForced && !isHurried) lines.push(`forced at ${graphEnd}`)
  const exitCode =
    isForced || isHurried || outcomes.includes("timed_out")
      ? 3
      : s.isRefused
        ? 2
        : s.isFailure || outcomes.includes("failed")
          ? 1
          : 0
  return {
    lines: lines.toSorted(),
    exitCode,
    durationMillis: endedAt - s.begin,
    wholeMillis: s.wholeMillis,
    endedAt
  }
}
