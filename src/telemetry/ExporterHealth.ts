/**
 * Whether what is sent to some other service arrives there, told in one line for each change.
 *
 * | `event_type` | level | when |
 * |---|---|---|
 * | `telemetry_failing` | warning | something could not be delivered, and before it could |
 * | `telemetry_restored` | info | something was delivered again |
 * | `telemetry_undelivered` | warning | the service ends, and not everything was delivered within the limit |
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"

/** The health of one exporter. */
export interface ExporterHealth {
  /** Something was delivered. */
  readonly works: Effect.Effect<void>
  /** Something was not, and why in a few words without secrets. */
  readonly fails: (why: string) => Effect.Effect<void>
  /** So many were given up. */
  readonly dropped: (what: string, count: number) => void
  /** The end: says what was not delivered since the last word, or at all. */
  readonly undelivered: (count: number) => Effect.Effect<void>
}

/** `telemetry_dropped_total`, tagged with `what`: `spans`, `metrics` or `reports`. */
export const droppedTotal = Metric.counter("telemetry_dropped_total", {
  description: "Spans, exports of metrics and error reports that were given up",
  incremental: true
})

/** One for what is called `name` in logs and goes to `where`, which must hold no secret. */
export const make = (name: string, where: string): ExporterHealth => {
  let failing = false
  let lost = 0
  const annotate = (event_type: string, data: Record<string, unknown> = {}) =>
    Effect.annotateLogs({ component: "telemetry", event_type, exporter: name, to: where, ...data })
  return {
    works: Effect.suspend(() => {
      if (!failing) return Effect.void
      failing = false
      const dropped = lost
      lost = 0
      return Effect.logInfo("telemetry is delivered again").pipe(annotate("telemetry_restored", { dropped }))
    }),
    fails: (reason) =>
      Effect.suspend(() => {
        if (failing) return Effect.void
        failing = true
        return Effect.logWarning("telemetry is not delivered").pipe(annotate("telemetry_failing", { reason }))
      }),
    dropped: (what, count) => {
      if (count <= 0) return
      lost += count
      // Counted from callbacks that no effect waits for.
      Metric.tagged(droppedTotal, "what", what).unsafeUpdate(count, [])
    },
    undelivered: (count) =>
      count === 0
        ? Effect.void
        : Effect.logWarning("telemetry was not delivered before the end").pipe(
            annotate("telemetry_undelivered", { dropped: count })
          )
  }
}
