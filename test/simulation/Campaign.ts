/** Many cases, one after the other, and what the first bad one comes down to. */
import * as Case from "./Case.js"
import * as Generate from "./Generate.js"
import * as Graph from "./Graph.js"
import * as Laws from "./Laws.js"
import * as Shrink from "./Shrink.js"
import * as Simulate from "./Simulate.js"

/** What many cases came to. */
export interface Result {
  readonly cases: number
  /** Those whose every step, moment and exit code the model foretold. */
  readonly foretold: number
  /** Acquisitions that they are made of, all together. */
  readonly resources: number
  readonly failure: Failure | undefined
}

/** A case that broke a law. */
export interface Failure {
  readonly seed: number
  readonly violations: ReadonlyArray<string>
  /** As small as it could be made. */
  readonly shrunk: Case.Case
  readonly shrunkViolations: ReadonlyArray<string>
}

/** Runs and judges a case. A run that throws breaks a law too. */
export const judge = (of: Case.Case): Laws.Verdict => {
  // A failure's trace costs more than a run, and nobody reads it.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return Laws.judge(of, Simulate.run(of))
  } catch (error) {
    return { violations: [`the run broke: ${String(error)}`], foretold: "it broke" }
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** Runs the cases of `runs` seeds from `seed` on, up to the first that breaks a law. */
export const run = (seed: number, runs: number): Result => {
  let foretold = 0
  let resources = 0
  for (let i = 0; i < runs; i++) {
    const of = Generate.make(seed + i)
    const verdict = judge(of)
    for (const { part } of Graph.expand(of)) resources += part.inner === null ? 1 : 2
    if (verdict.foretold === true) foretold += 1
    if (verdict.violations.length > 0) {
      const shrunk = Shrink.shrink(of, (smaller) => judge(smaller).violations.length > 0)
      const failure = {
        seed: seed + i,
        violations: verdict.violations,
        shrunk,
        shrunkViolations: judge(shrunk).violations
      }
      return { cases: i + 1, foretold, resources, failure }
    }
  }
  return { cases: runs, foretold, resources, failure: undefined }
}

/** A failure for people: what to run again, what broke, and what to paste into a regression case. */
export const describe = ({ seed, shrunk, shrunkViolations, violations }: Failure): string =>
  [
    `seed ${seed} breaks:`,
    ...violations.map((line) => `  ${line}`),
    "the smallest case found:",
    JSON.stringify(shrunk),
    ...shrunkViolations.map((line) => `  ${line}`)
  ].join("\n")
