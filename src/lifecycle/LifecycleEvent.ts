/**
 * What happens in the life of a service, as data.
 *
 * Logs, the report and readiness are all told by these events and by nothing else, so they cannot disagree (law 9).
 *
 * @module
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

/** What every event has. */
interface Stamp {
  /** When it happened, in milliseconds since the epoch by Effect's clock, with fractions where the clock has them. */
  readonly at: number
}

/** What every event about a step has. */
interface OfStep {
  /** Which one. */
  readonly step: Step
}

/** What the event of a step's end has. */
interface StepEnd extends OfStep {
  /** From its start, in milliseconds. */
  readonly durationMillis: number
}

/** What has not ended. */
interface Open {
  /** By name: what runs, then what is due. */
  readonly open: ReadonlyArray<string>
}

/** What an event about a server has. */
interface OfServer {
  /** The server's name, as its quiesce is called. */
  readonly server: string
}

/** Everything that can happen. */
export type LifecycleEvent = Stamp &
  (
    | { readonly _tag: "PhaseChanged"; readonly phase: Phase; readonly previous: Phase }
    /** A stop begins, for `reason`, with `wholeMillis` to be over. */
    | { readonly _tag: "StopInitiated"; readonly reason: StopReason; readonly wholeMillis: number }
    /** A second signal arrived: waiting is cut short. */
    | ({ readonly _tag: "StopRepeated"; readonly reason: StopReason } & Open)
    /** The whole limit has passed, and by configuration that only warns. Told once a second. */
    | ({ readonly _tag: "StopOverdue"; readonly overdueMillis: number } & Open)
    | { readonly _tag: "Acquired"; readonly name: string; readonly durationMillis: number }
    /** An acquisition did not come to its end within its limit; whatever it still yields is released on arrival. */
    | { readonly _tag: "AcquisitionGivenUp"; readonly name: string; readonly limitMillis: number }
    | ({ readonly _tag: "StepStarted"; readonly limitMillis: number } & OfStep)
    | ({ readonly _tag: "StepCompleted" } & StepEnd)
    /** The step overran its limit: it was asked to stop, and is no longer awaited. */
    | ({ readonly _tag: "StepTimedOut"; readonly limitMillis: number } & StepEnd)
    /** The step failed or died; `error` is the cause, rendered. */
    | ({ readonly _tag: "StepFailed"; readonly error: string } & StepEnd)
    /** Requests were cut at a limit. */
    | ({
        readonly _tag: "RequestsInterrupted"
        readonly requests: ReadonlyArray<InterruptedRequest>
      } & OfServer)
    /** A server's drain is over. */
    | ({ readonly _tag: "Drained"; readonly count: DrainCount } & OfServer)
    /** Time ran out, the whole's or that of a second signal, and `open` was still being released. */
    | ({ readonly _tag: "StopForced" } & Open)
    | { readonly _tag: "StopCompleted"; readonly durationMillis: number; readonly exitCode: number }
  )
