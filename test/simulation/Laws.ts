/** What must hold in every run, and what the model foretold; as sentences about what does not. */
import * as Case from "./Case.js"
import type { LifecycleEvent } from "../../src/lifecycle/LifecycleEvent.js"
import * as Graph from "./Graph.js"
import * as Model from "./Model.js"
import { Unknown } from "./ModelStart.js"
import type { Seen } from "./Service.js"
import * as Told from "./Told.js"
import type { Trace } from "./Simulate.js"

/** How a run was judged. */
export interface Verdict {
  /** Nothing, when all is well. */
  readonly violations: ReadonlyArray<string>
  /** Whether the model foretold it exactly; else why not. */
  readonly foretold: true | string
}

/** Judges a run. */
export const judge = (of: Case.Case, trace: Trace): Verdict => {
  const violations: Array<string> = []
  const must = (holds: boolean, otherwise: () => string) => {
    if (!holds && violations.length < 20) violations.push(otherwise())
  }
  const { events } = trace
  const initiated = Told.find(events, "StopInitiated")
  const repeated = Told.find(events, "StopRepeated")
  if (trace.endedAt === undefined || initiated === undefined) {
    // Where the whole only warns, what has no name may keep a stop for ever.
    const mayLast = !of.force && of.parts.some(({ inner, named }) => !named || inner?.named === false)
    must(mayLast, () => "law 2: the launch never ended")
    return { violations, foretold: "a stop that never ends" }
  }
  const begin = initiated.at
  const hurryAt = repeated?.at ?? Infinity
  const steps = Told.stepsOf(events)
  // The stop itself; what is given up may still tell of its end later.
  const endIndex = events.findIndex(({ _tag }) => _tag === "StopCompleted")
  const told = events.slice(0, endIndex + 1)
  const report = trace.reports[0]

  must(trace.endedWell, () => "the launch failed")
  must(
    trace.exitCodes.length === 1 && trace.reports.length === 1,
    () => "law 5: the end was told more than once, or never"
  )
  if (report === undefined) return { violations, foretold: "no report" }

  bounds(of, trace, steps, initiated.wholeMillis, begin, hurryAt, must)
  order(of, trace, steps, hurryAt, must)
  once(trace, steps, must)
  startUp(of, trace, begin, must)
  truth(trace, Told.stepsOf(told), must)

  let foretold: true | string = true
  try {
    const model = Model.foretell(of, trace.added)
    const lines = Told.linesOf(told, Told.stepsOf(told), repeated !== undefined)
    const missing = [...model.lines]
    const extra = lines.filter((line) => {
      const i = missing.indexOf(line)
      if (i >= 0) missing.splice(i, 1)
      return i < 0
    })
    must(
      missing.length === 0 && extra.length === 0,
      () => `model: expected ${missing.join("; ")}\n    but got ${extra.join("; ")}`
    )
    must(
      report.exitCode === model.exitCode,
      () => `model: exit code ${model.exitCode}, not ${report.exitCode}`
    )
    must(
      report.durationMillis === model.durationMillis,
      () => `model: ${model.durationMillis} ms, not ${report.durationMillis}`
    )
    must(
      report.wholeMillis === model.wholeMillis,
      () => `model: a whole of ${model.wholeMillis} ms, not ${report.wholeMillis}`
    )
    must(trace.endedAt === model.endedAt, () => `model: ended at ${model.endedAt}, not ${trace.endedAt}`)
  } catch (error) {
    if (!(error instanceof Unknown)) throw error
    foretold = error.message
  }
  return { violations, foretold }
}

type Must = (holds: boolean, otherwise: () => string) => void

