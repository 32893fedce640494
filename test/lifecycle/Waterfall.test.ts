import { assert, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import * as Waterfall from "../../src/lifecycle/Waterfall.js"
import { part } from "../support/Part.js"
import * as Run from "../support/Run.js"

it.effect("shows what ran when, how long, within which limit, and how it ended", () =>
  Effect.gen(function* () {
    const http = Layer.scopedDiscard(
      Effect.gen(function* () {
        const lifecycle = yield* Lifecycle.Lifecycle
        const run = Effect.zipRight(
          Effect.sleep("2 seconds"),
          lifecycle.emit({
            _tag: "Drained",
            server: "http",
            count: { requestsAtStart: 1, connectionsAtStart: 3, drained: 4, interrupted: 0, late: 2 }
          })
        )
        yield* lifecycle.addQuiesce({ name: "http", limit: Duration.seconds(30), run })
      })
    )
    const run = yield* Run.launch(
      http.pipe(
        Layer.provide(
          part("cache", [], { release: Effect.never, limit: "1 second" }).pipe(
            Layer.provide(part("database", [], { release: Effect.sleep("1 second") }))
          )
        )
      )
    )
    yield* run.signal("SIGINT")
    yield* TestClock.adjust("2 seconds")
    yield* TestClock.adjust("1 second")
    yield* TestClock.adjust("1 second")
    assert.strictEqual(
      Waterfall.render(yield* run.report),
      [
        "stopped in 4.00 s of 54.0 s · SIGINT · exit code 3",
        "announcing                                              0 ms",
        "draining                                                2.00 s",
        "  http       ▕████████████████████                    ▏   2.00 s of 30.0 s  ok",
        "releasing                                               2.00 s",
        "  cache      ▕                    ██████████          ▏   1.00 s of 1.00 s  TIMED OUT",
        "  database   ▕                              ██████████▏   1.00 s of 5.00 s  ok",
        "http: 1 request on 3 connections at the start, 4 answered, 0 interrupted, 2 too late"
      ].join("\n")
    )
  })
)
