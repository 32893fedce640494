/**
 * One stop, from the reason to the end: announce, drain, release.
 *
 * The order of the releases is the layer graph's. What is added here is time: a whole that ends, a latest start for every named release
 * whatever hangs before it, and a second signal that starts all that is left at once.
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HashSet from "effect/HashSet"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Bounded from "./Bounded.js"
import type * as Budget from "./Budget.js"
import * as Hooks from "./Hooks.js"
import type * as Lifecycle from "./Lifecycle.js"
import * as Plan from "./Plan.js"
import * as Reported from "./Reported.js"
import * as Steps from "./Steps.js"
import type { StopReason } from "./StopReason.js"

/** Turns that closing scopes inside each other may take once nothing in them is waited for any more. */
const turnsToClose = 100

/** The stop begins: from here on time is counted. */
export const initiate = (
  lifecycle: Lifecycle.Shape,
  budget: Budget.Shape,
  reason: StopReason
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { stopping } = lifecycle.internal
    const wholeMillis = Plan.whole(lifecycle, budget)
    const deadline = (yield* Bounded.now) + wholeMillis
    stopping.begin(budget.forceAfterTimeout ? deadline : Number.POSITIVE_INFINITY)
    yield* lifecycle.emit({ _tag: "StopInitiated", reason, wholeMillis })
    // Daemons of this run: the first holds nothing but a deferred, the second ends with the stop.
    yield* Effect.forkDaemon(hurryOnSecondSignal(lifecycle))
    if (!budget.forceAfterTimeout) yield* Effect.forkDaemon(warnWhenOverdue(lifecycle, deadline))
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
    const before = Hooks.sum(Hooks.due(lifecycle.internal.hooks, "before-release"))
    const expired = stopping.expiry(Plan.whole(lifecycle, budget), before + graphReserve(lifecycle))
    const outcome = yield* Bounded.run(
      Fiber.interrupt(build),
      // In a hurry nothing is waited for: what is being acquired is released on arrival.
      Effect.raceFirst(expired, stopping.hurried)
    )
    // Named acquisitions speak for themselves and are given up long before this.
    if (Option.isNone(outcome) && !stopping.isHurried()) {
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
    Effect.flatMap((reason) =>
      lifecycle.emit({ _tag: "StopRepeated", reason, open: lifecycle.internal.stopping.openNames() })
    ),
    Effect.zipRight(lifecycle.internal.stopping.hurry)
  )

/** Says once a second that the whole limit has passed, and what is still open, until the stop is over. */
const warnWhenOverdue = (lifecycle: Lifecycle.Shape, deadline: number) => {
  const warn = Effect.flatMap(Bounded.now, (now) =>
    lifecycle.emit({
      _tag: "StopOverdue",
      overdueMillis: now - deadline,
      open: lifecycle.internal.stopping.openNames()
    })
  )
  return Bounded.until(deadline).pipe(
    Effect.zipRight(Effect.repeat(warn, Schedule.spaced("1 second"))),
    Effect.raceFirst(lifecycle.awaitPhase("stopped")),
    Effect.interruptible
  )
}

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

/** Every quiesce at once, each within its limit, and all within what hooks and releases leave over. A second signal ends the waiting. */
const drain = (lifecycle: Lifecycle.Shape) =>
  Effect.gen(function* () {
    const { hooks, quiesces, stopping } = lifecycle.internal
    yield* lifecycle.internal.advance("draining")
    const reserveMillis = Hooks.sum(Hooks.due(hooks, "before-release")) + graphReserve(lifecycle)
    yield* Effect.forEach(
      [...quiesces],
      ({ limit, name, run }) =>
        Reported.run(lifecycle, {
          step: { kind: "quiesce", name },
          limitMillis: Duration.toMillis(limit),
          reserveMillis,
          work: Effect.interruptible(run),
          cut: stopping.hurried
        }),
      { concurrency: "unbounded", discard: true }
    )
  })

/** What the graph and the hooks after it need, in milliseconds. */
const graphReserve = ({ internal: { stopping } }: Lifecycle.Shape) =>
  Steps.longestChain(HashSet.fromIterable(stopping.open)) + stopping.tailMillis

/** Hooks, the graph, hooks. Ends when all of it is released or given up, at the deadline, or a second after a hurry. */
const release = (lifecycle: Lifecycle.Shape, scope: Scope.CloseableScope) =>
  Effect.gen(function* () {
    const { hooks, stopping } = lifecycle.internal
    const rescues = yield* Effect.forEach([...stopping.open], (step) =>
      Effect.forkDaemon(Effect.interruptible(startAtTheLatest(lifecycle, step)))
    )
    const graphEnded = yield* Deferred.make<void>()
    const last = yield* Effect.forkDaemon(afterGraph(lifecycle, Deferred.await(graphEnded)))
    yield* Hooks.run(lifecycle, Hooks.due(hooks, "before-release"), graphReserve(lifecycle))
    const outcome = yield* Bounded.run(
      Effect.flatMap(Effect.exit(Scope.close(scope, Exit.void)), (closed) =>
        Effect.zipRight(tellUnnamed(lifecycle, closed), remaining(lifecycle))
      ),
      Effect.zipRight(graphExpiry(lifecycle), lastWord(lifecycle))
    )
    yield* Effect.forEach(rescues, Fiber.interruptFork, { discard: true })
    if (Option.isNone(outcome) || stopping.open.size > 0) {
      yield* lifecycle.emit({ _tag: "StopForced", open: stopping.openNames() })
    }
    yield* Deferred.succeed(graphEnded, void 0)
    yield* Fiber.await(last)
  })

/** Named releases tell of their failures themselves; any that comes out of the scope is of something without a name. */
const tellUnnamed = (lifecycle: Lifecycle.Shape, closed: Exit.Exit<unknown>): Effect.Effect<void> => {
  if (Exit.isSuccess(closed)) return Effect.void
  const step = { kind: "release", name: "an unnamed layer" } as const
  const error = Cause.pretty(closed.cause)
  return Effect.zipRight(
    lifecycle.emit({ _tag: "StepStarted", step, limitMillis: 0 }),
    lifecycle.emit({ _tag: "StepFailed", step, durationMillis: 0, error })
  )
}

/** The hooks after the graph: when it has ended, when their time would otherwise run out, or in a hurry. */
const afterGraph = (lifecycle: Lifecycle.Shape, graphEnded: Effect.Effect<void>) => {
  const { hooks, stopping } = lifecycle.internal
  return Effect.suspend(() => Bounded.until(stopping.deadline() - stopping.tailMillis)).pipe(
    Effect.raceFirst(graphEnded),
    Effect.raceFirst(stopping.hurried),
    Effect.interruptible,
    Effect.zipRight(Effect.suspend(() => Hooks.run(lifecycle, Hooks.due(hooks, "after-release"), 0)))
  )
}

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
  return Effect.suspend(() =>
    Bounded.until(stopping.deadline() - step.limitMillis - step.reserveMillis - stopping.tailMillis)
  ).pipe(Effect.raceFirst(stopping.hurried), Effect.zipRight(step.close(Exit.void)))
}

/**
 * The last releases of a plan that is used up end exactly at the deadline. They have no time left, but get the turn to say so before the whole
 * is called overrun: what has a name is told as timed out, not left open.
 */
const lastWord = ({ internal: { stopping } }: Lifecycle.Shape) =>
  Effect.suspend(() =>
    Effect.forEach([...stopping.open], (step) => step.close(Exit.void), {
      concurrency: "unbounded",
      discard: true
    })
  ).pipe(
    // The scope that waits for them, one inside the other, needs no time either, only turns.
    Effect.zipRight(Effect.repeatN(Effect.yieldNow(), turnsToClose))
  )

/** Ends when the graph has had its time: at the deadline less what the hooks after it need, or at the end of a hurry. */
const graphExpiry = (lifecycle: Lifecycle.Shape) => {
  const { stopping } = lifecycle.internal
  // In a hurry the hooks have begun already: no time is kept for them.
  return Effect.suspend(() =>
    Bounded.until(stopping.deadline() - (stopping.isHurried() ? 0 : stopping.tailMillis))
  ).pipe(
    Effect.raceFirst(
      Effect.zipRight(
        stopping.hurried,
        Effect.suspend(() => Bounded.until(stopping.deadline()))
      )
    )
  )
}
