import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as CircuitBreaker from "../../src/lifecycle/CircuitBreaker.js"
import * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import type * as PhaseModule from "../../src/lifecycle/Phase.js"
import * as Run from "../support/Run.js"

const make = (options: Partial<CircuitBreaker.Options> = {}) =>
  Effect.gen(function* () {
    const lifecycle = yield* Lifecycle.make(Duration.minutes(1))
    const breaker = yield* CircuitBreaker.make({
      name: "horizon",
      failures: 3,
      cooldown: Duration.seconds(10),
      ...options
    }).pipe(Effect.provideService(Lifecycle.Lifecycle, lifecycle))
    return { ...breaker, lifecycle }
  })

/** What a protected call comes to: its value, its failure, or why it was refused. */
const outcome = <A, E>(
  breaker: CircuitBreaker.CircuitBreaker,
  call: Effect.Effect<A, E>
): Effect.Effect<unknown> =>
  Effect.map(Effect.either(Effect.sandbox(breaker.protect(call))), (either) => {
    if (Either.isRight(either)) return either.right
    const error = Cause.squash(either.left)
    return error instanceof CircuitBreaker.CircuitOpen ? `refused: ${error.reason}` : error
  })

const fail = (breaker: CircuitBreaker.CircuitBreaker, times: number) =>
  Effect.repeatN(outcome(breaker, Effect.fail("no")), times - 1)

const ok = Effect.succeed("ok")

