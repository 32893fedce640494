import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as Samples from "../../src/lifecycle/Samples.js"
import * as ShutdownMetrics from "../../src/lifecycle/ShutdownMetrics.js"
import * as ProcessMetrics from "../../src/telemetry/ProcessMetrics.js"
import * as Prometheus from "../../src/telemetry/Prometheus.js"
import * as PrometheusText from "../support/PrometheusText.js"

const scrape = Effect.flatMap(Prometheus.make, ({ text }) => Effect.map(text, PrometheusText.parse))

describe("metrics for Prometheus", () => {
  it.scoped("are what Effect counts: names as they are, labels escaped, buckets with le, nothing twice", () =>
    Effect.gen(function* () {
      const odd = 'a "quoted" \\ back\nslash, {x="y"}'
      const counter = Metric.counter("exposition_odd_total", {
        description: "Odd \\ things\nin two lines",
        incremental: true
      })
      yield* Metric.incrementBy(Metric.tagged(counter, "what", odd), 3)
      yield* Metric.incrementBy(Metric.tagged(counter, "what", "even"), 4)
      const gauge = Metric.gauge("exposition_lag", { description: "With a label of that name" })
      yield* Metric.set(Metric.tagged(gauge, "unit", "seconds"), -1.5e-7)
      const histogram = Metric.histogram(
        "exposition_duration_seconds",
        MetricBoundaries.fromIterable([0.1, 1]),
        "How long"
      )
      for (const seconds of [0.05, 0.5, 0.5, 7]) yield* Metric.update(histogram, seconds)

      const families = yield* scrape
      // Names of the exporter's own making.
      assert.isFalse(families.some(({ name }) => name === "target_info"))
      const family = (name: string) => families.find((family) => family.name === name)
      assert.deepStrictEqual(family("exposition_odd_total"), {
        name: "exposition_odd_total",
        type: "counter",
        help: "Odd \\ things\nin two lines",
        samples: [
          { name: "exposition_odd_total", labels: { what: odd }, value: 3 },
          { name: "exposition_odd_total", labels: { what: "even" }, value: 4 }
        ]
      })
      assert.deepStrictEqual(family("exposition_lag")?.samples, [
        { name: "exposition_lag", labels: { unit: "seconds" }, value: -1.5e-7 }
      ])
      assert.deepStrictEqual(
        family("exposition_duration_seconds")?.samples.map(({ labels, name, value }) => [
          name.slice("exposition_duration_seconds".length),
          labels["le"] ?? "",
          value
        ]),
        [
          ["_count", "", 4],
          ["_sum", "", 8.05],
          ["_bucket", "0.1", 1],
          ["_bucket", "1", 3],
          ["_bucket", "+Inf", 4]
        ]
      )
    }).pipe(Effect.provide(Samples.layer))
  )

  it.effect("of a stop have the names that others know them by", () =>
    Effect.gen(function* () {
      yield* Effect.forEach(
        [...ShutdownMetrics.requestsInterrupted, ShutdownMetrics.forced],
        (metric) => Metric.incrementBy(metric, 2),
        { discard: true }
      )
      yield* Effect.forEach(ShutdownMetrics.duration, (metric) => Metric.update(metric, 1.5), {
        discard: true
      })
      yield* Metric.set(ShutdownMetrics.activeConnections, 9)
      yield* Metric.set(ShutdownMetrics.inFlightRequests, 3)
      const families = yield* scrape
      const types = Object.fromEntries(families.map(({ name, type }) => [name, type]))
      assert.deepInclude(types, {
        requests_interrupted: "gauge",
        requests_interrupted_total: "counter",
        forced_shutdown_total: "counter",
        shutdown_duration_seconds: "histogram",
        app_shutdown_duration_seconds: "histogram",
        active_connections_at_shutdown: "gauge",
        in_flight_requests: "gauge"
      })
    }).pipe(Effect.provide(Samples.layer))
  )

  it.scopedLive("of the process say what it has and does, whenever they are told", () =>
    Effect.gen(function* () {
      const { text } = yield* Prometheus.make
      const begun = Date.now() / 1000
      yield* text
      // The first look after metrics were told is what the next one is compared with.
      yield* Effect.sleep("200 millis")
      // Half a second in which the event loop hears nothing.
      const until = performance.now() + 500
      while (performance.now() < until) Math.random()
      yield* Effect.sleep("100 millis")
      const families = PrometheusText.parse(yield* text)
      const value = (name: string, labels?: Record<string, string>) =>
        PrometheusText.value(families, name, labels) ?? Number.NaN
      assert.strictEqual(value("service_build_info", { version: "1.2.3", node: process.versions.node }), 1)
      assert.closeTo(value("process_start_time_seconds"), begun, 3600)
      assert.isAbove(value("process_cpu_seconds_total", { mode: "user" }), 0.1)
      assert.isAbove(value("process_resident_memory_bytes"), 20e6)
      assert.isAbove(value("nodejs_heap_size_total_bytes"), value("nodejs_heap_size_used_bytes") / 2)
      assert.isAbove(value("nodejs_eventloop_lag_max_seconds"), 0.3)
      assert.isBelow(value("nodejs_eventloop_lag_max_seconds"), 60)
      assert.isAtMost(value("nodejs_eventloop_lag_p50_seconds"), value("nodejs_eventloop_lag_p99_seconds"))
      assert.isAbove(value("nodejs_eventloop_active_seconds_total"), 0.3)
      assert.isAbove(value("nodejs_eventloop_utilization_ratio"), 0.3)
      if (process.platform === "linux") assert.isAbove(value("process_open_fds"), 3)
      const { kind } =
        families.find(({ name }) => name === "nodejs_gc_duration_seconds")?.samples[0]?.labels ?? {}
      assert.include([undefined, "minor", "major", "incremental", "weakcb"], kind)
    }).pipe(Effect.provide(ProcessMetrics.layer("1.2.3")), Effect.provide(Samples.layer))
  )
})
