/**
 * OpenTelemetry's exporter for Prometheus on Effect's metrics. It is a file of its own so that it can be loaded late: nothing but a type of it may be imported otherwise.
 */
import * as Metrics from "@effect/opentelemetry/Metrics"
import { Resource } from "@effect/opentelemetry/Resource"
import { PrometheusSerializer } from "@opentelemetry/exporter-prometheus"
import { emptyResource } from "@opentelemetry/resources"
import type { MetricData } from "@opentelemetry/sdk-metrics"
import * as Effect from "effect/Effect"

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

/** Ends in what gives all metrics as text. */
export const make: Effect.Effect<Effect.Effect<string>> = Effect.map(
  Effect.provideService(Metrics.makeProducer, Resource, emptyResource()),
  (producer) => {
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
  }
)
