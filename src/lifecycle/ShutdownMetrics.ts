/**
 * Start and stop as metrics.
 *
 * They go to Effect's metrics, from where an exporter takes them. What happens late in a stop is not scraped any more, so the next run begins with what all
 * runs before it came to ({@link layer}): the counters of an instance only ever rise.
 *
 * | metric | type | what |
 * | --- | --- | --- |
 * | `service_phase{phase}` | gauge | 1 for the phase that the service is in, 0 for the others |
 * | `service_ready` | gauge | 1 when ready and every readiness check agrees, else 0 |
 * | `in_flight_requests` | gauge | requests being answered |
 * | `active_connections_at_shutdown` | gauge | connections that were open when the last stop began |
 * | `requests_interrupted_total` | counter | requests cut at a limit |
 * | `requests_interrupted` | gauge | the same under the name that others know it by; a counter would be told with `_total` |
 * | `shutdown_steps_total{step,kind,outcome}` | counter | quiesces, releases and hooks by how they ended |
 * | `shutdown_duration_seconds`, `app_shutdown_duration_seconds` | histogram | from the reason to the end of a stop |
 * | `forced_shutdown_total` | counter | stops that ended with exit code 3 |
 * | `unclean_shutdown_total` | counter | runs that crashed or were killed by the watchdog |
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import type * as Scope from "effect/Scope"
import * as ExitCode from "./ExitCode.js"
import * as LastRun from "./LastRun.js"
import * as Lifecycle from "./Lifecycle.js"
import type { StepKind } from "./LifecycleEvent.js"
import * as Phase from "./Phase.js"
import type * as RunTotals from "./RunTotals.js"
import { durationBuckets } from "./RunTotals.js"
import * as Samples from "./Samples.js"
import type { Outcome } from "./ShutdownReport.js"

const counter = (name: string, description: string) =>
  Metric.counter(name, { description, incremental: true })

const gauge = (name: string, description: string) => Metric.gauge(name, { description })

/** `service_phase`, tagged with `phase`. */
export const phase = (of: Phase.Phase): Metric.Metric.Gauge<number> =>
  Metric.tagged(gauge("service_phase", "1 for the phase that the service is in"), "phase", of)

/** `service_ready`. */
export const ready = gauge("service_ready", "1 when the service should be sent work")

/** `in_flight_requests`. */
export const inFlightRequests = gauge("in_flight_requests", "Requests being answered")

/** `active_connections_at_shutdown`. */
export const activeConnections = gauge(
  "active_connections_at_shutdown",
  "Connections that were open when the last stop began"
)

/** `requests_interrupted_total`, and the same as `requests_interrupted`. */
export const requestsInterrupted = [
  counter("requests_interrupted_total", "Requests cut at a limit of a stop"),
  Metric.counter("requests_interrupted", { description: "Requests cut at a limit of a stop" })
] as const

/** `shutdown_steps_total`, tagged with `step`, `kind` and `outcome`. */
export const steps = (step: string, kind: StepKind, outcome: Outcome): Metric.Metric.Counter<number> =>
  counter("shutdown_steps_total", "Quiesces, releases and hooks by how they ended").pipe(
    Metric.tagged("step", step),
    Metric.tagged("kind", kind),
    Metric.tagged("outcome", outcome)
  )

const durationBoundaries = MetricBoundaries.fromIterable(durationBuckets)

/** `shutdown_duration_seconds`, and the same as `app_shutdown_duration_seconds`. */
export const duration = [
  Metric.histogram("shutdown_duration_seconds", durationBoundaries, "How long stops took"),
  Metric.histogram("app_shutdown_duration_seconds", durationBoundaries, "How long stops took")
] as const

/** `forced_shutdown_total`. */
export const forced = counter("forced_shutdown_total", "Stops that were forced")

/** `unclean_shutdown_total`. */
export const unclean = counter("unclean_shutdown_total", "Runs that crashed or were killed by the watchdog")

const setPhase = (now: Phase.Phase) =>
  Effect.zipRight(
    Effect.forEach(Phase.all, (each) => Metric.set(phase(each), each === now ? 1 : 0), { discard: true }),
    // Checks may still object to being ready; who samples them knows. Nobody is ready in any other phase.
    Metric.set(ready, now === "ready" ? 1 : 0)
  )

const add = (counters: ReadonlyArray<Metric.Metric.Counter<number>>, amount: number) =>
  Effect.forEach(counters, (metric) => Metric.incrementBy(metric, amount), { discard: true })

