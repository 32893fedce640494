/**
 * Waiting that ends.
 *
 * A finalizer runs uninterruptible, so a plain timeout around it would wait for the very thing that hangs. Here the work runs in a fiber
 * of its own, and one deferred is settled by whichever comes first: its end, or the word that it has had its time.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"

/** Milliseconds by Effect's clock, with the fractions that the clock has. */
export const now: Effect.Effect<number> = Effect.map(Clock.currentTimeNanos, (nanos) => Number(nanos) / 1e6)

/** Ends at a moment, in milliseconds by the clock; never, for one that is infinitely far away. Interrupting it is free. */
export const until = (at: number): Effect.Effect<void> =>
  at === Number.POSITIVE_INFINITY
    ? Effect.never
    : Effect.flatMap(now, (from) => Effect.sleep(Math.max(0, at - from)))

/**
 * Runs `work` and waits for its exit, but no longer than until `expired` ends. Then the work is asked to stop (interruption reaches the
 * parts of it that allow it), no longer awaited, and the answer is none. Never fails, and cannot be interrupted: it is bounded by `expired`.
 */
export const run = <A, E, R>(
  work: Effect.Effect<A, E, R>,
  expired: Effect.Effect<unknown>
): Effect.Effect<Option.Option<Exit.Exit<A, E>>, never, R> =>
  Effect.uninterruptible(
    Effect.gen(function* () {
      const settled = yield* Deferred.make<Option.Option<Exit.Exit<A, E>>>()
      // A daemon: it must be able to outlive the scope that is being closed around it, since that is what giving up means.
      const fiber = yield* Effect.forkDaemon(work)
      fiber.addObserver((exit) => Deferred.unsafeDone(settled, Effect.succeed(Option.some(exit))))
      const timer = yield* Effect.interruptible(expired).pipe(
        Effect.zipRight(Deferred.succeed(settled, Option.none())),
        Effect.forkDaemon
      )
      const outcome = yield* Deferred.await(settled)
      yield* Option.isSome(outcome) ? Fiber.interruptFork(timer) : Fiber.interruptFork(fiber)
      return outcome
    })
  )
