import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Duration from "effect/Duration"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as MetricState from "effect/MetricState"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as Host from "../../src/lifecycle/Host.js"
import * as LastRun from "../../src/lifecycle/LastRun.js"
import * as Launch from "../../src/lifecycle/Launch.js"
import * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import * as RunTotals from "../../src/lifecycle/RunTotals.js"
import * as ShutdownConfig from "../../src/lifecycle/ShutdownConfig.js"
import * as Samples from "../../src/lifecycle/Samples.js"
import * as ShutdownMetrics from "../../src/lifecycle/ShutdownMetrics.js"
import * as StopReason from "../../src/lifecycle/StopReason.js"
import { part } from "../support/Part.js"
import * as Run from "../support/Run.js"

let tests = 0

/** Metrics are the process's: each test has a tag of its own. */
const alone = <A, E, R>(test: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => Effect.tagMetrics(test, "test", String(++tests)))

/** What an exporter would see: `name{tags}` and the number, or count and sum. */
const snapshot = Effect.map(Metric.snapshot, (pairs) => {
  const seen: Record<string, unknown> = {}
  for (const { metricKey, metricState } of pairs) {
    const tags = metricKey.tags.flatMap(({ key, value }) => (key === "test" ? [] : [`${key}=${value}`]))
    if (!metricKey.tags.some(({ key, value }) => key === "test" && value === String(tests))) continue
    const name = `${metricKey.name}${tags.length === 0 ? "" : `{${tags.toSorted().join()}}`}`
    if (MetricState.isHistogramState(metricState)) {
      seen[name] = {
        count: metricState.count,
        sum: metricState.sum,
        buckets: metricState.buckets.map(([, count]) => count)
      }
    } else if (MetricState.isGaugeState(metricState)) seen[name] = metricState.value
    else if (MetricState.isCounterState(metricState)) seen[name] = metricState.count
  }
  return seen
})

const totals: RunTotals.RunTotals = {
  forced: 2,
  unclean: 3,
  requestsInterrupted: 5,
  steps: [{ step: "database", kind: "release", outcome: "open", count: 4 }],
  durations: Array.from({ length: RunTotals.durationBuckets.length + 1 }, (_, i) =>
    i === 1
      ? { count: 3, sumSeconds: 0.1 + 0.1 + 0.1 }
      : i === 13
        ? { count: 1, sumSeconds: 400 }
        : { count: 0, sumSeconds: 0 }
  )
}

const lastRun = (ending: LastRun.Ending) =>
  Layer.succeed(LastRun.LastRun, { ending, totals, file: Option.none() })

describe("metrics of a stop", () => {
  it.effect("count what happened: steps, durations, phases, and a stop that was forced", () =>
    alone(
      Effect.gen(function* () {
        const subscriber = yield* ShutdownMetrics.make
        assert.deepInclude(yield* snapshot, { "service_phase{phase=starting}": 1, service_ready: 0 })
        let lifecycle: Lifecycle.Shape | undefined
        const app = Layer.effectDiscard(
          Effect.map(Lifecycle.Lifecycle, (given) => {
            lifecycle = given
          })
        ).pipe(
          Layer.provide(part("cache", [], { release: Effect.never, limit: "1 second" })),
          Layer.provide(part("database", [], { release: Effect.die("broken") }))
        )
        const fiber = yield* Effect.fork(
          Launch.launch(app, { shutdown: ShutdownConfig.defaults, subscribers: [subscriber] }).pipe(
            Effect.provide(Host.layerNoop)
          )
        )
        yield* Run.settle
        assert.deepInclude(yield* snapshot, {
          "service_phase{phase=starting}": 0,
          "service_phase{phase=ready}": 1,
          service_ready: 1
        })
        yield* lifecycle!.stop(StopReason.requested("test"))
        yield* Run.settle
        assert.deepInclude(yield* snapshot, { "service_phase{phase=releasing}": 1, service_ready: 0 })
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* Fiber.join(fiber)).exitCode, 3)
        const seen = yield* snapshot
        assert.deepInclude(seen, {
          "service_phase{phase=releasing}": 0,
          "service_phase{phase=stopped}": 1,
          "shutdown_steps_total{kind=release,outcome=timed_out,step=cache}": 1,
          "shutdown_steps_total{kind=release,outcome=failed,step=database}": 1,
          forced_shutdown_total: 1
        })
        const duration = { count: 1, sum: 1, buckets: [0, 0, 0, 0, ...Array(10).fill(1)] }
        assert.deepStrictEqual(seen.shutdown_duration_seconds, duration)
        assert.deepStrictEqual(seen.app_shutdown_duration_seconds, duration)
      })
    )
  )

  it.scoped("count requests that were cut, and connections of all servers", () =>
    alone(
      Effect.gen(function* () {
        const lifecycle = yield* Lifecycle.make(Duration.minutes(1))
        yield* lifecycle.subscribe(yield* ShutdownMetrics.make)
        const request = { method: "GET", path: "/", ageMillis: 1 }
        yield* lifecycle.emit({ _tag: "RequestsInterrupted", server: "http", requests: [request, request] })
        const count = { requestsAtStart: 2, connectionsAtStart: 7, drained: 0, interrupted: 2, late: 0 }
        yield* lifecycle.emit({ _tag: "Drained", server: "http", count })
        yield* lifecycle.emit({
          _tag: "Drained",
          server: "admin",
          count: { ...count, connectionsAtStart: 1 }
        })
        assert.deepInclude(yield* snapshot, {
          requests_interrupted_total: 2,
          requests_interrupted: 2,
          active_connections_at_shutdown: 8
        })
      })
    )
  )

  it.scoped("do not call a stop forced that only failed", () =>
    alone(
      Effect.gen(function* () {
        const tell = yield* ShutdownMetrics.make
        yield* tell({ _tag: "StopCompleted", at: 0, durationMillis: 1, exitCode: 1 })
        assert.isUndefined((yield* snapshot).forced_shutdown_total)
      })
    )
  )

  it.effect("have what is left in hand when nobody samples any more", () =>
    alone(
      Effect.gen(function* () {
        const lifecycle = yield* Lifecycle.make(Duration.minutes(1))
        let numbers = { requests: 3, connections: 10 }
        const samples = yield* Samples.make
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* ShutdownMetrics.sample(Effect.sync(() => numbers))
            yield* samples.update
            assert.deepInclude(yield* snapshot, { in_flight_requests: 3 })
            numbers = { requests: 0, connections: 0 }
          })
        ).pipe(
          Effect.provideService(Lifecycle.Lifecycle, lifecycle),
          Effect.provideService(Samples.Samples, samples)
        )
        assert.deepInclude(yield* snapshot, { in_flight_requests: 0 })
      })
    )
  )

  it.scoped("are read when they are told, and the connections at the signal", () =>
    alone(
      Effect.gen(function* () {
        const lifecycle = yield* Lifecycle.make(Duration.minutes(1))
        let numbers = { requests: 1, connections: 10 }
        const samples = yield* Samples.make
        yield* ShutdownMetrics.sample(Effect.sync(() => numbers)).pipe(
          Effect.provideService(Lifecycle.Lifecycle, lifecycle),
          Effect.provideService(Samples.Samples, samples)
        )
        yield* samples.update
        assert.deepInclude(yield* snapshot, { in_flight_requests: 1, service_ready: 0 })
        yield* lifecycle.internal.advance("ready")
        numbers = { requests: 2, connections: 20 }
        yield* samples.update
        assert.deepInclude(yield* snapshot, { in_flight_requests: 2, service_ready: 1 })
        yield* lifecycle.readiness.add("ingestion", Effect.succeed(Option.some("halted")))
        yield* samples.update
        assert.deepInclude(yield* snapshot, { service_ready: 0 })
        yield* lifecycle.emit({ _tag: "StopInitiated", reason: StopReason.requested("test"), wholeMillis: 1 })
        assert.deepInclude(yield* snapshot, { active_connections_at_shutdown: 20 })
      })
    )
  )
})

