/** What the events of a run tell. */
import type { LifecycleEvent } from "../../src/lifecycle/LifecycleEvent.js"

/** A step as the events tell it. */
export interface Step {
  readonly kind: string
  readonly name: string
  readonly start: number
  readonly limit: number
  end: number
  outcome: "completed" | "failed" | "timed_out" | "open"
}

/** The steps that the events tell. */
export const stepsOf = (events: ReadonlyArray<LifecycleEvent>): ReadonlyArray<Step> => {
  const steps: Array<Step> = []
  const outcomes = { StepCompleted: "completed", StepTimedOut: "timed_out", StepFailed: "failed" } as const
  for (const event of events) {
    if (event._tag === "StepStarted") {
      steps.push({ ...event.step, start: event.at, limit: event.limitMillis, end: event.at, outcome: "open" })
    } else if (
      event._tag === "StepCompleted" ||
      event._tag === "StepTimedOut" ||
      event._tag === "StepFailed"
    ) {
      const { kind, name } = event.step
      // Instances of one part share a name; the one that has taken exactly this long has ended.
      const of = steps.find(
        (step) =>
          step.kind === kind &&
          step.name === name &&
          step.outcome === "open" &&
          step.start + event.durationMillis === event.at
      )
      if (of === undefined) {
        steps.push({ kind, name, start: Number.NaN, limit: 0, end: event.at, outcome: "open" })
      } else {
        of.end = event.at
        of.outcome = outcomes[event._tag]
      }
    }
  }
  return steps
}

/** What happened, a line for every step and phase, as the model foretells it. */
export const linesOf = (
  events: ReadonlyArray<LifecycleEvent>,
  steps: ReadonlyArray<Step>,
  isHurried: boolean
) =>
  [
    ...steps.map(
      ({ end, kind, limit, name, outcome, start }) =>
        `${kind} ${name} at ${start} limit ${limit} ${outcome} at ${end}`
    ),
    ...events.flatMap((event) =>
      event._tag === "PhaseChanged"
        ? [`phase ${event.phase} at ${event.at}`]
        : event._tag === "StopForced" && !isHurried
          ? [`forced at ${event.at}`]
          : []
    )
  ].toSorted()

/** The first event of a kind. */
export const find = <T extends LifecycleEvent["_tag"]>(events: ReadonlyArray<LifecycleEvent>, tag: T) =>
  events.find((event): event is Extract<LifecycleEvent, { _tag: T }> => event._tag === tag)
