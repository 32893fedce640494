/**
 * Background work that stops between units, never inside one (law 8).
 *
 * A task waits for work and then does it, again and again. The wait may be interrupted at any time; a unit runs in a fiber of its own that only
 * a cut can reach, and it is cut only when it outlasts the limit of the drain. So a unit should be one transaction with an interruptible
 * body: then a cut leaves everything as it was before.
 *
 * @module
 */
import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Lifecycle from "./Lifecycle.js"

/** What a task is made of. */
export interface Options<A, E, R> {
  /** How logs and the report call it. */
  readonly name: string
  /** How long a unit that is under way when the drain begins may still take before it is cut. */
  readonly limit: Duration.Duration
  /** Waits for the next piece of work. Interrupted when the task stops; it must not take what it cannot give back. */
  readonly next: Effect.Effect<A, E, R>
  /** Does one piece of work. Not interrupted unless it outlasts the limit. */
  readonly unit: (work: A) => Effect.Effect<void, E, R>
}

/**
 * Runs a task in the current scope and returns at once. It quiesces when the drain begins, and when its scope closes without one. If waiting or working
 * fails, the task ends and the service stops with that failure as its reason; a task that should go on handles its errors inside.
 */
export const run = <A, E, R>(
  options: Options<A, E, R>
): Effect.Effect<void, never, R | Lifecycle.Lifecycle | Scope.Scope> =>
  Effect.gen(function* () {
    const lifecycle = yield* Lifecycle.Lifecycle
    const stopping = yield* Deferred.make<void>()
    const ended = yield* Deferred.make<void>()
    let current: Fiber.RuntimeFiber<void, E> | undefined

    const fail = (cause: Cause.Cause<E>) =>
      lifecycle.stop({ _tag: "WorkerFailed", worker: options.name, cause })

    /** One turn: false when the task is to end. */
    const turn: Effect.Effect<boolean, never, R> = Effect.gen(function* () {
      // Work that is at hand would win the race below, and be lost.
      if (yield* Deferred.isDone(stopping)) return false
      const work = yield* Effect.interruptible(
        Effect.raceFirst(
          Effect.asVoid(Deferred.await(stopping)),
          Effect.map(options.next, (value) => ({ value }))
        )
      ).pipe(Effect.exit)
      if (Exit.isFailure(work)) {
        yield* fail(work.cause)
        return false
      }
      if (work.value === undefined || (yield* Deferred.isDone(stopping))) return false
      current = yield* Effect.forkDaemon(Effect.interruptible(options.unit(work.value.value)))
      const exit = yield* Fiber.await(current)
      current = undefined
      if (Exit.isFailure(exit)) {
        // A unit that was cut has failed by our own hand: that is the drain's to report, not a failure of the worker.
        if (!(yield* Deferred.isDone(stopping)) || !Exit.isInterrupted(exit)) yield* fail(exit.cause)
        return false
      }
      return true
    })

    const loop = Effect.repeat(turn, { while: (goOn) => goOn }).pipe(
      Effect.ensuring(Deferred.succeed(ended, void 0))
    )
    const cut = Effect.suspend(() => (current === undefined ? Effect.void : Fiber.interrupt(current)))
    /** Lets the unit under way finish; interrupting this cuts it. */
    const stop = Effect.zipRight(Deferred.succeed(stopping, void 0), Deferred.await(ended)).pipe(
      Effect.onInterrupt(() => cut)
    )

    // A daemon that the finalizer below ends: a fiber of the scope would be interrupted inside its unit.
    yield* Effect.acquireRelease(Effect.forkDaemon(Effect.uninterruptible(loop)), () =>
      Effect.interruptible(stop)
    )
    yield* lifecycle.addQuiesce({ name: options.name, limit: options.limit, run: stop })
  })
