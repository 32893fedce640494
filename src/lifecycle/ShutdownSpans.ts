/**
 * A stop as a trace: the span `shutdown`, and in it one for every quiesce, release and hook.
 *
 * Spans begin and end as the events do and by their times, so whoever exports them has every one that has ended, also in the midst of the stop. Phases, drains,
 * cut requests and a second signal are events of the span `shutdown`.
 *
 * | span | attributes | error when |
 * | --- | --- | --- |
 * | `shutdown` | `shutdown.reason`, `shutdown.limit_ms`, `shutdown.exit_code` where it is known | the exit code is not 0, or so far a step has not completed |
 * | `quiesce http`, `release database`, `hook …` | `shutdown.step.kind`, `.name`, `.limit_ms`, `.outcome` | it failed or timed out |
 *
 * @module
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import * as Bounded from "./Bounded.js"
import * as Lifecycle from "./Lifecycle.js"
import type { LifecycleEvent, Step } from "./LifecycleEvent.js"
import type { Outcome } from "./ShutdownReport.js"
import * as StopReason from "./StopReason.js"

const nanos = (millis: number): bigint => BigInt(Math.round(millis * 1e6))

interface Spans {
  readonly tell: (event: LifecycleEvent) => void
  /** Ends what is open: with the last event, or when nobody takes spans any more. */
  readonly end: (at: number, exitCode: Option.Option<number>) => void
}

const spansOf = (tracer: Tracer.Tracer): Spans => {
  let root: Tracer.Span | undefined
  const open = new Map<Step, Tracer.Span>()
  let trouble: string | undefined

  const begin = (name: string, at: number, attributes: Record<string, unknown>) => {
    const parent = Option.fromNullable(root)
    const span = tracer.span(name, parent, Context.empty(), [], nanos(at), "internal", {
      root: Option.isNone(parent)
    })
    for (const [key, value] of Object.entries(attributes)) span.attribute(key, value)
    return span
  }

  const mark = (name: string, at: number, attributes: Record<string, unknown> = {}) =>
    root?.event(name, nanos(at), attributes)

  const endStep = (step: Step, at: number, outcome: Outcome, error?: string) => {
    const span = open.get(step)
    if (span === undefined) return
    open.delete(step)
    span.attribute("shutdown.step.outcome", outcome)
    if (error !== undefined) trouble ??= `${step.kind} ${step.name}: ${error}`
    span.end(nanos(at), error === undefined ? Exit.void : Exit.fail(error))
  }

  const end: Spans["end"] = (at, exitCode) => {
    if (root === undefined) return
    for (const step of open.keys()) endStep(step, at, "open")
    if (Option.isSome(exitCode)) {
      root.attribute("shutdown.exit_code", exitCode.value)
      if (exitCode.value !== 0) trouble ??= `exit code ${exitCode.value}`
    }
    root.end(nanos(at), trouble === undefined ? Exit.void : Exit.fail(trouble))
    root = undefined
  }

  const tell = (event: LifecycleEvent): void => {
    const { at } = event
    switch (event._tag) {
      case "StopInitiated":
        root = begin("shutdown", at, {
          "shutdown.reason": StopReason.describe(event.reason),
          "shutdown.limit_ms": event.wholeMillis
        })
        if (StopReason.isFailure(event.reason)) trouble = StopReason.describe(event.reason)
        return
      case "StepStarted":
        if (root === undefined) return
        open.set(
          event.step,
          begin(`${event.step.kind} ${event.step.name}`, at, {
            "shutdown.step.kind": event.step.kind,
            "shutdown.step.name": event.step.name,
            "shutdown.step.limit_ms": event.limitMillis
          })
        )
        return
      case "StepCompleted":
        return endStep(event.step, at, "completed")
      case "StepTimedOut":
        return endStep(event.step, at, "timed_out", `timed out after ${Math.round(event.durationMillis)} ms`)
      case "StepFailed":
        return endStep(event.step, at, "failed", event.error)
      case "PhaseChanged":
        return mark(`phase ${event.phase}`, at)
      case "StopRepeated":
      case "StopOverdue":
      case "StopForced":
        return mark(event._tag, at, { open: event.open.join(", ") })
      case "AcquisitionGivenUp":
        return mark(event._tag, at, { name: event.name, limit_ms: event.limitMillis })
      case "RequestsInterrupted":
        return mark(event._tag, at, { server: event.server, count: event.requests.length })
      case "Drained":
        return mark(event._tag, at, { server: event.server, ...event.count })
      case "StopCompleted":
        return end(at, Option.some(event.exitCode))
      case "Acquired":
        return
    }
  }

  return { tell, end }
}

/**
 * A subscriber for `Launch.Options.subscribers`, with the tracer of whoever makes it: one that outlives the service. It covers the whole stop, to the exit
 * code.
 */
export const make: Effect.Effect<Lifecycle.Subscriber> = Effect.map(Effect.tracer, (tracer) => {
  const spans = spansOf(tracer)
  return (event) => Effect.sync(() => spans.tell(event))
})

/**
 * The same for a tracer that is a part of the service: put it on top of that tracer and inside its name, `named("telemetry", …)(layer.pipe(provideMerge(tracer)))`.
 * Then it ends what is open, the span `shutdown` included, just before the tracer is released and sends what it has; the tracer's own release is `open` in it.
 */
export const layer: Layer.Layer<never, never, Lifecycle.Lifecycle> = Layer.scopedDiscard(
  Effect.gen(function* () {
    const lifecycle = yield* Lifecycle.Lifecycle
    const spans = spansOf(yield* Effect.tracer)
    yield* Effect.addFinalizer(() => Effect.map(Bounded.now, (at) => spans.end(at, Option.none())))
    yield* lifecycle.subscribe((event) => Effect.sync(() => spans.tell(event)))
  })
)