/** Laws 2, 3 and 5: limits, the whole, the second after a second signal, and what is kept for later. */
const bounds = (
  of: Case.Case,
  { added, endedAt, events }: Trace,
  steps: ReadonlyArray<Told.Step>,
  wholeMillis: number,
  begin: number,
  hurryAt: number,
  must: Must
) => {
  if (of.force)
    must(
      endedAt! <= begin + wholeMillis,
      () => `law 2: ended ${endedAt! - begin} ms after the reason, of ${wholeMillis}`
    )
  must(endedAt! <= hurryAt + 1000, () => `law 5: ended ${endedAt! - hurryAt} ms after the second signal`)
  const limitOf = ({ kind, name }: Told.Step): number => {
    const [part, rest] = name.split(".") as [string, string | undefined]
    const owner = of.parts[Number(part.slice(1))]!
    if (kind === "hook") return added.find((hook) => hook.name === name)!.hook.limit
    if (kind === "quiesce") return rest === undefined ? owner.quiesce!.limit : owner.task!.limit
    return rest === undefined ? owner.limit : owner.inner!.limit
  }
  const wasReady = events.some((event) => event._tag === "PhaseChanged" && event.phase === "ready")
  for (const step of steps) {
    if (step.name === "an unnamed layer") continue
    const limit = limitOf(step)
    const title = `${step.kind} ${step.name}`
    must(step.end - step.start <= limit, () => `law 2: ${title} took ${step.end - step.start} ms of ${limit}`)
    must(step.limit <= limit, () => `law 2: ${title} was given ${step.limit} ms, its limit is ${limit}`)
    must(
      step.start <= Math.max(begin, hurryAt) || lateArrival(step, events),
      () => `law 5: ${title} began ${step.start - hurryAt} ms after the second signal`
    )
    if (wasReady && step.start < hurryAt) {
      must(step.limit === limit, () => `law 3: ${title} was given ${step.limit} ms of its ${limit}`)
    }
    if (step.start >= hurryAt && endedAt! > step.start) {
      const fair = Math.min(
        limit,
        hurryAt + 1000 - step.start,
        of.force ? begin + wholeMillis - step.start : Infinity
      )
      must(
        step.limit >= fair,
        () => `law 5: ${title} was given ${step.limit} ms of the shared second, not ${fair}`
      )
      must(
        step.outcome !== "open" || endedAt! >= step.start + fair,
        () => `law 5: ${title} was not awaited for its share of the second`
      )
    }
  }
}

/** Whether a release may begin at any time, since what it releases was under acquisition. */
const lateArrival = (step: Told.Step, events: ReadonlyArray<LifecycleEvent>): boolean =>
  step.kind === "release" &&
  (!events.some((event) => event._tag === "Acquired" && event.name === step.name) ||
    events.some((event) => event._tag === "AcquisitionGivenUp"))

/** Law 1: nothing is released before what is built on it. */
const order = (
  of: Case.Case,
  { endedAt, events, seen }: Trace,
  steps: ReadonlyArray<Told.Step>,
  hurryAt: number,
  must: Must
) => {
  const initiated = Told.find(events, "StopInitiated")!
  const deadline = of.force ? initiated.at + initiated.wholeMillis : Infinity
  const hooks = Graph.plan(of, Graph.expand(of)).after
  const reserve = Graph.reserves(Graph.expand(of))
  const reserveOf = (index: number) => {
    for (const [each, millis] of reserve) if (each.index === index) return millis
    return 0
  }
  const givenUp = (user: Seen, by: number) =>
    steps.some(
      ({ end, name, outcome }) =>
        (name === user.name || name === Case.nameOf(user.index)) && outcome === "timed_out" && end <= by
    ) || events.some((event) => event._tag === "AcquisitionGivenUp" && event.at <= by)
  for (const user of seen) {
    for (const on of user.on) {
      const release = on.releases[0]
      if (release === undefined || release.start >= hurryAt || release.start >= endedAt!) continue
      const limit = on.isInner ? of.parts[on.index]!.inner!.limit : of.parts[on.index]!.limit
      const mayRescue = release.start >= deadline - limit - reserveOf(on.index) - hooks
      const released =
        user.releases[0]?.end ?? (user.acquire.how === "well" ? Infinity : (user.acquire.end ?? Infinity))
      must(
        released <= release.start || mayRescue || givenUp(user, release.start),
        () => `law 1: ${on.name} was released at ${release.start}, ${user.name} on it at ${released}`
      )
    }
  }
}

/** Law 5: whatever was acquired is released, and once. What was given up is released on arrival. */
const once = ({ endedAt, events, seen }: Trace, steps: ReadonlyArray<Told.Step>, must: Must) => {
  for (const each of seen) {
    must(each.releases.length <= 1, () => `law 5: ${each.name} was released ${each.releases.length} times`)
    if (each.acquire.how !== "well") {
      must(each.releases.length === 0, () => `law 6: ${each.name} was released and never acquired`)
      continue
    }
    if (each.acquire.end! > endedAt!) {
      must(
        each.releases[0]?.start === each.acquire.end,
        () => `law 1: ${each.name} arrived late and was not released on arrival`
      )
    }
    // A named part is closed whatever hangs; one with nothing of its own in front of it is then released.
    if (steps.some(({ kind, name }) => kind === "release" && name === each.name)) {
      const waits = each.units.some(({ end }) => end === undefined)
      must(each.releases.length === 1 || waits, () => `law 5: ${each.name} was acquired and never released`)
    }
  }
  const acquired = events.flatMap((event) => (event._tag === "Acquired" ? [event.name] : []))
  for (const name of new Set(acquired)) {
    const count = (all: ReadonlyArray<string>) => all.filter((other) => other === name).length
    const begun = steps.flatMap((step) =>
      step.kind === "release" && step.start <= endedAt! ? [step.name] : []
    )
    must(count(begun) >= count(acquired), () => `law 3: ${name} was acquired and its release never begun`)
  }
}