/** A subscriber that counts one run: for `Launch.Options.subscribers`. The phase is `starting` from now on. */
export const make: Effect.Effect<Lifecycle.Subscriber> = Effect.gen(function* () {
  const connections = new Map<string, number>()
  yield* setPhase("starting")
  return (event) => {
    switch (event._tag) {
      case "PhaseChanged":
        return setPhase(event.phase)
      case "StepCompleted":
        return add([steps(event.step.name, event.step.kind, "completed")], 1)
      case "StepTimedOut":
        return add([steps(event.step.name, event.step.kind, "timed_out")], 1)
      case "StepFailed":
        return add([steps(event.step.name, event.step.kind, "failed")], 1)
      case "RequestsInterrupted":
        return add(requestsInterrupted, event.requests.length)
      case "Drained": {
        connections.set(event.server, event.count.connectionsAtStart)
        return Metric.set(activeConnections, sum(connections.values()))
      }
      case "StopCompleted":
        return Effect.zipRight(
          Effect.forEach(duration, (metric) => Metric.update(metric, event.durationMillis / 1000), {
            discard: true
          }),
          event.exitCode === ExitCode.forced ? add([forced], 1) : Effect.void
        )
      default:
        return Effect.void
    }
  }
})

const sum = (numbers: Iterable<number>): number => {
  let total = 0
  for (const each of numbers) total += each
  return total
}

/** Raises counters to a sum; what this process has counted itself (an earlier run in it) is part of that sum already. */
const raise = (counters: ReadonlyArray<Metric.Metric.Counter<number>>, to: number) =>
  Effect.forEach(
    counters,
    (metric) =>
      Effect.flatMap(Metric.value(metric), ({ count }) =>
        Metric.incrementBy(metric, Math.max(0, to - count))
      ),
    { discard: true }
  )

/** As {@link raise}: every bucket gets what it lacks, at the mean of what fell into it, so that counts and sum are right. */
const raiseDurations = (totals: RunTotals.RunTotals["durations"]) =>
  Effect.forEach(
    duration,
    (metric) =>
      Effect.flatMap(Metric.value(metric), ({ buckets }) =>
        Effect.forEach(
          totals,
          ({ count, sumSeconds }, i) => {
            const has = (buckets[i]?.[1] ?? 0) - (buckets[i - 1]?.[1] ?? 0)
            const lacks = Math.max(0, count - has)
            if (lacks === 0) return Effect.void
            // The mean lies within the bucket, but for the last bit of a division.
            const mean = Math.min(sumSeconds / count, durationBuckets[i] ?? Number.POSITIVE_INFINITY)
            return Effect.repeatN(Metric.update(metric, mean), lacks - 1)
          },
          { discard: true }
        )
      ),
    { discard: true }
  )

/** Counts what the runs before this one came to, once, when it is built. */
export const layer: Layer.Layer<never, never, LastRun.LastRun> = Layer.effectDiscard(
  Effect.gen(function* () {
    const { ending, totals } = yield* LastRun.LastRun
    yield* raise([forced], totals.forced)
    yield* raise([unclean], totals.unclean)
    yield* raise(requestsInterrupted, totals.requestsInterrupted)
    yield* Effect.forEach(
      totals.steps,
      ({ count, kind, outcome, step }) => raise([steps(step, kind, outcome)], count),
      { discard: true }
    )
    yield* raiseDurations(totals.durations)
    if (ending._tag === "Stopped") {
      const drains = Object.values(ending.report.drains)
      yield* Metric.set(activeConnections, sum(drains.map(({ connectionsAtStart }) => connectionsAtStart)))
    }
  })
)

/** What a server has in hand. */
export interface InFlight {
  /** Requests being answered now. */
  readonly requests: number
  /** Connections open now. */
  readonly connections: number
}

/**
 * Has `service_ready` and `in_flight_requests` read whenever metrics are told, and sets `active_connections_at_shutdown` as soon as a stop begins, for as long as the
 * scope is open.
 */
export const sample = (
  inFlight: Effect.Effect<InFlight>
): Effect.Effect<void, never, Lifecycle.Lifecycle | Samples.Samples | Scope.Scope> =>
  Effect.gen(function* () {
    const lifecycle = yield* Lifecycle.Lifecycle
    const samples = yield* Samples.Samples
    const askServer = Effect.flatMap(inFlight, ({ requests }) => Metric.set(inFlightRequests, requests))
    const askChecks = Effect.flatMap(lifecycle.readiness.status, (status) =>
      Metric.set(ready, status.ready ? 1 : 0)
    )
    yield* samples.keep(Effect.zipRight(askServer, askChecks))
    yield* Effect.addFinalizer(() => askServer)
    yield* lifecycle.subscribe((event) =>
      event._tag === "StopInitiated"
        ? Effect.flatMap(inFlight, ({ connections }) => Metric.set(activeConnections, connections))
        : Effect.void
    )
  })
