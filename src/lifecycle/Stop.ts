/**
 * One stop, from the reason to the end: announce, drain, release.
 *
 * The order of the releases is the layer graph's. What is added here is time: a whole that ends, a latest start for every named release
 * whatever hangs before it, and a second signal that starts all that is left at once.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HashSet from "effect/HashSet"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Bounded from "./Bounded.js"
import type * as Budget from "./Budget.js"
import type * as Lifecycle from "./Lifecycle.js"
import * as Resource from "./Resource.js"
import * as Steps from "./Steps.js"
import type { StopReason } from "./StopReason.js"

/** The stop begins: from here on time is counted. */
export const initiate = (
  lifecycle: Lifecycle.Shape,
  budget: Budget.Shape,
  reason: StopReason
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const wholeMillis = Duration.toMillis(budget.whole)
    lifecycle.internal.stopping.begin((yield* Bounded.now) + wholeMillis)
    yield* lifecycle.emit({ _tag: "StopInitiated", reason, wholeMillis })
    // A daemon of this run: it ends with the first second signal, or holds nothing but a deferred of the run.
    yield* Effect.forkDaemon(hurryOnSecondSignal(lifecycle))
  })

/**
 * Ends a start that is no longer wanted: what is being acquired is interrupted, and what cannot be interrupted in it may finish, but not for longer than
 * the releases that follow can wait.
 */
export const callOff = (
  lifecycle: Lifecycle.Shape,
  budget: Budget.Shape,
  build: Fiber.RuntimeFiber<unknown, unknown>
): Effect.Effect<void> => {
  const { stopping } = lifecycle.internal
  return Effect.gen(function* () {
    const start = yield* Bounded.now
    const reserve = Steps.longestChain(HashSet.fromIterable(stopping.open))
    const expired = stopping.expiry(Duration.toMillis(budget.whole), reserve)
    const outcome = yield* Bounded.run(Fiber.interrupt(build), expired)
    // Named acquisitions speak for themselves and are given up long before this.
    if (Option.isNone(outcome)) {
      const limitMillis = (yield* Bounded.now) - start
      yield* lifecycle.emit({ _tag: "AcquisitionGivenUp", name: "an unnamed layer", limitMillis })
    }
  })
}

/** Stops what `scope` holds. Never fails and cannot be interrupted: it ends within the whole, or a second after a second signal. */
export const stop = (
  lifecycle: Lifecycle.Shape,
  budget: Budget.Shape,
  scope: Scope.CloseableScope
): Effect.Effect<void> =>
  Effect.uninterruptible(
    Effect.gen(function* () {
      if (lifecycle.unsafePhase() === "ready") {
        yield* announce(lifecycle, budget)
        yield* drain(lifecycle)
      }
      yield* lifecycle.internal.advance("releasing")
      yield* release(lifecycle, scope)
      yield* lifecycle.internal.advance("stopped")
    })
  )

const hurryOnSecondSignal = (lifecycle: Lifecycle.Shape) =>
  Effect.interruptible(lifecycle.internal.stopRepeated).pipe(
    Effect.flatMap((reason) => lifecycle.emit({ _tag: "StopRepeated", reason })),
    Effect.zipRight(lifecycle.internal.stopping.hurry)
  )

/** Readiness says no while everything is still served, for as long as balancers need to look away. */
const announce = (lifecycle: Lifecycle.Shape, budget: Budget.Shape) =>
  Effect.zipRight(
    lifecycle.internal.advance("announcing"),
    Duration.toMillis(budget.announceDelay) === 0
      ? Effect.void
      : Effect.interruptible(
          Effect.raceFirst(Effect.sleep(budget.announceDelay), lifecycle.internal.stopping.hurried)
        )
  )

/** Every quiesce at once, each within its limit, and all within what the releases leave over. */
const drain = (lifecycle: Lifecycle.Shape) =>
  Effect.gen(function* () {
    const { quiesces, stopping } = lifecycle.internal
    yield* lifecycle.internal.advance("draining")
    const reserve = Steps.longestChain(HashSet.fromIterable(stopping.open))
    yield* Effect.forEach(
      [...quiesces],
      ({ limit, name, run }) => {
        const millis = stopping.limit(Duration.toMillis(limit), reserve)
        return Resource.reported(
          lifecycle,
          { kind: "quiesce", name },
          millis,
          Effect.interruptible(run),
          Effect.raceFirst(
            Effect.flatMap(millis, (left) => Effect.sleep(left)),
            stopping.hurried
          )
        )
      },
      { concurrency: "unbounded", discard: true }
    )
  })

/** Closes the graph. Returns when it is closed, when everything named was released or given up and the time is over, or a second after a hurry. */
const release = (lifecycle: Lifecycle.Shape, scope: Scope.CloseableScope) =>
  Effect.gen(function* () {
    const { stopping } = lifecycle.internal
    const rescues = yield* Effect.forEach([...stopping.open], (step) =>
      Effect.forkDaemon(Effect.interruptible(startAtTheLatest(lifecycle, step)))
    )
    const outcome = yield* Bounded.run(
      Effect.zipRight(
        Scope.close(scope, Exit.void),
        Effect.suspend(() => remaining(lifecycle))
      ),
      // The last releases end exactly at the deadline; they get the turn to say so before the whole is called overrun.
      Effect.zipRight(expiryOfWhole(lifecycle), Effect.yieldNow())
    )
    yield* Effect.forEach(rescues, Fiber.interruptFork, { discard: true })
    if (Option.isNone(outcome) || stopping.open.size > 0) {
      const open = [...stopping.open].map((step) => step.name)
      yield* lifecycle.emit({ _tag: "StopForced", open })
    }
  })

/**
 * Named releases that the scope knows nothing of, since an acquisition around them never came back: those that nothing open is built on first, then
 * what they were built on.
 */
const remaining = (lifecycle: Lifecycle.Shape): Effect.Effect<void> =>
  Effect.suspend(() => {
    const open = [...lifecycle.internal.stopping.open]
    if (open.length === 0) return Effect.void
    const outermost = open.filter((step) => !open.some((other) => HashSet.has(other.after, step)))
    return Effect.forEach(outermost, (step) => step.close(Exit.void), {
      concurrency: "unbounded",
      discard: true
    }).pipe(Effect.zipRight(remaining(lifecycle)))
  })

/** Releases a step at the last moment at which it and what comes after it still fit, or as soon as there is a hurry. */
const startAtTheLatest = (lifecycle: Lifecycle.Shape, step: Steps.ReleaseStep) => {
  const { stopping } = lifecycle.internal
  return Effect.flatMap(Bounded.now, (now) =>
    Effect.raceFirst(
      Effect.sleep(Math.max(0, stopping.deadline() - step.limitMillis - step.reserveMillis - now)),
      stopping.hurried
    )
  ).pipe(Effect.zipRight(step.close(Exit.void)))
}

const expiryOfWhole = (lifecycle: Lifecycle.Shape) => {
  const { stopping } = lifecycle.internal
  const untilDeadline = Effect.flatMap(Bounded.now, (now) =>
    Effect.sleep(Math.max(0, stopping.deadline() - now))
  )
  return Effect.raceFirst(untilDeadline, Effect.zipRight(stopping.hurried, untilDeadline))
}
