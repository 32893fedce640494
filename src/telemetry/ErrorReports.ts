/**
 * Failures that somebody should look at, told to whoever collects them.
 *
 * Nothing in the service calls this. What is logged as an error is a report, with the cause and the annotations of its line; so is how the run before this one ended, where that one
 * could not report it. Of a stop the lifecycle's own events are taken, which know more than their lines: a failure that began it, and every step that failed, timed out or was forced.
 *
 * The same report is made once a minute at most, and thirty of all kinds. Secrets are taken out by their look (`Secrets`).
 *
 * @module
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as ExitCode from "../lifecycle/ExitCode.js"
import * as Lifecycle from "../lifecycle/Lifecycle.js"
import type { LifecycleEvent } from "../lifecycle/LifecycleEvent.js"
import * as StopReason from "../lifecycle/StopReason.js"
import * as Secrets from "./Secrets.js"

/** What is known beside the cause. */
export interface About {
  /** What happened, in a sentence that is the same each time. */
  readonly message: string
  /** `fatal` ends the service. */
  readonly level: "warning" | "error" | "fatal"
  /** What else is known: the annotations of the log line. */
  readonly data: Readonly<Record<string, unknown>>
}

/** What something ended in. */
export interface Failure {
  /** The kind of error. */
  readonly name: string
  /** What it says. */
  readonly message: string
  /** Where it was made, as V8 writes it. */
  readonly stack: string
}

/** A report as it is sent: without secrets. */
export interface Report extends About {
  /** What it ended in; where that is several failures, the first. None where there is only a message. */
  readonly failure: Option.Option<Failure>
  /** The cause as text, with everything that it is made of; empty where there is none. */
  readonly cause: string
  /** How many of the same have been left out since the last one. */
  readonly omitted: number
}

/** Who takes reports. */
export interface Shape {
  /** Makes a report, or leaves it out where there were too many. Never fails, waits for nothing. */
  readonly report: (cause: Cause.Cause<unknown>, about: About) => Effect.Effect<void>
  /** As {@link report}, for callbacks outside Effect. `now` is in milliseconds. */
  readonly unsafeReport: (cause: Cause.Cause<unknown>, about: About, now: number) => void
  /** Ends when what was reported has arrived or been given up. Interrupting it is free. */
  readonly flush: Effect.Effect<void>
}

/** Who takes reports. */
export class ErrorReports extends Context.Tag("stellar-insights/telemetry/ErrorReports")<
  ErrorReports,
  Shape
>() {}

const windowMillis = 60_000
const mostInWindow = 30

/** Lets the first of each kind through in each window, and few in all; undefined for one that is left out, else how many of its kind were since. */
const limiter = () => {
  const seen = new Map<string, number>()
  let from = Number.NEGATIVE_INFINITY
  let passed = 0
  let omitted = new Map<string, number>()
  let before = omitted
  return (kind: string, now: number): number | undefined => {
    if (now - from >= windowMillis) {
      from = now
      passed = 0
      seen.clear()
      before = omitted
      omitted = new Map()
    }
    if (!seen.has(kind) && passed < mostInWindow) {
      passed += 1
      seen.set(kind, now)
      return before.get(kind) ?? 0
    }
    if (omitted.has(kind) || omitted.size < mostInWindow) omitted.set(kind, (omitted.get(kind) ?? 0) + 1)
    return undefined
  }
}

/** The service over something that sends. `send` must return at once and not throw. */
export const make = (send: (report: Report) => void, flush: Effect.Effect<void>): Shape => {
  const passes = limiter()
  const unsafeReport: Shape["unsafeReport"] = (cause, about, now) => {
    if (!Cause.isEmpty(cause) && Cause.isInterruptedOnly(cause)) return
    const [first] = Cause.prettyErrors(cause)
    const failure = Option.map(Option.fromNullable(first), ({ message, name, stack }) => ({
      name,
      message: Secrets.strip(message),
      stack: Secrets.strip(stack ?? "")
    }))
    const omitted = passes(`${about.message} ${first?.name ?? ""} ${first?.message ?? ""}`, now)
    if (omitted === undefined) return
    send({
      message: Secrets.strip(about.message),
      level: about.level,
      data: Secrets.stripAll(about.data) as Record<string, unknown>,
      failure,
      cause: Cause.isEmpty(cause) ? "" : Secrets.strip(Cause.pretty(cause, { renderErrorCause: true })),
      omitted
    })
  }
  return {
    report: (cause, about) => Effect.map(Clock.currentTimeMillis, (now) => unsafeReport(cause, about, now)),
    unsafeReport,
    flush
  }
}