/** Law 6: a reason to stop that comes before everything is acquired keeps it from ever being ready. */
const startUp = (of: Case.Case, { endedAt, events, seen }: Trace, begin: number, must: Must) => {
  const ready = events.find((event) => event._tag === "PhaseChanged" && event.phase === "ready")
  const first = of.words[0]?.at ?? Infinity
  if (ready !== undefined) {
    must(ready.at <= first, () => `law 6: ready at ${ready.at}, told to stop at ${first}`)
    must(
      seen.every(({ acquire }) => acquire.how === "well"),
      () => "law 6: ready before everything was acquired"
    )
  }
  must(begin <= Math.max(first, 0), () => `law 6: told to stop at ${first}, the stop began at ${begin}`)
  for (const { acquire, name } of seen) {
    must(
      acquire.start <= Math.max(0, begin) || acquire.start > endedAt!,
      () => `law 6: ${name} was begun at ${acquire.start}, after the stop`
    )
    const { startup } = of
    must(
      begin <= startup || ready !== undefined,
      () => `law 6: not ready, and not stopped before ${begin} of ${startup}`
    )
  }
}

/** Law 9: the report says what the events say, and what the parts themselves saw. */
const truth = (trace: Trace, steps: ReadonlyArray<Told.Step>, must: Must) => {
  const { events, exitCodes, quiesces, reports, seen, statuses } = trace
  const report = reports[0]!
  const completed = Told.find(events, "StopCompleted")!
  const begin = Told.find(events, "StopInitiated")!.at
  must(
    exitCodes[0] === report.exitCode && completed.exitCode === report.exitCode,
    () => "law 9: exit codes differ"
  )
  must(
    trace.endedAt === begin + report.durationMillis,
    () => `law 9: the report says ${report.durationMillis} ms`
  )
  const said = report.steps.map(
    (step) => `${step.kind} ${step.name} ${step.limitMillis} ${step.outcome} ${step.durationMillis}`
  )
  const happened = steps.map((step) => {
    const took =
      (step.outcome === "open" ? completed.at : step.end) -
      (step.outcome === "open" ? Math.max(begin, step.start) : step.start)
    return `${step.kind} ${step.name} ${step.limit} ${step.outcome} ${took}`
  })
  must(
    said.toSorted().join() === happened.toSorted().join(),
    () => `law 9: the report says ${said.join("; ")}\n    but it was ${happened.join("; ")}`
  )
  const count = (outcome: Told.Step["outcome"]) => steps.some((step) => step.outcome === outcome)
  const startFailed = Told.find(events, "StopInitiated")!.reason._tag === "StartFailed"
  const overran =
    count("timed_out") ||
    Told.find(events, "StopRepeated") !== undefined ||
    Told.find(events, "StopForced") !== undefined
  const gaveUp = report.acquisitionsGivenUp.length > 0 && !startFailed
  must(
    (report.exitCode === 3) === (overran || gaveUp),
    () => `law 9: exit code ${report.exitCode}, overran ${overran}`
  )
  if (count("failed")) must(report.exitCode !== 0, () => "law 4: a step failed and the exit code is 0")
  statuses.forEach((status) =>
    must(
      status.ready === (status.phase === "ready"),
      () => `law 9: ${status.phase} is ${status.ready ? "" : "not "}ready`
    )
  )
  // What was completed in time was so for the part itself.
  for (const { end, kind, name, outcome, start } of steps) {
    const own =
      kind === "quiesce"
        ? quiesces.filter((q) => q.name === name)
        : kind === "release"
          ? seen.filter((s) => s.name === name).flatMap((s) => s.releases)
          : []
    // What was not acquired in time is released on arrival, or by the acquisition itself: there is nothing left for its step.
    const isLate =
      kind === "release" && !events.some((event) => event._tag === "Acquired" && event.name === name)
    const isOne =
      own.length === 1 && steps.filter((step) => step.kind === kind && step.name === name).length === 1
    if (outcome !== "completed" || !isOne || isLate) continue
    must(
      own[0]!.end !== undefined && own[0]!.end <= end && own[0]!.start >= start,
      () => `law 9: ${kind} ${name} is told as completed at ${end}`
    )
    must(own[0]!.how !== "badly", () => `law 9: ${kind} ${name} failed and is told as completed`)
  }
}
