/** One quiesce, release or hook: run within its time, and told. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Bounded from "./Bounded.js"
import type * as Lifecycle from "./Lifecycle.js"
import type { Step } from "./LifecycleEvent.js"

/** What is to be done, and in what time. */
export interface Options {
  readonly step: Step
  /** What it was promised, in milliseconds. */
  readonly limitMillis: number
  /** What must be left of the whole when it ends, in milliseconds. */
  readonly reserveMillis: number
  readonly work: Effect.Effect<unknown, unknown>
  /** Ends the waiting before the limit does. Never, when absent. */
  readonly cut?: Effect.Effect<void>
}

/** Does it. A failure is told and goes no further; what overruns is asked to stop and no longer awaited. Never fails. */
export const run = (lifecycle: Lifecycle.Shape, options: Options): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { step } = options
    const { stopping } = lifecycle.internal
    const limitMillis = yield* stopping.limit(options.limitMillis, options.reserveMillis)
    const start = yield* Bounded.now
    stopping.running.set(step, start)
    yield* lifecycle.emit({ _tag: "StepStarted", step, limitMillis })
    const expired = stopping.expiry(options.limitMillis, options.reserveMillis)
    const outcome = yield* Bounded.run(
      options.work,
      options.cut === undefined ? expired : Effect.raceFirst(expired, options.cut)
    )
    stopping.running.delete(step)
    const durationMillis = (yield* Bounded.now) - start
    if (Option.isNone(outcome)) {
      yield* lifecycle.emit({ _tag: "StepTimedOut", step, durationMillis, limitMillis })
    } else if (Exit.isFailure(outcome.value)) {
      const error = Cause.pretty(outcome.value.cause)
      yield* lifecycle.emit({ _tag: "StepFailed", step, durationMillis, error })
    } else {
      yield* lifecycle.emit({ _tag: "StepCompleted", step, durationMillis })
    }
  })
