/**
 * Effect's metrics as Prometheus reads them: the text format 0.0.4, by OpenTelemetry's own exporter.
 *
 * The exporter is loaded when somebody asks first, so that a start does not pay for it. Its own HTTP server is not used: what is told is served by whoever serves.
 *
 * @module
 */
import type { MetricData } from "@opentelemetry/sdk-metrics"
import * as Effect from "effect/Effect"
import * as Samples from "../lifecycle/Samples.js"

/** What a scrape is answered with. */
export interface Shape {
  /** The media type of the text. */
  readonly contentType: string
  /** All metrics as of now, after everything that is read when it is told has been read. Dies where the exporter cannot be loaded. */
  readonly text: Effect.Effect<string>
}

/** The media type of the text format. */
export const contentType = "text/plain; version=0.0.4; charset=utf-8"

/** What Effect counts of itself, and says nothing about. */
const ofEffect: Readonly<Record<string, string>> = {
  effect_fiber_started: "Fibers that were started",
  effect_fiber_active: "Fibers that have not ended",
  effect_fiber_successes: "Fibers that ended well",
  effect_fiber_failures: "Fibers that failed, died or were interrupted",
  effect_fiber_lifetimes: "How long fibers lived, in milliseconds"
}

/** Effect knows no units, so the exporter would write "1" everywhere, and the label `unit` where there is one. Names say the unit. */
const described = ({ descriptor, ...metric }: MetricData): MetricData => ({
  ...metric,
  descriptor: {
    ...descriptor,
    unit: "",
    description: descriptor.description || ofEffect[descriptor.name] || ""
  }
})

const load = Effect.gen(function* () {
  const [metrics, { Resource }, { emptyResource }, { PrometheusSerializer }] = yield* Effect.promise(() =>
    Promise.all([
      import("@effect/opentelemetry/Metrics"),
      import("@effect/opentelemetry/Resource"),
      import("@opentelemetry/resources"),
      import("@opentelemetry/exporter-prometheus")
    ])
  )
  const producer = yield* Effect.provideService(metrics.makeProducer, Resource, emptyResource())
  // No prefix, no timestamps, no labels of the resource, no `target_info`, no labels of the scope: the names are exactly what they are here.
  const serializer = new PrometheusSerializer(undefined, false, undefined, true, true)
  return Effect.map(
    Effect.promise(() => producer.collect()),
    ({ resourceMetrics: { resource, scopeMetrics } }) =>
      serializer.serialize({
        resource,
        scopeMetrics: scopeMetrics.map(({ metrics, scope }) => ({ scope, metrics: metrics.map(described) }))
      })
  )
})

/** What tells all metrics of this process. Nothing is loaded yet. */
export const make: Effect.Effect<Shape, never, Samples.Samples> = Effect.gen(function* () {
  const { update } = yield* Samples.Samples
  const loaded = yield* Effect.cached(load)
  return { contentType, text: Effect.zipRight(update, Effect.flatten(loaded)) }
})
