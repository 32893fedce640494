import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import type { Sampler } from "../../src/telemetry/OtlpConfig.js"
import * as Tracing from "../../src/telemetry/Tracing.js"
import * as SpanDouble from "../support/SpanDouble.js"

const always: Sampler = { name: "parentbased_always_on", parentBased: true, ratio: 1 }

/** A tracer that keeps what ends, as `name < parent's span id`. */
const recording = (sampler: Sampler = always) => {
  const ended: Array<{
    readonly name: string
    readonly traceId: string
    readonly parent: string | undefined
  }> = []
  let ids = 0
  const inner = SpanDouble.tracer(({ name, parent }) => {
    ids += 1
    const traceId = Option.match(parent, {
      onNone: () => (ids * 0x1234567).toString(16).padStart(32, "1"),
      onSome: (span) => span.traceId
    })
    return {
      spanId: ids.toString(16).padStart(16, "0"),
      traceId,
      end: () =>
        void ended.push({
          name,
          traceId,
          parent: Option.getOrUndefined(Option.map(parent, ({ spanId }) => spanId))
        })
    }
  })
  const tracer = Tracing.sampled(inner, sampler)
  return { ended, tracer, names: () => ended.map(({ name }) => name) }
}

const external = (
  sampled: boolean,
  traceId = "0af7651916cd43dd8448eb211c80319c",
  spanId = "b7ad6b7169203331"
) => Tracer.externalSpan({ traceId, spanId, sampled })

const work = Effect.withSpan(Effect.void, "work")
const request = (parent?: Tracer.ExternalSpan) =>
  Effect.withSpan(work, "request", { kind: "server", ...(parent === undefined ? {} : { parent }) })

describe("what is recorded", () => {
  it.effect("is what begins outside or by a clock, with all that is below it, and nothing else", () =>
    Effect.gen(function* () {
      const { names, tracer } = recording()
      yield* Effect.withTracer(work, tracer)
      yield* Effect.withTracer(Effect.withSpan(work, "look at the lease"), tracer)
      assert.deepStrictEqual(names(), [])
      yield* Effect.withTracer(request(), tracer)
      yield* Effect.withTracer(Effect.withSpan(work, "task", { root: true }), tracer)
      assert.deepStrictEqual(names(), ["work", "request", "work", "task"])
    })
  )

  it.effect("begins anew where something marked so is inside something that is not recorded", () =>
    Effect.gen(function* () {
      const { names, tracer } = recording()
      yield* Effect.withTracer(Effect.withSpan(Effect.withSpan(work, "task", { root: true }), "loop"), tracer)
      assert.deepStrictEqual(names(), ["work", "task"])
    })
  )

  it.effect("is what the caller records, where the sampler asks it", () =>
    Effect.gen(function* () {
      const { names, tracer } = recording({ ...always, ratio: 0 })
      yield* Effect.withTracer(request(external(false)), tracer)
      yield* Effect.withTracer(request(), tracer)
      assert.deepStrictEqual(names(), [])
      yield* Effect.withTracer(request(external(true)), tracer)
      assert.deepStrictEqual(names(), ["work", "request"])
      const alone = recording({ name: "always_off", parentBased: false, ratio: 0 })
      yield* Effect.withTracer(request(external(true)), alone.tracer)
      assert.deepStrictEqual(alone.names(), [])
    })
  )

  it.effect("is a part of the traces, by their ids", () =>
    Effect.gen(function* () {
      const { ended, tracer } = recording({ name: "traceidratio", parentBased: false, ratio: 0.5 })
      const low = "0".repeat(18) + "1" + "0".repeat(13)
      const high = "0".repeat(18) + "1" + "f".repeat(13)
      yield* Effect.withTracer(request(external(false, low)), tracer)
      yield* Effect.withTracer(request(external(true, high)), tracer)
      assert.deepStrictEqual([...new Set(ended.map(({ traceId }) => traceId))], [low])
    })
  )

  it.effect("has no parent that is none: a collector would refuse the batch", () =>
    Effect.gen(function* () {
      const { ended, tracer } = recording()
      const short = "8448eb211c80319c"
      for (const parent of [
        external(true, "foo", "bar"),
        external(true, "0".repeat(32)),
        external(true, "0AF7651916CD43DD8448EB211C80319C"),
        external(true, undefined, "0".repeat(16)),
        external(true, '"}]}'.padEnd(32, "0")),
        external(true, short)
      ]) {
        yield* Effect.withTracer(request(parent), tracer)
      }
      const requests = ended.filter(({ name }) => name === "request")
      assert.deepStrictEqual(
        requests.map(({ parent }) => parent),
        [undefined, undefined, undefined, undefined, undefined, "b7ad6b7169203331"]
      )
      assert.strictEqual(requests.at(-1)?.traceId, short.padStart(32, "0"))
      for (const { traceId } of ended) assert.match(traceId, /^[0-9a-f]{32}$/)
    })
  )

  it.effect("is told to others as what it is", () =>
    Effect.gen(function* () {
      const { tracer } = recording()
      const sampled = (effect: typeof work) =>
        Effect.withTracer(
          Effect.zipRight(
            effect,
            Effect.map(Effect.currentSpan, (span) => span.sampled)
          ),
          tracer
        )
      assert.isTrue(
        yield* Effect.withSpan(sampled(work), "task", { root: true }).pipe(Effect.withTracer(tracer))
      )
      assert.isFalse(yield* Effect.withSpan(sampled(work), "loop").pipe(Effect.withTracer(tracer)))
    })
  )
})

describe("requests", () => {
  const get = (path: string, app: HttpApp.Default = Effect.as(work, HttpServerResponse.empty())) =>
    Effect.flatMap(Effect.runtime<never>(), (runtime) =>
      Effect.promise(() => HttpApp.toWebHandlerRuntime(runtime)(app)(new Request(`http://localhost${path}`)))
    )

  it.effect("are traced, but for probes", () =>
    Effect.gen(function* () {
      const { names, tracer } = recording()
      const probes = [
        "/health",
        "/health/ready",
        "/health/live?x=1",
        "/health?verbose",
        "/metrics",
        "/metrics?name=a"
      ]
      for (const path of probes) yield* Effect.provide(get(path), Tracing.layer(tracer))
      assert.deepStrictEqual(names(), [])
      for (const path of ["/", "/healthy", "/api/metrics"])
        yield* Effect.provide(get(path), Tracing.layer(tracer))
      assert.strictEqual(names().filter((name) => name === "http.server GET").length, 3)
    })
  )

  it.effect("are not described where nobody takes spans, and causes still tell what was called", () =>
    Effect.gen(function* () {
      let described = false
      const app = Effect.map(Effect.option(Effect.currentSpan), (current) => {
        described ||= Option.isSome(current)
        return HttpServerResponse.empty()
      })
      yield* Effect.provide(get("/", app), Tracing.layerNone)
      assert.isFalse(described)
      const failing = Effect.fn("Store.read")(() => Effect.fail(new Error("broken")))
      const exit = yield* Effect.fn("Api.answer")(() => failing())().pipe(
        Effect.sandbox,
        Effect.flip,
        Effect.provide(Tracing.layerNone)
      )
      assert.match(Cause.pretty(exit), /Store\.read[\s\S]*Api\.answer/)
    })
  )
})
