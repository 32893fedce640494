/**
 * What all the runs of an instance came to, so far.
 *
 * A stopped process is not scraped, so what its stop came to is told by the next run. Were only the last run told, a counter would read 1 after every
 * crash and no monitor would see the second one: so the sums travel from record to record.
 *
 * @module
 */
import * as Schema from "effect/Schema"
import * as ExitCode from "./ExitCode.js"
import type { ShutdownReport } from "./ShutdownReport.js"
import { Outcome } from "./ShutdownReport.js"

/** Upper bounds of the buckets that durations of stops are counted in, in seconds; above the last one is one more. */
export const durationBuckets: ReadonlyArray<number> = [
  0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300
]

/** How often one step ended in one way. */
export const StepTotal = Schema.Struct({
  step: Schema.String,
  kind: Schema.Literal("quiesce", "release", "hook"),
  outcome: Outcome,
  count: Schema.Number
})

/** Stops whose duration fell into one bucket. */
export const DurationTotal = Schema.Struct({
  count: Schema.Number,
  /** The durations added up, in seconds. */
  sumSeconds: Schema.Number
})

/** The sums. */
export const RunTotals = Schema.Struct({
  /** Stops that were forced (exit code 3). */
  forced: Schema.Number,
  /** Runs that crashed or were killed. */
  unclean: Schema.Number,
  /** Requests that were cut at a limit. */
  requestsInterrupted: Schema.Number,
  /** Quiesces, releases and hooks, by how they ended. */
  steps: Schema.Array(StepTotal),
  /** Durations of stops: one entry per bucket of {@link durationBuckets}, and one for what is longer. */
  durations: Schema.Array(DurationTotal)
})

/** The sums. */
export interface RunTotals extends Schema.Schema.Type<typeof RunTotals> {}

/** Nothing has happened yet. */
export const zero: RunTotals = { forced: 0, unclean: 0, requestsInterrupted: 0, steps: [], durations: [] }

/** One more run that ended without a report. */
export const addUnclean = (totals: RunTotals): RunTotals => ({ ...totals, unclean: totals.unclean + 1 })

/** One more run that ended with this report. */
export const addReport = (totals: RunTotals, report: ShutdownReport): RunTotals => {
  const steps = totals.steps.map((total) => ({ ...total }))
  for (const { kind, name, outcome } of report.steps) {
    const known = steps.find((s) => s.step === name && s.kind === kind && s.outcome === outcome)
    if (known === undefined) steps.push({ step: name, kind, outcome, count: 1 })
    else known.count += 1
  }
  const seconds = report.durationMillis / 1000
  const fits = durationBuckets.findIndex((bound) => seconds <= bound)
  const bucket = fits === -1 ? durationBuckets.length : fits
  return {
    forced: totals.forced + (report.exitCode === ExitCode.forced ? 1 : 0),
    unclean: totals.unclean,
    requestsInterrupted: totals.requestsInterrupted + report.requestsInterrupted.length,
    steps,
    durations: Array.from({ length: durationBuckets.length + 1 }, (_, i) => {
      const { count, sumSeconds } = totals.durations[i] ?? { count: 0, sumSeconds: 0 }
      return i === bucket ? { count: count + 1, sumSeconds: sumSeconds + seconds } : { count, sumSeconds }
    })
  }
}
