/** A collector of telemetry on this machine: it takes OTLP over HTTP as JSON and Sentry's envelopes, and keeps what it took with the time. */
import { createServer } from "node:http"
import { once } from "node:events"
import type { AddressInfo, Socket } from "node:net"

/** A span, read back. */
export interface Span {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number
  readonly attributes: Record<string, unknown>
  /** Names of its events. */
  readonly events: ReadonlyArray<string>
  /** 1 is fine, 2 an error. */
  readonly status: number
}

/** A metric of one export. */
export interface Metric {
  readonly name: string
  readonly points: ReadonlyArray<{ readonly attributes: Record<string, unknown>; readonly value: number }>
}

/** An event of Sentry. */
export interface SentryEvent {
  readonly level: string
  readonly message: string | undefined
  readonly environment: string
  readonly release: string
  readonly tags: Record<string, string>
  readonly extra: Record<string, unknown>
  readonly exceptions: ReadonlyArray<{
    readonly type: string
    readonly value: string
    readonly frames: number
  }>
}

/** How it answers: with a status, or not at all. */
export type Manner = number | "silence"

export interface Collector {
  /** Its URL, for `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string
  /** For `SENTRY_DSN`. */
  readonly dsn: string
  /** Spans that it took, in the order in which they came. */
  readonly spans: ReadonlyArray<Span>
  /** The last export of metrics that it took. */
  readonly metrics: () => ReadonlyArray<Metric>
  readonly events: ReadonlyArray<SentryEvent>
  /** Attributes of the resource of the last export. */
  readonly resource: () => Record<string, unknown>
  /** Headers of the last request. */
  readonly headers: () => Record<string, unknown>
  /** All bodies that came, whatever was answered. */
  readonly bodies: ReadonlyArray<string>
  /** How many requests came. */
  readonly requests: () => number
  /** From now on it answers so. */
  readonly answer: (manner: Manner) => void
  readonly close: () => Promise<void>
}

interface Attribute {
  readonly key: string
  readonly value: Record<string, unknown>
}

interface Point {
  readonly attributes: ReadonlyArray<Attribute>
  readonly asDouble?: number
  readonly asInt?: number
  readonly count?: number
}

/** What comes over the wire, as far as it is looked at. */
interface Wire {
  readonly resource: { readonly attributes: ReadonlyArray<Attribute> }
  readonly scopeSpans?: ReadonlyArray<{
    readonly spans: ReadonlyArray<
      Omit<Span, "attributes" | "events" | "status"> & {
        readonly attributes: ReadonlyArray<Attribute>
        readonly events: ReadonlyArray<{ readonly name: string }>
        readonly status: { readonly code: number }
      }
    >
  }>
  readonly scopeMetrics?: ReadonlyArray<{
    readonly metrics: ReadonlyArray<
      { readonly name: string } & Partial<
        Record<"sum" | "gauge" | "histogram", { readonly dataPoints: ReadonlyArray<Point> }>
      >
    >
  }>
}

interface WireEvent extends Pick<SentryEvent, "level" | "message" | "environment" | "release"> {
  readonly tags?: Record<string, string>
  readonly extra?: Record<string, unknown>
  readonly exception?: {
    readonly values: ReadonlyArray<{
      readonly type: string
      readonly value: string
      readonly stacktrace?: { readonly frames: ReadonlyArray<unknown> }
    }>
  }
}

const attributesOf = (attributes: ReadonlyArray<Attribute>): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

const spansOf = ({ scopeSpans = [] }: Wire): ReadonlyArray<Span> =>
  scopeSpans.flatMap(({ spans }) =>
    spans.map((span) => ({
      ...span,
      attributes: attributesOf(span.attributes),
      events: span.events.map(({ name }) => name),
      status: span.status.code
    }))
  )

const metricsOf = ({ scopeMetrics = [] }: Wire): ReadonlyArray<Metric> =>
  scopeMetrics.flatMap(({ metrics }) =>
    metrics.map(({ gauge, histogram, name, sum }) => ({
      name,
      points: ((sum ?? gauge ?? histogram)?.dataPoints ?? []).map((point) => ({
        attributes: attributesOf(point.attributes),
        value: Number(point.asDouble ?? point.asInt ?? point.count)
      }))
    }))
  )

/** What an export holds. */
export const read = (body: string) => {
  const { resourceMetrics = [], resourceSpans = [] } = JSON.parse(body) as {
    readonly resourceSpans?: ReadonlyArray<Wire>
    readonly resourceMetrics?: ReadonlyArray<Wire>
  }
  return {
    spans: resourceSpans.flatMap(spansOf),
    metrics: resourceMetrics.flatMap(metricsOf),
    resource: attributesOf([...resourceSpans, ...resourceMetrics][0]?.resource.attributes ?? [])
  }
}

const eventsOf = (envelope: string): Array<SentryEvent> => {
  const [, ...items] = envelope.split("\n").filter((line) => line !== "")
  const events: Array<SentryEvent> = []
  for (let i = 0; i + 1 < items.length; i += 2) {
    if ((JSON.parse(items[i]!) as { readonly type: string }).type !== "event") continue
    const { exception, extra = {}, tags = {}, ...event } = JSON.parse(items[i + 1]!) as WireEvent
    events.push({
      ...event,
      tags,
      extra,
      exceptions: (exception?.values ?? []).map(({ stacktrace, type, value }) => ({
        type,
        value,
        frames: stacktrace?.frames.length ?? 0
      }))
    })
  }
  return events
}

/** Opens one. */
export const open = async (manner: Manner = 200): Promise<Collector> => {
  let current = manner
  let metrics: ReadonlyArray<Metric> = []
  let resource: Record<string, unknown> = {}
  let headers: Record<string, unknown> = {}
  let requests = 0
  const spans: Array<Span> = []
  const events: Array<SentryEvent> = []
  const bodies: Array<string> = []
  const sockets = new Set<Socket>()

  const take = (path: string, body: string) => {
    if (path.endsWith("/envelope/")) return void events.push(...eventsOf(body))
    const taken = read(body)
    resource = taken.resource
    if (path === "/v1/traces") spans.push(...taken.spans)
    else metrics = taken.metrics
  }
  const server = createServer((request, response) => {
    let body = ""
    requests += 1
    headers = request.headers
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk))
    request.on("end", () => {
      bodies.push(body)
      if (current === "silence") return
      if (current === 200) take(new URL(request.url!, "http://localhost").pathname, body)
      response.writeHead(current, { "content-type": "application/json" }).end("{}")
    })
  })
  server.on("connection", (socket) => {
    sockets.add(socket)
    socket.on("close", () => sockets.delete(socket))
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    dsn: `http://public@127.0.0.1:${port}/1`,
    spans,
    events,
    bodies,
    metrics: () => metrics,
    resource: () => resource,
    headers: () => headers,
    requests: () => requests,
    answer: (next) => {
      current = next
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, "close")
    }
  }
}
