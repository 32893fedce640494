/**
 * What a drill is told, what it tells while it runs, and why it cannot begin.
 *
 * @module
 */
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { StopReport } from "./DrillReport.js"
import type { Scenario } from "./Scenario.js"
import type { Checks, Targets } from "./Targets.js"

/** What a drill is told. */
export interface DrillOptions {
  /** What the service is called in the report; the command when absent. */
  readonly name?: string
  /**
   * Command line of the service, split at blanks as a shell splits it (quotes and backslashes hold words together, `NAME=value` in front is environment),
   * but run without a shell: a shell would get the signal in place of the service. Whoever wants one writes `sh -c '...'`. `{port}` is the port of the url.
   */
  readonly command: string
  /** Working directory of the service; that of the drill when absent. */
  readonly cwd?: string
  /**
   * Where the service listens, `http://127.0.0.1:8080`. With port 0 the drill picks a free one before each start and tells the service by `PORT` (and
   * by `{port}` in `command` and `env`).
   */
  readonly url: string
  /** Environment of the service over the drill's own. `{port}` is the port of the url. */
  readonly env?: Readonly<Record<string, string>>
  /** The paths of the service. */
  readonly targets: Targets
  /** Judges of bodies, for a caller that knows the service. */
  readonly checks?: Checks
  /** Path that answers 2xx once the service is ready; `targets.ready` when absent, and where that is absent too a TCP connection is enough. */
  readonly ready?: string
  /** How long the service may take to be ready, in milliseconds. 30,000. */
  readonly startMillis?: number
  /** In the order in which they take turns. */
  readonly scenarios: ReadonlyArray<Scenario>
  /** How many stops in all; every scenario that can be run has at least one. 20. */
  readonly stops?: number
  /** No further stop is begun after this many milliseconds. 1,800,000. */
  readonly mostMillis?: number
  /** What stops the service. SIGTERM. */
  readonly signal?: NodeJS.Signals
  /** What the service is given from the signal to its exit, in milliseconds. 30,000. */
  readonly graceMillis?: number
  /** Milliseconds over the grace after which it is killed, with all it has started. 2,000. */
  readonly marginMillis?: number
  /** How the service is told of a short grace, for scenarios that outlast it; they take the whole grace when absent. */
  readonly shortGrace?: { readonly env: Readonly<Record<string, string>>; readonly graceMillis: number }
  /** Kept-alive clients of a heavy load. 64. */
  readonly connections?: number
  /** Exit codes, or names of signals, with which a stop is in order. `[0]`. */
  readonly exits?: ReadonlyArray<number | string>
  /** A number below 2^32; drawn when absent. */
  readonly seed?: number
  /** Talks to hosts other than loopback. Default false. */
  readonly allowRemote?: boolean
  /** How many requests of a stop the report keeps; losses are kept beyond it. 300. */
  readonly mostRequests?: number
  /** Told of everything as it happens; what it does is waited for. */
  readonly onProgress?: (progress: Progress) => Effect.Effect<void>
}

/** What a drill tells while it runs. */
export type Progress =
  | {
      /** The drill knows what it will do. */
      readonly _tag: "Began"
      /** Stops that will be made, unless time runs out. */
      readonly stops: number
      /** Draws the same numbers when it is given again. */
      readonly seed: number
      /** Scenarios that will not be run, and why. */
      readonly skipped: ReadonlyArray<{ readonly scenario: string; readonly reason: string }>
    }
  | {
      /** A scenario's turn has come; the service is being started. */
      readonly _tag: "StopBegan"
      /** From 1. */
      readonly nth: number
      /** What will happen. */
      readonly scenario: Scenario
    }
  | {
      /** The service was stopped and everything is accounted for. */
      readonly _tag: "StopEnded"
      /** What came of it. */
      readonly stop: StopReport
    }

/**
 * Why a drill cannot begin, or cannot go on.
 *
 * - `usage`: an option makes no sense; the message says which.
 * - `remote`: the url is not on this machine and that was not allowed.
 * - `port`: somebody else listens on the service's port.
 * - `start`: the service did not start, or was not ready in time; the message ends with its last words.
 */
export class DrillError extends Data.TaggedError("DrillError")<{
  /** Which of these. */
  readonly reason: "usage" | "remote" | "port" | "start"
  /** What a person needs to know. */
  readonly message: string
}> {}
