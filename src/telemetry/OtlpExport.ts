/**
 * Traces and metrics over OTLP/HTTP, as JSON. Imported only where a collector is configured.
 *
 * The light exporters of `@effect/opentelemetry` turn spans and metrics into OTLP; {@link OtlpDelivery} takes what they make at once and sees to it that it arrives. When the layer is
 * released the stop's spans end, the metrics are read once more, and what is left is delivered.
 *
 * @module
 */
import * as OtlpMetrics from "@effect/opentelemetry/OtlpMetrics"
import * as OtlpResource from "@effect/opentelemetry/OtlpResource"
import { OtlpSerialization } from "@effect/opentelemetry/OtlpSerialization"
import * as OtlpTracer from "@effect/opentelemetry/OtlpTracer"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import { randomUUID } from "node:crypto"
import type * as Lifecycle from "../lifecycle/Lifecycle.js"
import * as Samples from "../lifecycle/Samples.js"
import * as ShutdownSpans from "../lifecycle/ShutdownSpans.js"
import * as ExporterHealth from "./ExporterHealth.js"
import type { OtlpConfig } from "./OtlpConfig.js"
import * as OtlpDelivery from "./OtlpDelivery.js"
import * as Tracing from "./Tracing.js"
import * as TracingScrub from "./TracingScrub.js"

/** What there is to export to, and how. */
export interface Options {
  /** The settings. */
  readonly config: OtlpConfig
  /** The collector, without a slash at its end. */
  readonly endpoint: string
  /** The version of the service. */
  readonly version: string
  /** How long delivering what is left may take at the end. */
  readonly patience: Duration.Duration
}

/** How often what has ended is exported, and the metrics are read: OpenTelemetry's own defaults are 5 s and 1 min, but alerts want to hear sooner. */
const interval = { spans: "5 seconds", metrics: "10 seconds", samples: "5 seconds" } as const

/** Spans in one export: so many are turned into JSON at once. */
const batch = 256

interface TraceData {
  readonly resourceSpans: ReadonlyArray<{
    readonly scopeSpans: ReadonlyArray<{
      readonly scope: unknown
      readonly spans: ReadonlyArray<TracingScrub.SpanData>
    }>
  }>
}

interface MetricsData {
  readonly resourceMetrics: ReadonlyArray<object>
}

/** What an export holds, known by its body. */
type Contents = Pick<OtlpDelivery.Export, "what" | "count">

/** Makes bodies, and remembers what is in them. The resource is the whole of what was configured, each attribute once. */
const serialization = (resource: OtlpResource.Resource, contents: WeakMap<HttpBody.HttpBody, Contents>) => {
  const told = (data: unknown, of: Contents) => {
    const body = HttpBody.unsafeJson(data)
    contents.set(body, of)
    return body
  }
  return Layer.succeed(OtlpSerialization, {
    traces: (data) => {
      const scopeSpans = (data as TraceData).resourceSpans.flatMap((each) =>
        each.scopeSpans.map((scope) => ({ ...scope, spans: scope.spans.map(TracingScrub.clean) }))
      )
      const count = scopeSpans.reduce((sum, { spans }) => sum + spans.length, 0)
      return told({ resourceSpans: [{ resource, scopeSpans }] }, { what: "spans", count })
    },
    metrics: (data) => {
      const resourceMetrics = (data as MetricsData).resourceMetrics.map((each) => ({ ...each, resource }))
      return told({ resourceMetrics }, { what: "metrics", count: 1 })
    },
    // Logs are lines on stdout, where whoever runs the service takes them from.
    logs: (data) => HttpBody.unsafeJson(data)
  })
}

/** The collector as the exporters see it: it takes everything at once. */
const acceptor = (
  delivery: OtlpDelivery.OtlpDelivery,
  contents: WeakMap<HttpBody.HttpBody, Contents>
): HttpClient.HttpClient => {
  const accept = (request: HttpClientRequest.HttpClientRequest) => {
    const of = contents.get(request.body)
    if (of === undefined || request.body._tag !== "Uint8Array") return
    delivery.unsafeTake({ ...of, bytes: request.body.body.length, request })
  }
  return HttpClient.make((request) =>
    Effect.sync(() => {
      accept(request)
      return HttpClientResponse.fromWeb(request, new Response(null, { status: 200 }))
    })
  )
}

const resourceOf = ({ config, version }: Options): OtlpResource.Resource => {
  // Two instances must not write over each other's metrics.
  const attributes: Record<string, string> = { "service.instance.id": randomUUID(), ...config.attributes }
  const { "service.name": _, "service.version": given, ...others } = attributes
  return OtlpResource.make({
    serviceName: config.serviceName,
    serviceVersion: given ?? version,
    attributes: others
  })
}

/** Keeps what is a function of state up to date for the exporter, which reads what there is without asking. */
const sampling = Layer.scopedDiscard(
  Effect.gen(function* () {
    const { update } = yield* Samples.Samples
    yield* Effect.addFinalizer(() => update)
    yield* Effect.forkScoped(Effect.repeat(update, Schedule.spaced(interval.samples)))
  })
)

/** Exports until it is released. Everything built on it is traced. Never fails. */
export const layer = (
  options: Options
): Layer.Layer<never, never, HttpClient.HttpClient | Lifecycle.Lifecycle | Samples.Samples> => {
  const { config, endpoint, patience } = options
  const common = { headers: Redacted.value(config.headers), resource: { serviceName: config.serviceName } }
  const contents = new WeakMap<HttpBody.HttpBody, Contents>()
  const exporters = Effect.gen(function* () {
    const delivery = yield* OtlpDelivery.make({
      client: yield* HttpClient.HttpClient,
      health: ExporterHealth.make("otlp", endpoint),
      patience
    })
    const toDelivery = Layer.merge(
      Layer.succeed(HttpClient.HttpClient, acceptor(delivery, contents)),
      serialization(resourceOf(options), contents)
    )
    const tracer = OtlpTracer.make({
      ...common,
      url: `${endpoint}/v1/traces`,
      exportInterval: interval.spans,
      maxBatchSize: batch
    })
    const metrics = OtlpMetrics.layer({
      ...common,
      url: `${endpoint}/v1/metrics`,
      exportInterval: interval.metrics
    })
    const traces = Layer.unwrapScoped(
      Effect.map(tracer, (made) => Tracing.layer(Tracing.sampled(made, config.sampler)))
    )
    return Layer.provide(Layer.merge(traces, metrics), toDelivery)
  })
  return Layer.merge(ShutdownSpans.layer, sampling).pipe(Layer.provideMerge(Layer.unwrapScoped(exporters)))
}
