/**
 * Recognises what a service tells of its own stop on its output: a report as a line of JSON, or a log line per step and phase.
 *
 * A report has `initiatedAt` (milliseconds since the epoch) and `steps` of `{kind, name, startMillis, durationMillis, outcome}`, `phases` of `{phase,
 * startMillis}` beside them. A log line has an ISO `timestamp` and an `event_type`: `shutdown_step_completed`, `_timed_out`, `_failed` with `step`, `kind`
 * and `duration_ms`; `shutdown_phase` with the phase as the last word of its `message`. Anything else is passed over.
 *
 * @module
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Step } from "./DrillReport.js"

const Report = Schema.Struct({
  initiatedAt: Schema.Number,
  phases: Schema.optional(Schema.Array(Schema.Struct({ phase: Schema.String, startMillis: Schema.Number }))),
  steps: Schema.Array(
    Schema.Struct({
      kind: Schema.String,
      name: Schema.String,
      startMillis: Schema.Number,
      durationMillis: Schema.Number,
      outcome: Schema.String
    })
  )
})

const StepLine = Schema.Struct({
  timestamp: Schema.Date,
  event_type: Schema.Literal("shutdown_step_completed", "shutdown_step_timed_out", "shutdown_step_failed"),
  step: Schema.String,
  kind: Schema.String,
  duration_ms: Schema.Number
})

const PhaseLine = Schema.Struct({
  timestamp: Schema.Date,
  event_type: Schema.Literal("shutdown_phase", "shutdown_completed"),
  message: Schema.String
})

const decode = Schema.decodeUnknownOption(Schema.parseJson(Schema.Union(Report, StepLine, PhaseLine)))

/** Reads the output of one service. */
export interface Reader {
  /** Takes a line. Never fails. */
  readonly push: (line: string) => void
  /** The steps in the order of their begin, relative to `epochMillis`; undefined when none was told. */
  readonly steps: (epochMillis: number) => ReadonlyArray<Step> | undefined
}

/** A reader that has read nothing. */
export const make = (): Reader => {
  let told: typeof Report.Type | undefined
  const steps: Array<Step> = []
  const phases: Array<{ readonly name: string; readonly at: number }> = []

  const phasesUntil = (list: ReadonlyArray<{ readonly name: string; readonly at: number }>, end: number) =>
    list.flatMap(({ at, name }, i): Array<Step> => {
      // The last one is a state, not a span.
      const to = list[i + 1]?.at ?? end
      return name === "stopped" ? [] : [{ name, kind: "phase", from: at, to, outcome: "completed" }]
    })

  const absolute = (): ReadonlyArray<Step> => {
    if (told === undefined) {
      const end = Math.max(...steps.map(({ to }) => to), ...phases.map(({ at }) => at))
      return [...phasesUntil(phases, end), ...steps]
    }
    const { initiatedAt } = told
    const own = told.steps.map(({ durationMillis, kind, name, outcome, startMillis }) => {
      const from = initiatedAt + startMillis
      return { name, kind, from, to: from + durationMillis, outcome }
    })
    const list = (told.phases ?? []).map((p) => ({ name: p.phase, at: initiatedAt + p.startMillis }))
    return [...phasesUntil(list, Math.max(initiatedAt, ...own.map(({ to }) => to))), ...own]
  }

  return {
    push: (line) => {
      // A service may write a line for each request: what cannot be meant is not taken apart.
      if (!line.startsWith("{") || !/"event_type":\s*"shutdown_|"initiatedAt"/.test(line)) return
      const value = Option.getOrUndefined(decode(line))
      if (value === undefined) return
      if ("initiatedAt" in value) told = value
      else if ("step" in value) {
        const to = value.timestamp.getTime()
        const outcome = value.event_type.slice("shutdown_step_".length)
        steps.push({ name: value.step, kind: value.kind, from: to - value.duration_ms, to, outcome })
      } else {
        const name = value.event_type === "shutdown_completed" ? "stopped" : value.message.split(" ").at(-1)!
        phases.push({ name, at: value.timestamp.getTime() })
      }
    },
    steps: (epochMillis) => {
      const all = absolute()
      if (all.length === 0) return undefined
      const relative = all.map((step) => ({
        ...step,
        from: step.from - epochMillis,
        to: step.to - epochMillis
      }))
      return relative.sort((a, b) => a.from - b.from)
    }
  }
}
