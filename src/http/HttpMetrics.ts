/**
 * Requests and connections as metrics.
 *
 * | metric | type | what |
 * | --- | --- | --- |
 * | `http_requests_total{method,route,status,outcome}` | counter | requests that have ended, `answered`, `interrupted` or `aborted` |
 * | `http_request_duration_seconds{method,route}` | histogram | from the head of a request to the end of its answer; of those that were answered |
 * | `http_response_bytes_total` | counter | bytes written for requests, heads included |
 * | `http_connections` | gauge | connections open now, upgraded ones apart |
 * | `http_connections_total` | counter | connections accepted |
 * | `http_requests_refused_total` | counter | requests refused by `SHUTDOWN_NEW_REQUESTS` |
 * | `http_late_connections_total` | counter | connections on which bytes arrived after our side was closed |
 *
 * `route` is the pattern, never the path, so that there are as many as there are routes; `none` where no route took the request. `status` is `none` where none was sent.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"
import * as MetricLabel from "effect/MetricLabel"
import * as Samples from "../lifecycle/Samples.js"
import * as InFlight from "./InFlight.js"
import * as RequestObserver from "./RequestObserver.js"

type Tags = Readonly<Record<string, string>>

/** With its labels in its key, a metric finds its state once and not with each update. */
const keyed = <Key extends MetricKey.MetricKey.Untyped>(key: Key, tags: Tags): Key =>
  MetricKey.taggedWithLabels(
    key,
    Object.entries(tags).map(([name, value]) => MetricLabel.make(name, value))
  ) as Key

const requestsKey = MetricKey.counter("http_requests_total", {
  description: "Requests that have ended",
  incremental: true
})
const durationKey = MetricKey.histogram(
  "http_request_duration_seconds",
  MetricBoundaries.fromIterable([
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60
  ]),
  "From the head of a request to the end of its answer"
)

const counter = (name: string, description: string) =>
  Metric.counter(name, { description, incremental: true })

const bytes = counter("http_response_bytes_total", "Bytes written for requests, heads included")
const connections = Metric.gauge("http_connections", {
  description: "Connections open now, upgraded ones apart"
})
const accepted = counter("http_connections_total", "Connections accepted")
const refused = counter("http_requests_refused_total", "Requests refused because the service was stopping")
const late = counter(
  "http_late_connections_total",
  "Connections on which bytes arrived after our side was closed"
)

/** Methods that are told by name: whatever else a client comes up with is one. */
const methods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])

/** What is counted of the requests of one method and route. */
class Route {
  private readonly duration: Metric.Metric.Histogram<number>
  private readonly ends = new Map<string, Metric.Metric.Counter<number>>()
  private readonly tags: Tags

  constructor(tags: Tags) {
    this.tags = tags
    this.duration = Metric.fromMetricKey(keyed(durationKey, tags))
  }

  see({ durationMillis, outcome, status }: RequestObserver.Observed): void {
    const code = status === 0 ? "none" : String(status)
    const name = outcome === "answered" ? code : `${code} ${outcome}`
    let ended = this.ends.get(name)
    if (ended === undefined) {
      ended = Metric.fromMetricKey(keyed(requestsKey, { ...this.tags, status: code, outcome }))
      this.ends.set(name, ended)
    }
    ended.unsafeUpdate(1, [])
    if (outcome === "answered") this.duration.unsafeUpdate(durationMillis / 1000, [])
  }
}

/** Counts what it is shown. */
const observe = (): ((observed: RequestObserver.Observed) => void) => {
  const byRoute = new Map<string, Map<string, Route>>()
  return (observed) => {
    const { method, route = "none" } = observed
    let ofRoute = byRoute.get(route)
    if (ofRoute === undefined) byRoute.set(route, (ofRoute = new Map()))
    let one = ofRoute.get(method)
    if (one === undefined) {
      const named = methods.has(method) ? method : method === "" ? "none" : "other"
      ofRoute.set(method, (one = new Route({ method: named, route })))
    }
    one.see(observed)
    bytes.unsafeUpdate(observed.bytes, [])
  }
}

/** Counts every request, and reads the numbers of the server whenever metrics are told. */
export const layer: Layer.Layer<
  never,
  never,
  RequestObserver.RequestObserver | InFlight.InFlight | Samples.Samples
> = Layer.scopedDiscard(
  Effect.gen(function* () {
    const observer = yield* RequestObserver.RequestObserver
    const { numbers } = yield* InFlight.InFlight
    const { keep } = yield* Samples.Samples
    yield* observer.add(observe())
    yield* keep(
      Effect.flatMap(numbers, (now) =>
        Effect.all(
          [
            Metric.set(connections, now.connections),
            Samples.raise(accepted, now.accepted),
            Samples.raise(refused, now.refused),
            Samples.raise(late, now.late)
          ],
          { discard: true }
        )
      )
    )
  })
)
