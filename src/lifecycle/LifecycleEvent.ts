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
  /** Which of the three. */
  readonly kind: StepKind
  /** The name that the resource was given. */
  readonly name: string
}

/** A request that was cut at a limit. */
export interface InterruptedRequest {
  /** As the client sent it. */
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
export interface Stamp<Tag extends string> {
  /** Which event it is. */
  readonly _tag: Tag
  /** When it happened, in milliseconds since the epoch by Effect's clock, with fractions where the clock has them. */
  readonly at: number
}

/** The service is in another phase. */
export interface PhaseChanged extends Stamp<"PhaseChanged"> {
  /** The one that it is in now. */
  readonly phase: Phase
  /** The one that it has left. */
  readonly previous: Phase
}

/** A stop begins. */
export interface StopInitiated extends Stamp<"StopInitiated"> {
  /** Why. */
  readonly reason: StopReason
  /** What the whole has, in milliseconds. */
  readonly wholeMillis: number
}

/** A second signal arrived: waiting is cut short. */
export interface StopRepeated extends Stamp<"StopRepeated"> {
  /** The signal. */
  readonly reason: StopReason
  /** What had not ended, by name: what ran, then what was due. */
  readonly open: ReadonlyArray<string>
}

/** The whole limit has passed, and by configuration that only warns. Told once a second. */
export interface StopOverdue extends Stamp<"StopOverdue"> {
  /** Since the limit passed, in milliseconds. */
  readonly overdueMillis: number
  /** What has not ended, by name. */
  readonly open: ReadonlyArray<string>
}

/** Time ran out, the whole's or that of a second signal. */
export interface StopForced extends Stamp<"StopForced"> {
  /** What was still being released, by name; empty where it has none. */
  readonly open: ReadonlyArray<string>
}

/** The stop is over. */
export interface StopCompleted extends Stamp<"StopCompleted"> {
  /** From its beginning, in milliseconds. */
  readonly durationMillis: number
  /** What the process ends with. */
  readonly exitCode: number
}

/** A named layer was acquired. */
export interface Acquired extends Stamp<"Acquired"> {
  /** The layer's name. */
  readonly name: string
  /** How long it took, in milliseconds. */
  readonly durationMillis: number
}

/** An acquisition did not come to its end within its limit; whatever it still yields is released on arrival. */
export interface AcquisitionGivenUp extends Stamp<"AcquisitionGivenUp"> {
  /** The layer's name. */
  readonly name: string
  /** What it had, in milliseconds. */
  readonly limitMillis: number
}

/** A quiesce, release or hook begins. */
export interface StepStarted extends Stamp<"StepStarted"> {
  /** Which one. */
  readonly step: Step
  /** What it has, in milliseconds. */
  readonly limitMillis: number
}

/** A quiesce, release or hook came to its end. */
export interface StepCompleted extends Stamp<"StepCompleted"> {
  /** Which one. */
  readonly step: Step
  /** From its start, in milliseconds. */
  readonly durationMillis: number
}

/** A quiesce, release or hook overran its limit: it was asked to stop, and is no longer awaited. */
export interface StepTimedOut extends Stamp<"StepTimedOut"> {
  /** Which one. */
  readonly step: Step
  /** From its start, in milliseconds. */
  readonly durationMillis: number
  /** What it had, in milliseconds. */
  readonly limitMillis: number
}

/** A quiesce, release or hook failed or died. */
export interface StepFailed extends Stamp<"StepFailed"> {
  /** Which one. */
  readonly step: Step
  /** From its start, in milliseconds. */
  readonly durationMillis: number
  /** The cause, rendered. */
  readonly error: string
}

/** Requests were cut. */
export interface RequestsInterrupted extends Stamp<"RequestsInterrupted"> {
  /** The server's name, as its quiesce is called. */
  readonly server: string
  /** Which ones. */
  readonly requests: ReadonlyArray<InterruptedRequest>
}

/** A server's drain is over. */
export interface Drained extends Stamp<"Drained"> {
  /** The server's name, as its quiesce is called. */
  readonly server: string
  /** What it came to. */
  readonly count: DrainCount
}

/** Everything that can happen. */
export type LifecycleEvent =
  | PhaseChanged
  | StopInitiated
  | StopRepeated
  | StopOverdue
  | StopForced
  | StopCompleted
  | Acquired
  | AcquisitionGivenUp
  | StepStarted
  | StepCompleted
  | StepTimedOut
  | StepFailed
  | RequestsInterrupted
  | Drained
