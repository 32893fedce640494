/**
 * The process, as metrics under the names that Node services commonly give them.
 *
 * | metric | type | what |
 * | --- | --- | --- |
 * | `service_build_info{version,node}` | gauge | 1 |
 * | `process_start_time_seconds` | gauge | when the process started, in seconds since 1970 |
 * | `process_cpu_seconds_total{mode}` | counter | processor time of all threads, `user` and `system` |
 * | `process_resident_memory_bytes` | gauge | memory that the process has |
 * | `process_open_fds` | gauge | open file descriptors; only where `/proc` tells |
 * | `nodejs_heap_size_used_bytes`, `nodejs_heap_size_total_bytes`, `nodejs_external_memory_bytes` | gauge | V8's heap, and buffers outside of it |
 * | `nodejs_eventloop_lag_mean_seconds`, `..._p50_seconds`, `..._p90_seconds`, `..._p99_seconds`, `..._max_seconds` | gauge | how late timers were since metrics were told last |
 * | `nodejs_eventloop_active_seconds_total` | counter | time in which the event loop had work |
 * | `nodejs_eventloop_utilization_ratio` | gauge | the same as a part of the time since metrics were told last, from 0 to 1 |
 * | `nodejs_gc_duration_seconds{kind}` | histogram | pauses of the garbage collector |
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import { readdir } from "node:fs/promises"
import { constants, monitorEventLoopDelay, performance, PerformanceObserver } from "node:perf_hooks"
import * as Samples from "../lifecycle/Samples.js"

const gauge = (name: string, description: string) => Metric.gauge(name, { description })

const info = gauge("service_build_info", "Which version runs, on which Node")
const started = gauge("process_start_time_seconds", "When the process started, in seconds since 1970")
const cpu = Metric.counter("process_cpu_seconds_total", {
  description: "Processor time of all threads",
  incremental: true
})
const cpuUser = Metric.tagged(cpu, "mode", "user")
const cpuSystem = Metric.tagged(cpu, "mode", "system")
const resident = gauge("process_resident_memory_bytes", "Memory that the process has")
const descriptors = gauge("process_open_fds", "Open file descriptors")
const heapUsed = gauge("nodejs_heap_size_used_bytes", "What is in use of V8's heap")
const heapTotal = gauge("nodejs_heap_size_total_bytes", "V8's heap")
const external = gauge("nodejs_external_memory_bytes", "Buffers outside of V8's heap")
const active = Metric.counter("nodejs_eventloop_active_seconds_total", {
  description: "Time in which the event loop had work",
  incremental: true
})
const utilization = gauge(
  "nodejs_eventloop_utilization_ratio",
  "Part of the time since metrics were told last in which the event loop had work"
)
const lag = (name: string) =>
  gauge(`nodejs_eventloop_lag_${name}_seconds`, `How late timers were since metrics were told last (${name})`)
const lags = { mean: lag("mean"), p50: lag("p50"), p90: lag("p90"), p99: lag("p99"), max: lag("max") }
const collections = Metric.histogram(
  "nodejs_gc_duration_seconds",
  MetricBoundaries.fromIterable([0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]),
  "Pauses of the garbage collector"
)

/** How often the event loop's lag is looked at, in milliseconds: twenty wake-ups a second, none of which runs any JavaScript. */
const resolutionMillis = 50

const kinds: ReadonlyMap<number, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MINOR, "minor"],
  [constants.NODE_PERFORMANCE_GC_MAJOR, "major"],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, "incremental"],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, "weakcb"]
])

/** What a collection leaves. */
interface Pause {
  readonly duration: number
  readonly detail: { readonly kind: number }
}

/** Looks at the event loop and the collector while the scope is open. What is given sets the metrics. */
const watched = Effect.gen(function* () {
  const delay = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const delay = monitorEventLoopDelay({ resolution: resolutionMillis })
      delay.enable()
      return delay
    }),
    (delay) => Effect.sync(() => delay.disable())
  )
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      const pauses = new Map(
        [...kinds].map(([kind, name]) => [kind, Metric.tagged(collections, "kind", name)])
      )
      const observer = new PerformanceObserver((list) => {
        // The type knows entries of every kind; those that are observed here have this.
        const entries = list.getEntries() as unknown as ReadonlyArray<Pause>
        for (const { detail, duration } of entries) {
          pauses.get(detail.kind)?.unsafeUpdate(duration / 1000, [])
        }
      })
      observer.observe({ entryTypes: ["gc"] })
      return observer
    }),
    (observer) => Effect.sync(() => observer.disconnect())
  )
  let before = performance.eventLoopUtilization()
  /** What is recorded is the time between two looks; before the first one it is no number. */
  const late = (nanos: number) => Math.max(0, (nanos || 0) / 1e9 - resolutionMillis / 1000)
  return Effect.suspend(() => {
    const now = performance.eventLoopUtilization()
    const since = performance.eventLoopUtilization(now, before)
    before = now
    const all = [
      Metric.set(lags.mean, late(delay.mean)),
      Metric.set(lags.p50, late(delay.percentile(50))),
      Metric.set(lags.p90, late(delay.percentile(90))),
      Metric.set(lags.p99, late(delay.percentile(99))),
      Metric.set(lags.max, late(delay.max)),
      Samples.raise(active, now.active / 1000),
      Metric.set(utilization, since.utilization)
    ]
    delay.reset()
    return Effect.all(all, { discard: true })
  })
})

const resources = Effect.suspend(() => {
  const memory = process.memoryUsage()
  const { system, user } = process.cpuUsage()
  return Effect.all(
    [
      Samples.raise(cpuUser, user / 1e6),
      Samples.raise(cpuSystem, system / 1e6),
      Metric.set(resident, memory.rss),
      Metric.set(heapUsed, memory.heapUsed),
      Metric.set(heapTotal, memory.heapTotal),
      Metric.set(external, memory.external)
    ],
    { discard: true }
  )
})

const files = Effect.tryPromise(() => readdir("/proc/self/fd")).pipe(
  Effect.flatMap((names) => Metric.set(descriptors, names.length)),
  // Elsewhere nobody tells without much work.
  Effect.ignore
)

/** Watches the process, and tells what it has used whenever metrics are told. `version` is the service's. */
export const layer = (version: string): Layer.Layer<never, never, Samples.Samples> =>
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const { add } = yield* Samples.Samples
      yield* Metric.set(
        Metric.tagged(Metric.tagged(info, "version", version), "node", process.versions.node),
        1
      )
      yield* Metric.set(started, performance.timeOrigin / 1000)
      yield* add(yield* watched)
      yield* add(resources)
      yield* add(files)
    })
  )
