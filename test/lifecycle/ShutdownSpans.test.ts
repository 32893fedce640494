import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as Host from "../../src/lifecycle/Host.js"
import * as Launch from "../../src/lifecycle/Launch.js"
import * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import * as Resource from "../../src/lifecycle/Resource.js"
import * as ShutdownConfig from "../../src/lifecycle/ShutdownConfig.js"
import * as ShutdownSpans from "../../src/lifecycle/ShutdownSpans.js"
import * as StopReason from "../../src/lifecycle/StopReason.js"
import { part } from "../support/Part.js"
import * as Run from "../support/Run.js"
import * as SpanDouble from "../support/SpanDouble.js"

interface Seen {
  readonly name: string
  readonly parent: string | undefined
  readonly start: number
  readonly attributes: Record<string, unknown>
  readonly events: Array<string>
  end: number | undefined
  failed: boolean
}

/** A tracer that keeps spans in memory, times in milliseconds, and says which it has once it is closed. */
const inMemory = () => {
  const spans: Array<Seen> = []
  let ids = 0
  const tracer = SpanDouble.tracer(({ name, parent, startTime }) => {
    const seen: Seen = {
      name,
      parent: Option.getOrUndefined(Option.map(parent, (p) => (p._tag === "Span" ? p.name : p.spanId))),
      start: Number(startTime) / 1e6,
      attributes: {},
      events: [],
      end: undefined,
      failed: false
    }
    spans.push(seen)
    return {
      spanId: String(ids++),
      traceId: "trace",
      end: (endTime, exit) => {
        seen.end = Number(endTime) / 1e6
        seen.failed = Exit.isFailure(exit)
      },
      attribute: (key, value) => {
        seen.attributes[key.replace("shutdown.", "")] = value
      },
      event: (event, at) => {
        seen.events.push(`${event} ${Number(at) / 1e6}`)
      }
    }
  })
  return { spans, tracer }
}

const handle = () => {
  let lifecycle: Lifecycle.Shape | undefined
  return {
    layer: Layer.effectDiscard(
      Effect.map(Lifecycle.Lifecycle, (given) => {
        lifecycle = given
      })
    ),
    stop: Effect.suspend(() => lifecycle!.stop(StopReason.requested("test")))
  }
}

describe("a stop as a trace", () => {
  it.effect("has a span per step with the times of the events, and tells errors", () =>
    Effect.gen(function* () {
      const { spans, tracer } = inMemory()
      const service = handle()
      const quiet = Layer.scopedDiscard(
        Effect.flatMap(Lifecycle.Lifecycle, (lifecycle) =>
          lifecycle.addQuiesce({ name: "http", limit: Duration.seconds(5), run: Effect.sleep("2 seconds") })
        )
      )
      const app = Layer.merge(service.layer, quiet).pipe(
        Layer.provide(part("cache", [], { release: Effect.never, limit: "1 second" })),
        Layer.provide(part("files", [], { release: Effect.die("broken") })),
        Layer.provide(part("database", [], { release: Effect.sleep("500 millis") }))
      )
      const subscriber = yield* Effect.withTracer(ShutdownSpans.make, tracer)
      const fiber = yield* Effect.fork(
        Launch.launch(app, { shutdown: ShutdownConfig.defaults, subscribers: [subscriber] }).pipe(
          Effect.provide(Host.layerNoop)
        )
      )
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(spans, [])
      yield* service.stop
      yield* TestClock.adjust("2 seconds")
      yield* TestClock.adjust("1 second")
      yield* TestClock.adjust("500 millis")
      yield* Fiber.join(fiber)
      const step = (kind: string, name: string, limit_ms: number, outcome: string) => ({
        "step.kind": kind,
        "step.name": name,
        "step.limit_ms": limit_ms,
        "step.outcome": outcome
      })
      const of = { parent: "shutdown", events: [] }
      assert.deepStrictEqual(spans, [
        {
          name: "shutdown",
          parent: undefined,
          start: 1000,
          end: 4500,
          failed: true,
          attributes: { reason: "test", limit_ms: 54_000, exit_code: 3 },
          events: [
            "phase announcing 1000",
            "phase draining 1000",
            "phase releasing 3000",
            "phase stopped 4500"
          ]
        },
        {
          ...of,
          name: "quiesce http",
          start: 1000,
          end: 3000,
          failed: false,
          attributes: step("quiesce", "http", 5000, "completed")
        },
        {
          ...of,
          name: "release cache",
          start: 3000,
          end: 4000,
          failed: true,
          attributes: step("release", "cache", 1000, "timed_out")
        },
        {
          ...of,
          name: "release files",
          start: 4000,
          end: 4000,
          failed: true,
          attributes: step("release", "files", 5000, "failed")
        },
        {
          ...of,
          name: "release database",
          start: 4000,
          end: 4500,
          failed: false,
          attributes: step("release", "database", 5000, "completed")
        }
      ])
    })
  )

  it.effect("scenario 18: a tracer of the service's own has every span when it sends the last ones", () =>
    Effect.gen(function* () {
      const { spans, tracer } = inMemory()
      const sent: Array<string> = []
      const exporter = Layer.merge(
        Layer.setTracer(tracer),
        Layer.scopedDiscard(
          Effect.addFinalizer(() =>
            Effect.sync(() =>
              sent.push(
                ...spans.map(
                  ({ attributes, end, name }) => `${name} ${end ?? "open"} ${attributes["step.outcome"]}`
                )
              )
            )
          )
        )
      )
      const telemetry = Resource.named("telemetry", { limit: Duration.seconds(2) })(
        ShutdownSpans.layer.pipe(Layer.provideMerge(exporter))
      )
      const service = handle()
      const app = service.layer.pipe(
        Layer.provide(part("database", [], { release: Effect.sleep("1 second") })),
        Layer.provide(telemetry)
      )
      const fiber = yield* Effect.fork(
        Launch.launch(app, { shutdown: ShutdownConfig.defaults }).pipe(Effect.provide(Host.layerNoop))
      )
      yield* Run.settle
      yield* service.stop
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(sent, [
        "shutdown 1000 undefined",
        "release database 1000 completed",
        "release telemetry 1000 open"
      ])
      assert.deepStrictEqual(
        spans.filter(({ failed }) => failed),
        []
      )
    })
  )
})