describe("metrics of the runs before", () => {
  it.effect("are there from the start, since a stopped process is not scraped", () =>
    alone(
      Effect.gen(function* () {
        yield* Effect.scoped(
          Layer.build(ShutdownMetrics.layer.pipe(Layer.provide(lastRun({ _tag: "None" }))))
        )
        const seen = yield* snapshot
        assert.deepInclude(seen, {
          forced_shutdown_total: 2,
          unclean_shutdown_total: 3,
          requests_interrupted_total: 5,
          requests_interrupted: 5,
          "shutdown_steps_total{kind=release,outcome=open,step=database}": 4
        })
        const duration = seen.shutdown_duration_seconds as {
          count: number
          sum: number
          buckets: Array<number>
        }
        assert.deepStrictEqual(seen.app_shutdown_duration_seconds, duration)
        assert.strictEqual(duration.count, 4)
        assert.closeTo(duration.sum, 400.3, 1e-9)
        assert.deepStrictEqual(duration.buckets, [0, ...Array(12).fill(3), 4])
      })
    )
  )

  it.effect("are not counted twice where this process has counted them itself", () =>
    alone(
      Effect.gen(function* () {
        const build = Effect.scoped(
          Layer.build(ShutdownMetrics.layer.pipe(Layer.provide(lastRun({ _tag: "None" }))))
        )
        yield* build
        const before = yield* snapshot
        yield* build
        assert.deepStrictEqual(yield* snapshot, before)
      })
    )
  )

  it.effect("a report's every number reaches the next run", () =>
    alone(
      Effect.gen(function* () {
        const report = {
          version: 1 as const,
          reason: "SIGTERM",
          initiatedAt: 0,
          durationMillis: 2000,
          wholeMillis: 5000,
          phases: [],
          steps: [],
          acquisitionsGivenUp: [],
          drains: {
            http: { requestsAtStart: 1, connectionsAtStart: 6, drained: 3, interrupted: 1, late: 0 }
          },
          requestsInterrupted: [{ method: "GET", path: "/", ageMillis: 1 }],
          exitCode: 3
        }
        const service = {
          ending: { _tag: "Stopped", startedAt: 0, report },
          totals: RunTotals.addReport(RunTotals.zero, report),
          file: Option.none()
        } as const
        yield* Effect.scoped(
          Layer.build(ShutdownMetrics.layer.pipe(Layer.provide(Layer.succeed(LastRun.LastRun, service))))
        )
        assert.deepInclude(yield* snapshot, {
          active_connections_at_shutdown: 6,
          requests_interrupted_total: 1,
          forced_shutdown_total: 1,
          unclean_shutdown_total: 0
        })
      })
    )
  )
})
