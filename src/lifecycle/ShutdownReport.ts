/**
 * What a stop came to, built from the events and from nothing else.
 */
import * as Effect from "effect/Effect"
import * as ExitCode from "./ExitCode.js"
import type { DrainCount, InterruptedRequest, LifecycleEvent, StepKind } from "./LifecycleEvent.js"
import type { Phase } from "./Phase.js"
import * as StopReason from "./StopReason.js"

/** How a quiesce or release went. `open`: it had not ended when the report was closed. */
export type Outcome = "completed" | "timed_out" | "failed" | "open"

/** One quiesce or release. */
export interface StepReport {
  readonly kind: StepKind
  readonly name: string
  /** Milliseconds after the stop was initiated. */
  readonly startMillis: number
  /** Milliseconds; until the end of the stop for one that is `open`. */
  readonly durationMillis: number
  /** What it was given, in milliseconds. */
  readonly limitMillis: number
  readonly outcome: Outcome
  /** What it failed with, where it did. */
  readonly error?: string
}

/** A phase of the stop. */
export interface PhaseReport {
  readonly phase: Phase
  /** Milliseconds after the stop was initiated. */
  readonly startMillis: number
}

/** The whole stop. */
export interface ShutdownReport {
  /** Why, in words: `SIGTERM`, `worker ledger-ingestion failed: …`. */
  readonly reason: string
  /** When the stop was initiated, milliseconds since the epoch. */
  readonly initiatedAt: number
  /** From the initiation to the end, in milliseconds. */
  readonly durationMillis: number
  /** What the whole was given, in milliseconds. */
  readonly wholeMillis: number
  readonly phases: ReadonlyArray<PhaseReport>
  /** In the order in which they started. */
  readonly steps: ReadonlyArray<StepReport>
  /** Acquisitions that were given up, by name. */
  readonly acquisitionsGivenUp: ReadonlyArray<string>
  /** What each server's drain came to, by the server's name. */
  readonly drains: Readonly<Record<string, DrainCount>>
  /** Requests that were cut at a limit. */
  readonly requestsInterrupted: ReadonlyArray<InterruptedRequest>
  /** What was still open when the stop was forced, or a second signal came; absent when neither was. */
  readonly forcedOpen?: ReadonlyArray<string>
  /** See `ExitCode`. */
  readonly exitCode: number
}

/** Listens to the events of one run and tells the report when it is over. */
export interface Collector {
  readonly subscriber: (event: LifecycleEvent) => Effect.Effect<void>
  /** The exit code that follows from what has happened so far. */
  readonly exitCode: Effect.Effect<number>
  /** The report as of now. */
  readonly report: Effect.Effect<ShutdownReport>
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** A collector for one run. */
export const collector: Effect.Effect<Collector> = Effect.sync(() => {
  let reason: StopReason.StopReason | undefined
  let initiatedAt = 0
  let lastAt = 0
  let wholeMillis = 0
  let durationMillis: number | undefined
  let forcedOpen: ReadonlyArray<string> | undefined
  const phases: Array<PhaseReport> = []
  const steps: Array<Mutable<StepReport>> = []
  const givenUp: Array<string> = []
  const interrupted: Array<InterruptedRequest> = []
  const drains: Record<string, DrainCount> = {}

  const since = (at: number) => (reason === undefined ? 0 : at - initiatedAt)

  const end = (
    event: LifecycleEvent & { readonly step: unknown; readonly durationMillis: number },
    outcome: Outcome
  ) => {
    const { kind, name } = event.step as { readonly kind: StepKind; readonly name: string }
    const step = steps.find((s) => s.kind === kind && s.name === name && s.outcome === "open")
    if (step === undefined) return
    step.outcome = outcome
    step.durationMillis = event.durationMillis
    if (event._tag === "StepFailed") step.error = event.error
  }

  const take = (event: LifecycleEvent) => {
    lastAt = event.at
    switch (event._tag) {
      case "StopInitiated":
        reason = event.reason
        initiatedAt = event.at
        wholeMillis = event.wholeMillis
        return
      case "PhaseChanged":
        if (reason !== undefined) phases.push({ phase: event.phase, startMillis: since(event.at) })
        return
      case "StepStarted":
        steps.push({
          ...event.step,
          startMillis: since(event.at),
          durationMillis: 0,
          limitMillis: event.limitMillis,
          outcome: "open"
        })
        return
      case "StepCompleted":
        return end(event, "completed")
      case "StepTimedOut":
        return end(event, "timed_out")
      case "StepFailed":
        return end(event, "failed")
      case "AcquisitionGivenUp":
        givenUp.push(event.name)
        return
      case "RequestsInterrupted":
        interrupted.push(...event.requests)
        return
      case "Drained":
        drains[event.server] = event.count
        return
      case "StopForced":
        forcedOpen ??= event.open
        return
      case "StopCompleted":
        durationMillis = event.durationMillis
        return
      case "StopRepeated":
        forcedOpen ??= event.open
        return
      case "StopOverdue":
      case "Acquired":
        return
    }
  }

  const exitCode = () => {
    const overran =
      forcedOpen !== undefined ||
      interrupted.length > 0 ||
      steps.some((step) => step.outcome === "timed_out") ||
      // A start that failed because an acquisition was too slow is a failed start, not a forced stop.
      (givenUp.length > 0 && reason?._tag !== "StartFailed")
    if (overran) return ExitCode.forced
    if (reason?._tag === "StartFailed") return ExitCode.ofCause(reason.cause)
    const hasFailed = reason !== undefined && StopReason.isFailure(reason)
    return hasFailed || steps.some((step) => step.outcome === "failed") ? ExitCode.failed : ExitCode.clean
  }

  const report = (): ShutdownReport => {
    const total = durationMillis ?? since(lastAt)
    return {
      reason: reason === undefined ? "" : StopReason.describe(reason),
      initiatedAt,
      durationMillis: total,
      wholeMillis,
      phases: [...phases],
      steps: steps.map((step) =>
        step.outcome === "open" ? { ...step, durationMillis: total - step.startMillis } : { ...step }
      ),
      acquisitionsGivenUp: [...givenUp],
      drains: { ...drains },
      requestsInterrupted: [...interrupted],
      ...(forcedOpen === undefined ? {} : { forcedOpen }),
      exitCode: exitCode()
    }
  }

  return {
    subscriber: (event) => Effect.sync(() => take(event)),
    exitCode: Effect.sync(exitCode),
    report: Effect.sync(report)
  }
})
