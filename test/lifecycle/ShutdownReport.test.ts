import { assert, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import * as ShutdownReport from "../../src/lifecycle/ShutdownReport.js"
import { part } from "../support/Part.js"
import * as Run from "../support/Run.js"

/** A stop with everything in it that a report can tell. */
const eventful = Effect.gen(function* () {
  const http = Layer.scopedDiscard(
    Effect.gen(function* () {
      const lifecycle = yield* Lifecycle.Lifecycle
      const run = Effect.all([
        Effect.sleep("1234567 nanos"),
        lifecycle.emit({
          _tag: "Drained",
          server: "http",
          count: { requestsAtStart: 1, connectionsAtStart: 3, drained: 4, interrupted: 1, late: 2 }
        }),
        lifecycle.emit({
          _tag: "RequestsInterrupted",
          server: "http",
          requests: [{ method: "GET", path: "/ledgers", ageMillis: 30.25 }]
        })
      ])
      yield* lifecycle.addQuiesce({ name: "http", limit: Duration.infinity, run: Effect.asVoid(run) })
    })
  )
  const run = yield* Run.launch(
    http.pipe(
      Layer.provide(part("cache", [], { release: Effect.never, limit: "1 second" })),
      Layer.provide(part("files", [], { release: Effect.die("broken") })),
      Layer.provide(part("database", [], { release: Effect.never }))
    ),
    { forceAfterTimeout: false }
  )
  yield* run.signal()
  yield* TestClock.adjust("2 seconds")
  yield* run.signal()
  yield* TestClock.adjust("1 second")
  yield* TestClock.adjust("1 second")
  return yield* run.report
})

it.effect("a report is the same after it was written and read, to the field", () =>
  Effect.gen(function* () {
    const report = yield* eventful
    assert.isDefined(report.forcedOpen)
    assert.isDefined(report.steps.find(({ error }) => error !== undefined))
    assert.strictEqual(report.steps[0]!.limitMillis, Number.POSITIVE_INFINITY)
    const text = Schema.encodeSync(ShutdownReport.Json)(report)
    assert.notInclude(text, "\n")
    assert.deepStrictEqual(Schema.decodeSync(ShutdownReport.Json)(text), report)
    assert.deepStrictEqual(JSON.parse(text), ShutdownReport.toJson(report))
  })
)

it.effect("a report of another version, or with a part missing, is not taken for one", () =>
  Effect.gen(function* () {
    const report = ShutdownReport.toJson(yield* eventful)
    const decode = Schema.decodeUnknownEither(ShutdownReport.ShutdownReport)
    assert.isTrue(Either.isRight(decode(report)))
    assert.isTrue(Either.isLeft(decode({ ...report, version: 2 })))
    for (const key of Object.keys(report).filter((key) => key !== "forcedOpen")) {
      assert.isTrue(Either.isLeft(decode({ ...report, [key]: undefined })), key)
    }
  })
)