describe("a circuit breaker", () => {
  it.scoped("opens after so many failures in a row, not before, and a success starts the row anew", () =>
    Effect.gen(function* () {
      const breaker = yield* make()
      yield* fail(breaker, 2)
      assert.strictEqual(yield* outcome(breaker, ok), "ok")
      yield* fail(breaker, 2)
      assert.strictEqual(yield* breaker.state, "closed")
      assert.strictEqual(yield* outcome(breaker, Effect.die("bug")), "bug")
      assert.strictEqual(yield* breaker.state, "open")
      let called = false
      assert.strictEqual(
        yield* outcome(
          breaker,
          Effect.sync(() => void (called = true))
        ),
        "refused: failures"
      )
      assert.isFalse(called)
    })
  )

  it.scoped("lets one call through after the cooldown, to the millisecond, and closes when it succeeds", () =>
    Effect.gen(function* () {
      const breaker = yield* make()
      yield* fail(breaker, 3)
      yield* TestClock.adjust(9999)
      assert.strictEqual(yield* outcome(breaker, ok), "refused: failures")
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* breaker.state, "half-open")
      const trial = yield* Effect.fork(outcome(breaker, Effect.delay(ok, "1 second")))
      yield* Run.settle
      assert.strictEqual(yield* outcome(breaker, ok), "refused: failures")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(trial), "ok")
      assert.strictEqual(yield* breaker.state, "closed")
      yield* fail(breaker, 2)
      assert.strictEqual(yield* outcome(breaker, ok), "ok")
    })
  )

  it.scoped("opens for another cooldown when the trial fails, from its end", () =>
    Effect.gen(function* () {
      const breaker = yield* make()
      yield* fail(breaker, 3)
      yield* TestClock.adjust("10 seconds")
      const trial = yield* Effect.fork(outcome(breaker, Effect.delay(Effect.fail("still"), "2 seconds")))
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* Fiber.join(trial), "still")
      yield* TestClock.adjust(9999)
      assert.strictEqual(yield* breaker.state, "open")
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* outcome(breaker, ok), "ok")
    })
  )

  it.scoped("takes an interruption for neither: the row stays, and the next call is the trial", () =>
    Effect.gen(function* () {
      const breaker = yield* make()
      yield* fail(breaker, 2)
      const call = yield* Effect.fork(breaker.protect(Effect.never))
      yield* Run.settle
      yield* Fiber.interrupt(call)
      assert.strictEqual(yield* breaker.state, "closed")
      yield* fail(breaker, 1)
      assert.strictEqual(yield* breaker.state, "open")
      yield* TestClock.adjust("10 seconds")
      const trial = yield* Effect.fork(breaker.protect(Effect.never))
      yield* Run.settle
      assert.strictEqual(yield* outcome(breaker, ok), "refused: failures")
      yield* Fiber.interrupt(trial)
      assert.strictEqual(yield* outcome(breaker, ok), "ok")
      assert.strictEqual(yield* breaker.state, "closed")
    })
  )

  it.scoped("takes a failure for one although it interrupted others on its way", () =>
    Effect.gen(function* () {
      const breaker = yield* make({ failures: 1 })
      yield* outcome(breaker, Effect.all([Effect.never, Effect.fail("no")], { concurrency: 2 }))
      assert.strictEqual(yield* breaker.state, "open")
    })
  )

  it.scoped("does not listen to calls that began before it opened", () =>
    Effect.gen(function* () {
      const breaker = yield* make()
      const gate = yield* Deferred.make<string, string>()
      const early = yield* Effect.forEach([1, 2, 3], () =>
        Effect.fork(outcome(breaker, Deferred.await(gate)))
      )
      yield* Run.settle
      yield* fail(breaker, 3)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* outcome(breaker, ok), "ok")
      yield* Deferred.fail(gate, "late")
      yield* Effect.forEach(early, Fiber.join)
      assert.strictEqual(yield* breaker.state, "closed")
      yield* fail(breaker, 2)
      assert.strictEqual(yield* breaker.state, "closed")
    })
  )

  it.scoped("asks what counts: a failure that does not is a success", () =>
    Effect.gen(function* () {
      const breaker = yield* make({
        isFailure: (cause) => Cause.squash(cause) !== "not found"
      })
      yield* fail(breaker, 2)
      assert.strictEqual(yield* outcome(breaker, Effect.fail("not found")), "not found")
      yield* fail(breaker, 2)
      assert.strictEqual(yield* breaker.state, "closed")
    })
  )

  it.scoped("refuses everything once its scope is closed", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const breaker = yield* make().pipe(Scope.extend(scope))
      assert.strictEqual(yield* outcome(breaker, ok), "ok")
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* outcome(breaker, ok), "refused: stopping")
    })
  )

  it.scoped("goes by the phase: announcing still calls, draining and later do not", () =>
    Effect.gen(function* () {
      const breaker = yield* make()
      const said: Array<unknown> = []
      for (const phase of [
        "ready",
        "announcing",
        "draining",
        "releasing",
        "stopped"
      ] as const satisfies ReadonlyArray<PhaseModule.Phase>) {
        yield* breaker.lifecycle.internal.advance(phase)
        said.push(yield* outcome(breaker, ok))
      }
      assert.deepStrictEqual(said, ["ok", "ok", ...Array(3).fill("refused: stopping")])
    })
  )

  it.effect("is opened by the drain of a service, while a call under way finishes", () =>
    Effect.gen(function* () {
      const said: Array<unknown> = []
      const caller = Layer.scopedDiscard(
        Effect.gen(function* () {
          const lifecycle = yield* Lifecycle.Lifecycle
          const breaker = yield* CircuitBreaker.make({ name: "horizon" })
          const call = yield* Effect.forkScoped(outcome(breaker, Effect.delay(ok, "3 seconds")))
          yield* lifecycle.addQuiesce({
            name: "caller",
            limit: Duration.seconds(5),
            run: Effect.gen(function* () {
              said.push(yield* outcome(breaker, ok), yield* breaker.state, yield* Fiber.join(call))
            })
          })
        })
      )
      const run = yield* Run.launch(caller)
      yield* run.signal()
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* run.report).exitCode, 0)
      assert.deepStrictEqual(said, ["refused: stopping", "stopping", "ok"])
    })
  )
})
