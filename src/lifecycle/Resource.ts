/**
 * A layer with a name, and a release that ends.
 *
 * `named("database", { limit })(layer)` behaves as `layer` does, but its release is bounded, told to subscribers, and known to the stop, which keeps
 * its time free. What the layer needs must be provided from outside: if a shared dependency were wrapped in with it and the release given up,
 * the dependency's count of users would never fall, and it would never be closed.
 *
 * @module
 */
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as HashSet from "effect/HashSet"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Bounded from "./Bounded.js"
import * as Lifecycle from "./Lifecycle.js"
import * as Reported from "./Reported.js"
import * as Steps from "./Steps.js"

/** How a named layer is bounded. */
export interface Options {
  /** How long the release may take. When it overruns it is asked to stop, named as timed out, and no longer awaited. */
  readonly limit: Duration.Duration
}

/** An acquisition did not end within `STARTUP_TIMEOUT`. Whatever it still yields is released on arrival. */
export class AcquisitionTimedOut extends Data.TaggedError("AcquisitionTimedOut")<{
  /** The name that the layer was given. */
  readonly resource: string
  /** A sentence with the name and the time that it had. */
  readonly message: string
}> {}

/**
 * Names a layer. The result fails as `layer` does, or with {@link AcquisitionTimedOut}. A stop during the acquisition interrupts it and waits for
 * what it holds, for `limit` at most.
 */
export const named =
  (name: string, options: Options) =>
  <A, E, R>(layer: Layer.Layer<A, E, R>): Layer.Layer<A, E | AcquisitionTimedOut, R | Lifecycle.Lifecycle> =>
    Layer.scopedContext(
      Effect.gen(function* () {
        const lifecycle = yield* Lifecycle.Lifecycle
        const memoMap = yield* Layer.CurrentMemoMap
        const after = yield* FiberRef.get(Steps.built)
        const inner = yield* Scope.make()
        const step = yield* makeStep(lifecycle, name, options, inner, after)
        // The close is registered before anything is acquired, so an acquisition that is given up is closed as well.
        yield* Effect.addFinalizer(step.close)
        const context = yield* acquire(
          lifecycle,
          name,
          options,
          Layer.buildWithMemoMap(layer, memoMap, inner)
        )
        yield* FiberRef.update(Steps.built, HashSet.add(step))
        return context
      })
    )

/** The bounded release of `inner`, counted among what is open until it has ended. */
const makeStep = (
  lifecycle: Lifecycle.Shape,
  name: string,
  options: Options,
  inner: Scope.CloseableScope,
  after: HashSet.HashSet<Steps.ReleaseStep>
): Effect.Effect<Steps.ReleaseStep> =>
  Effect.gen(function* () {
    const { stopping } = lifecycle.internal
    const limitMillis = Duration.toMillis(options.limit)
    const reserveMillis = Steps.longestChain(after)
    const closed = yield* Deferred.make<void>()
    let begun = false
    const release = (exit: Exit.Exit<unknown, unknown>) =>
      Reported.run(lifecycle, {
        step: { kind: "release", name },
        limitMillis,
        reserveMillis: reserveMillis + stopping.tailMillis,
        work: Scope.close(inner, exit)
      })
    const step: Steps.ReleaseStep = {
      name,
      limitMillis,
      after,
      reserveMillis,
      // The scope's own closing, a latest start and a hurried stop may all ask; the first one releases, the others wait for it.
      close: (exit) =>
        Effect.suspend(() => {
          if (begun) return Deferred.await(closed)
          begun = true
          return release(exit).pipe(
            Effect.zipRight(
              Effect.suspend(() => {
                stopping.open.delete(step)
                return Deferred.succeed(closed, void 0)
              })
            ),
            Effect.uninterruptible
          )
        })
    }
    stopping.open.add(step)
    return step
  })

/** Builds in a fiber of its own, which can be given up, and takes over what it did to fiber refs. */
const acquire = <A, E, R>(
  lifecycle: Lifecycle.Shape,
  name: string,
  options: Options,
  build: Effect.Effect<A, E, R>
): Effect.Effect<A, E | AcquisitionTimedOut, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const { startDeadline } = lifecycle.internal
      const start = yield* Bounded.now
      const settled = yield* Deferred.make<Option.Option<Exit.Exit<A, E>>>()
      // Transplanted: fibers that the layer forks belong to whoever builds, not to this fiber, which ends with the build.
      const fiber = yield* Effect.transplant((graft) => Effect.forkDaemon(restore(graft(build))))
      fiber.addObserver((exit) => Deferred.unsafeDone(settled, Effect.succeed(Option.some(exit))))
      const giveUpAfter = (patience: Effect.Effect<void>) =>
        patience.pipe(
          Effect.zipRight(Deferred.succeed(settled, Option.none())),
          Effect.interruptible,
          Effect.forkDaemon
        )
      const startTimer = yield* giveUpAfter(Bounded.until(startDeadline))
      const waited = yield* Effect.exit(restore(Deferred.await(settled)))
      yield* Fiber.interruptFork(startTimer)
      if (Exit.isFailure(waited)) {
        // Called off. What is uninterruptible in the acquisition may finish; it has the limit of its release for that.
        yield* Fiber.interruptFork(fiber)
        const calledOff = yield* Bounded.now
        // A second signal cuts this waiting short as well.
        const timer = yield* giveUpAfter(
          Effect.raceFirst(Effect.sleep(options.limit), lifecycle.internal.stopping.hurried)
        )
        const outcome = yield* Deferred.await(settled)
        yield* Fiber.interruptFork(timer)
        if (Option.isNone(outcome)) {
          const limitMillis = (yield* Bounded.now) - calledOff
          yield* lifecycle.emit({ _tag: "AcquisitionGivenUp", name, limitMillis })
        }
        return yield* Effect.failCause(waited.cause)
      }
      const now = yield* Bounded.now
      if (Option.isNone(waited.value)) {
        yield* Fiber.interruptFork(fiber)
        const limitMillis = now - start
        yield* lifecycle.emit({ _tag: "AcquisitionGivenUp", name, limitMillis })
        const message = `${name} was not acquired within STARTUP_TIMEOUT (it had ${Math.round(limitMillis)} ms of it)`
        return yield* new AcquisitionTimedOut({ resource: name, message })
      }
      if (Exit.isSuccess(waited.value.value)) {
        yield* Fiber.inheritAll(fiber)
        yield* lifecycle.emit({ _tag: "Acquired", name, durationMillis: now - start })
      }
      return yield* waited.value.value
    })
  )
