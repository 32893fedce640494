/**
 * What a stop came to, built from the events and from nothing else.
 *
 * It is a schema, since it outlives the process: it is written to a file and read by the next run. All times are milliseconds, with the fractions that
 * the clock has.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as ExitCode from "./ExitCode.js"
import type { LifecycleEvent, Step } from "./LifecycleEvent.js"
import * as Phase from "./Phase.js"
import * as StopReason from "./StopReason.js"

/** A limit; JSON knows no infinity, so one that never ends is null there. */
const Limit = Schema.transform(Schema.NullOr(Schema.Number), Schema.Number, {
  strict: true,
  decode: (millis) => millis ?? Number.POSITIVE_INFINITY,
  encode: (millis) => (Number.isFinite(millis) ? millis : null)
})

/** How a quiesce, release or hook went. `open`: it had not ended when the report was closed. */
export const Outcome = Schema.Literal("completed", "timed_out", "failed", "open")

/** How a quiesce, release or hook went. */
export type Outcome = typeof Outcome.Type

/** One quiesce, release or hook. */
export const StepReport = Schema.Struct({
  /** Which of the three. */
  kind: Schema.Literal("quiesce", "release", "hook"),
  /** The name that it was given. */
  name: Schema.String,
  /** Milliseconds after the stop was initiated. */
  startMillis: Schema.Number,
  /** Milliseconds; until the end of the stop for one that is `open`. */
  durationMillis: Schema.Number,
  /** What it was given, in milliseconds. */
  limitMillis: Limit,
  /** How it went. */
  outcome: Outcome,
  /** What it failed with, where it did. */
  error: Schema.optionalWith(Schema.String, { exact: true })
})

/** One quiesce, release or hook. */
export interface StepReport extends Schema.Schema.Type<typeof StepReport> {}

/** A phase of the stop. */
export const PhaseReport = Schema.Struct({
  /** Which phase. */
  phase: Schema.Literal(...Phase.all),
  /** Milliseconds after the stop was initiated. */
  startMillis: Schema.Number
})

/** A phase of the stop. */
export interface PhaseReport extends Schema.Schema.Type<typeof PhaseReport> {}

/** A request that was cut at a limit; the fields are those of the event `RequestsInterrupted`. */
export const InterruptedRequest = Schema.Struct({
  /** As the client sent it. */
  method: Schema.String,
  /** Without the query, which may carry secrets. */
  path: Schema.String,
  /** How long it had been running when it was cut, in milliseconds. */
  ageMillis: Schema.Number
})

/** A request that was cut at a limit. */
export interface InterruptedRequest extends Schema.Schema.Type<typeof InterruptedRequest> {}

/** What a server's drain came to; the fields are those of the event `Drained`. */
export const DrainCount = Schema.Struct({
  /** Requests being answered when the drain began. */
  requestsAtStart: Schema.Number,
  /** Open connections when the drain began. */
  connectionsAtStart: Schema.Number,
  /** Requests answered whole since the drain began, those of the start included. */
  drained: Schema.Number,
  /** Requests cut at the limit. */
  interrupted: Schema.Number,
  /** Connections on which bytes arrived after our side was closed. */
  late: Schema.Number
})

/** What a server's drain came to. */
export interface DrainCount extends Schema.Schema.Type<typeof DrainCount> {}

/** The whole stop. */
export const ShutdownReport = Schema.Struct({
  /** The form of the report; a reader of another version must not guess. */
  version: Schema.Literal(1),
  /** Why, in words: `SIGTERM`, `worker ledger-ingestion failed: …`. */
  reason: Schema.String,
  /** When the stop was initiated, milliseconds since the epoch. */
  initiatedAt: Schema.Number,
  /** From the initiation to the end, in milliseconds. */
  durationMillis: Schema.Number,
  /** What the whole was given, in milliseconds. */
  wholeMillis: Limit,
  /** The phases of the stop, in order. */
  phases: Schema.Array(PhaseReport),
  /** In the order in which they started. */
  steps: Schema.Array(StepReport),
  /** Acquisitions that were given up, by name. */
  acquisitionsGivenUp: Schema.Array(Schema.String),
  /** What each server's drain came to, by the server's name. */
  drains: Schema.Record({ key: Schema.String, value: DrainCount }),
  /** Requests that were cut at a limit. */
  requestsInterrupted: Schema.Array(InterruptedRequest),
  /** What was still open when the stop was forced, or a second signal came; absent when neither was. */
  forcedOpen: Schema.optionalWith(Schema.Array(Schema.String), { exact: true }),
  /** See `ExitCode`. */
  exitCode: Schema.Number
})

/** The whole stop. */
export interface ShutdownReport extends Schema.Schema.Type<typeof ShutdownReport> {}

/** The report as one line of JSON. Reading fails with a `ParseError` that says where the text is no report. */
export const Json = Schema.parseJson(ShutdownReport)

/** The report as plain JSON values, for a log line or an endpoint. */
export const toJson: (report: ShutdownReport) => typeof ShutdownReport.Encoded =
  Schema.encodeSync(ShutdownReport)

/** Listens to the events of one run and tells the report when it is over. */
export interface Collector {
  /** Listens: for `Lifecycle.subscribe`. */
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

  /** By the step itself: two resources may have the same name. */
  const running = new Map<Step, Mutable<StepReport>>()

  const since = (at: number) => (reason === undefined ? 0 : at - initiatedAt)

  const end = (
    event: LifecycleEvent & { readonly step: Step; readonly durationMillis: number },
    outcome: Outcome
  ) => {
    const step = running.get(event.step)
    if (step === undefined) return
    running.delete(event.step)
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
      case "StepStarted": {
        const step: Mutable<StepReport> = {
          ...event.step,
          startMillis: since(event.at),
          durationMillis: 0,
          limitMillis: event.limitMillis,
          outcome: "open"
        }
        steps.push(step)
        running.set(event.step, step)
        return
      }
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
      // Requests that were cut are no overrun by themselves: a quiesce that overran has cut them, or the configuration did.
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
      version: 1,
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
