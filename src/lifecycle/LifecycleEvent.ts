/**
 * What happens in the life of a service, as data.
 *
 * Logs, the report and readiness are all told by these events and by nothing else, so they cannot disagree (law 9). `at` is milliseconds
 * since the epoch by Effect's clock, with fractions where the clock has them.
 */
import type { Phase } from "./Phase.js"
import type { StopReason } from "./StopReason.js"

/** The two things a resource does when the service stops (finish what is in hand, then dispose), and what a hook does around the releases. */
export type StepKind = "quiesce" | "release" | "hook"

/** Which quiesce, release or hook an event speaks of. */
export interface Step {
  readonly kind: StepKind
  /** The name that the resource was given. */
  readonly name: string
}

/** A request that was cut at a limit. */
export interface InterruptedRequest {
  readonly method: string
  /** The path as it was asked for, without the query (it may carry secrets). */
  readonly path: string
  /** How long it had been running when it was cut, in milliseconds. */
  readonly ageMillis: number
}

/** What a server's drain came to. */
export interface DrainCount {
  /** Requests being answered when the drain began. */
  readonly requestsAtStart: number
  /** Open connections when the drain began. */
  readonly connectionsAtStart: number
  /** Requests answered whole since the drain began, those of the start included. */
  readonly drained: number
  /** Requests cut at the limit. */
  readonly interrupted: number
  /** Connections on which bytes arrived after we had closed our side: the client could not know yet. */
  readonly late: number
}

/** Everything that can happen. */
export type LifecycleEvent =
  | { readonly _tag: "PhaseChanged"; readonly at: number; readonly phase: Phase; readonly previous: Phase }
  | {
      readonly _tag: "StopInitiated"
      readonly at: number
      readonly reason: StopReason
      readonly wholeMillis: number
    }
  /** A second signal arrived: waiting is cut short. */
  | {
      readonly _tag: "StopRepeated"
      readonly at: number
      readonly reason: StopReason
      /** What was still to be done, by name. */
      readonly open: ReadonlyArray<string>
    }
  /** The whole limit has passed, and by configuration that only warns. Told once a second. */
  | {
      readonly _tag: "StopOverdue"
      readonly at: number
      readonly overdueMillis: number
      readonly open: ReadonlyArray<string>
    }
  | { readonly _tag: "Acquired"; readonly at: number; readonly name: string; readonly durationMillis: number }
  /** An acquisition did not come to its end within its limit; whatever it still yields is released on arrival. */
  | {
      readonly _tag: "AcquisitionGivenUp"
      readonly at: number
      readonly name: string
      readonly limitMillis: number
    }
  | { readonly _tag: "StepStarted"; readonly at: number; readonly step: Step; readonly limitMillis: number }
  | {
      readonly _tag: "StepCompleted"
      readonly at: number
      readonly step: Step
      readonly durationMillis: number
    }
  /** The step overran its limit: it was asked to stop, and is no longer awaited. */
  | {
      readonly _tag: "StepTimedOut"
      readonly at: number
      readonly step: Step
      readonly durationMillis: number
      readonly limitMillis: number
    }
  | {
      readonly _tag: "StepFailed"
      readonly at: number
      readonly step: Step
      readonly durationMillis: number
      readonly error: string
    }
  | {
      readonly _tag: "RequestsInterrupted"
      readonly at: number
      readonly server: string
      readonly requests: ReadonlyArray<InterruptedRequest>
    }
  | { readonly _tag: "Drained"; readonly at: number; readonly server: string; readonly count: DrainCount }
  /** Time ran out, the whole's or that of a second signal, and `open` was still being released. */
  | { readonly _tag: "StopForced"; readonly at: number; readonly open: ReadonlyArray<string> }
  | {
      readonly _tag: "StopCompleted"
      readonly at: number
      readonly durationMillis: number
      readonly exitCode: number
    }
