/** The exporters as the bottom of a service, with a stop in simulated time. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as Resource from "../../src/lifecycle/Resource.js"
import * as Samples from "../../src/lifecycle/Samples.js"
import * as OtlpConfig from "../../src/telemetry/OtlpConfig.js"
import * as OtlpExport from "../../src/telemetry/OtlpExport.js"
import * as Collector from "../support/Collector.js"
import { part } from "../support/Part.js"
import * as Run from "../support/Run.js"

/** A service with a database on top of the exporters, and a collector that answers or does not. */
const service = (isSilent: boolean) =>
  Effect.gen(function* () {
    const marks: Array<string> = []
    const bodies: Array<string> = []
    const client = HttpClient.make((request) => {
      if (request.body._tag !== "Uint8Array") return Effect.die("no body")
      bodies.push(new TextDecoder().decode(request.body.body))
      return isSilent
        ? Effect.never
        : Effect.sync(() => HttpClientResponse.fromWeb(request, new Response("{}", { status: 200 })))
    })
    const config = yield* Effect.withConfigProvider(OtlpConfig.config, ConfigProvider.fromMap(new Map()))
    const limit = Duration.seconds(2)
    const telemetry = OtlpExport.layer({
      config,
      endpoint: "http://collector",
      version: "1",
      patience: Duration.times(limit, 0.75)
    }).pipe(
      Resource.named("telemetry", { limit }),
      Layer.provide([Layer.succeed(HttpClient.HttpClient, client), Samples.layer])
    )
    const database = part("database", marks, { release: Effect.sleep("1 second") })
    const run = yield* Run.launch(Layer.provide(database, telemetry))
    return { run, bodies }
  })

it.effect("scenario 18: what the stop is made of goes out after the last release", () =>
  Effect.gen(function* () {
    const { bodies, run } = yield* service(false)
    yield* run.signal()
    yield* TestClock.adjust("999 millis")
    assert.deepStrictEqual(
      bodies.flatMap((body) => Collector.read(body).spans.map(({ name }) => name)),
      []
    )
    yield* TestClock.adjust("1 millis")
    const spans = bodies.flatMap((body) => Collector.read(body).spans)
    assert.deepStrictEqual(
      spans.map(({ attributes, name }) => [name, attributes["shutdown.step.outcome"]]),
      [
        ["release database", "completed"],
        ["release telemetry", "open"],
        ["shutdown", undefined]
      ]
    )
    assert.strictEqual(Collector.read(bodies[0]!).resource["service.version"], "1")
    assert.deepStrictEqual(Run.ended(run), ["database", "telemetry"])
    assert.strictEqual((yield* run.report).exitCode, 0)
  })
)

it.effect(
  "scenario 18: a collector that hangs is given up within the limit, and the stop is a clean one",
  () =>
    Effect.gen(function* () {
      const { run } = yield* service(true)
      yield* run.signal()
      yield* TestClock.adjust("1 second")
      yield* TestClock.adjust("1499 millis")
      assert.isFalse(yield* run.isOver)
      yield* TestClock.adjust("1 millis")
      assert.isTrue(yield* run.isOver)
      assert.deepStrictEqual(Run.ended(run), ["database", "telemetry"])
      assert.strictEqual((yield* run.report).exitCode, 0)
    })
)

it.effect("scenario 18: in a hurry nothing waits for a collector longer than for anything else", () =>
  Effect.gen(function* () {
    const { run } = yield* service(true)
    yield* run.signal()
    yield* run.signal()
    yield* TestClock.adjust("1 second")
    assert.isTrue(yield* run.isOver)
    assert.strictEqual((yield* run.report).exitCode, 3)
  })
)