/** Takes reports and keeps none. */
export const layerNoop: Layer.Layer<ErrorReports> = Layer.sync(ErrorReports, () =>
  make(() => {}, Effect.void)
)

/**
 * Whether a line tells of an end of the run before this one that nobody can have reported: it had no time to, was forced when reports were no longer taken, or failed to start.
 */
const isUntold = ({ event_type, exit_code, reason }: Readonly<Record<string, unknown>>): boolean =>
  event_type === "last_run_crashed" ||
  event_type === "last_run_killed" ||
  (event_type === "last_run_stopped" &&
    (exit_code === ExitCode.forced || String(reason).startsWith("start failed")))

/** What the lifecycle logs of a stop: its events say it better. */
const isToldByEvents = (data: Readonly<Record<string, unknown>>): boolean =>
  data.component === "lifecycle" && /^(?:shutdown_|start_failed$)/.test(String(data.event_type))

const logger = (reports: Shape) =>
  Logger.make<unknown, void>(({ annotations, cause, date, logLevel, message }) => {
    const data = Object.fromEntries(HashMap.toEntries(annotations))
    const isError = LogLevel.greaterThanEqual(logLevel, LogLevel.Error)
    // What is logged of telemetry itself would come back as telemetry.
    if ((!isError && !isUntold(data)) || data.component === "telemetry" || isToldByEvents(data)) return
    const [first, ...others] = Array.isArray(message) ? (message as ReadonlyArray<unknown>) : [message]
    const level = !isError ? "warning" : LogLevel.greaterThan(logLevel, LogLevel.Error) ? "fatal" : "error"
    const about = {
      message: String(first),
      level,
      data: others.length === 0 ? data : { ...data, others }
    } as const
    reports.unsafeReport(cause, about, date.getTime())
  })

const failureOf = (reason: StopReason.StopReason): Cause.Cause<unknown> => {
  switch (reason._tag) {
    case "StartFailed":
    case "WorkerFailed":
      return reason.cause
    case "Uncaught":
      return Cause.die(reason.error)
    default:
      return Cause.empty
  }
}

/** What of an event is a report; undefined for one that is none. */
const ofEvent = (event: LifecycleEvent): readonly [Cause.Cause<unknown>, About] | undefined => {
  const about = (level: About["level"], message: string, data: About["data"]): About => ({
    level,
    message,
    data: { component: "lifecycle", event_type: event._tag, ...data }
  })
  switch (event._tag) {
    case "StopInitiated":
      if (!StopReason.isFailure(event.reason)) return undefined
      return [
        failureOf(event.reason),
        about("fatal", "the service stops with a failure", { reason: StopReason.describe(event.reason) })
      ]
    case "StepFailed":
      return [
        Cause.empty,
        about("error", `${event.step.kind} ${event.step.name} failed`, { error: event.error })
      ]
    case "StepTimedOut":
      return [
        Cause.empty,
        about("error", `${event.step.kind} ${event.step.name} timed out`, { limitMillis: event.limitMillis })
      ]
    case "AcquisitionGivenUp":
      return [
        Cause.empty,
        about("error", `${event.name} was not acquired in time`, { limitMillis: event.limitMillis })
      ]
    case "StopRepeated":
      return [Cause.empty, about("warning", "a second signal cut a stop short", { open: event.open })]
    case "StopForced":
      return [Cause.empty, about("error", "a stop was forced", { open: event.open })]
    default:
      return undefined
  }
}

/** Makes reports of error lines and of a stop's failures, of everything that is built on it. */
export const observing: Layer.Layer<never, never, ErrorReports | Lifecycle.Lifecycle> = Layer.unwrapEffect(
  Effect.gen(function* () {
    const reports = yield* ErrorReports
    const lifecycle = yield* Lifecycle.Lifecycle
    const events = lifecycle.subscribe((event) => {
      const report = ofEvent(event)
      return report === undefined ? Effect.void : reports.report(...report)
    })
    return Layer.merge(Layer.scopedDiscard(events), Logger.add(logger(reports)))
  })
)
