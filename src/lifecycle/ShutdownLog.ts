/** Tells the life of a service in log lines: a static message each, an `event_type`, and the data as annotations. */
import * as Effect from "effect/Effect"
import type * as Lifecycle from "./Lifecycle.js"
import type { LifecycleEvent } from "./LifecycleEvent.js"
import * as StopReason from "./StopReason.js"

const round = (millis: number): number => Math.round(millis * 10) / 10

const line = (
  level: "debug" | "info" | "warning" | "error",
  message: string,
  annotations: Record<string, unknown>
): Effect.Effect<void> => {
  const log = {
    debug: Effect.logDebug(message),
    info: Effect.logInfo(message),
    warning: Effect.logWarning(message),
    error: Effect.logError(message)
  }[level]
  return Effect.annotateLogs(log, { component: "lifecycle", ...annotations })
}

/** A subscriber that logs one run. */
export const make: Effect.Effect<Lifecycle.Subscriber> = Effect.sync(() => {
  // A start that failed is told in one line: what there was to release speaks for itself, the rest would only bury it.
  let startFailed = false
  return (event) => {
    if (event._tag === "StopInitiated") startFailed = event.reason._tag === "StartFailed"
    return lineOf(event, startFailed)
  }
})

const lineOf = (event: LifecycleEvent, startFailed: boolean): Effect.Effect<void> => {
  switch (event._tag) {
    case "PhaseChanged":
      return event.phase === "ready"
        ? line("info", "ready", { event_type: "service_ready" })
        : line(startFailed ? "debug" : "info", `phase ${event.phase}`, {
            event_type: "shutdown_phase",
            previous: event.previous
          })
    case "StopInitiated":
      return startFailed
        ? line("error", StopReason.describe(event.reason), { event_type: "start_failed" })
        : line(StopReason.isFailure(event.reason) ? "error" : "info", "shutdown initiated", {
            event_type: "shutdown_initiated",
            reason: StopReason.describe(event.reason),
            limit_ms: round(event.wholeMillis)
          })
    case "StopRepeated":
      return line("warning", "second signal: waiting is cut short", {
        event_type: "shutdown_repeated",
        reason: StopReason.describe(event.reason),
        open: event.open
      })
    case "StopOverdue":
      return line("warning", "shutdown is overdue", {
        event_type: "shutdown_overdue",
        overdue_ms: round(event.overdueMillis),
        open: event.open
      })
    case "Acquired":
      return line("debug", "acquired", {
        event_type: "acquired",
        name: event.name,
        duration_ms: round(event.durationMillis)
      })
    case "AcquisitionGivenUp":
      return line("warning", "acquisition given up", {
        event_type: "acquisition_given_up",
        name: event.name,
        limit_ms: round(event.limitMillis)
      })
    case "StepStarted":
      return line("debug", `${event.step.kind} started`, {
        event_type: "shutdown_step_started",
        ...step(event.step),
        limit_ms: round(event.limitMillis)
      })
    case "StepCompleted":
      return line("info", `${event.step.kind} completed`, {
        event_type: "shutdown_step_completed",
        ...step(event.step),
        duration_ms: round(event.durationMillis)
      })
    case "StepTimedOut":
      return line("warning", `${event.step.kind} timed out and was given up`, {
        event_type: "shutdown_step_timed_out",
        ...step(event.step),
        duration_ms: round(event.durationMillis),
        limit_ms: round(event.limitMillis)
      })
    case "StepFailed":
      return line("error", `${event.step.kind} failed`, {
        event_type: "shutdown_step_failed",
        ...step(event.step),
        duration_ms: round(event.durationMillis),
        error: event.error
      })
    case "RequestsInterrupted":
      return line("warning", "requests were interrupted at the limit", {
        event_type: "requests_interrupted",
        server: event.server,
        count: event.requests.length,
        requests: event.requests.map((r) => `${r.method} ${r.path} after ${round(r.ageMillis)} ms`)
      })
    case "Drained":
      return line("info", "connections drained", {
        event_type: "connections_drained",
        server: event.server,
        requests_at_start: event.count.requestsAtStart,
        connections_at_start: event.count.connectionsAtStart,
        drained: event.count.drained,
        interrupted: event.count.interrupted,
        late: event.count.late
      })
    case "StopForced":
      return line("error", "shutdown forced", { event_type: "shutdown_forced", open: event.open })
    case "StopCompleted":
      return line(startFailed ? "debug" : event.exitCode === 0 ? "info" : "warning", "shutdown completed", {
        event_type: "shutdown_completed",
        duration_ms: round(event.durationMillis),
        exit_code: event.exitCode
      })
  }
}

const step = (of: { readonly kind: string; readonly name: string }) => ({ step: of.name, kind: of.kind })
