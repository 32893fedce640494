/**
 * One term: what runs under a lease, from the moment it was given until nothing of it is left.
 *
 * Everything is built into a scope of its own, under a fence and with a `Lifecycle` of its own that knows who has to finish what. The end of the service lets units
 * finish and closes the scope, and only then is the lease given back. A lease that is lost leaves no time for that: units are cut.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Lifecycle from "../lifecycle/Lifecycle.js"
import * as Keeper from "./Keeper.js"

/** What a term is about. */
export interface Options<E, R> {
  /** What runs. */
  readonly tasks: Layer.Layer<never, E, R>
  /** What is done first, under the lease, before anything is built. */
  readonly begin: Effect.Effect<void>
  /** What it is built on, besides the life of the service. */
  readonly context: Context.Context<Exclude<R, Lifecycle.Lifecycle>>
  /** The life of the service. */
  readonly lifecycle: Lifecycle.Shape
  /** Whoever looks after the lease. */
  readonly keeper: Keeper.Keeper
  /** Everything is built. */
  readonly onBuilt: Effect.Effect<void>
  /** Ends when the term is to end in peace: units finish. */
  readonly stopping: Effect.Effect<void>
  /** Ends when there is no more time to finish anything. */
  readonly hurry: Effect.Effect<void>
}

/** How a term ended. Nothing of it is left in any case. */
export type End<E> =
  | { readonly _tag: "Stopped" }
  | { readonly _tag: "Lost"; readonly why: string }
  | { readonly _tag: "NotBuilt"; readonly cause: Cause.Cause<E> }

/** What finishes its work at a stop. */
interface Work {
  readonly all: Set<Lifecycle.Quiesce>
  /** Those that the service has told to. It gives each of them its limit, and tells by name which of them had to be cut. */
  readonly finishing: Set<Lifecycle.Quiesce>
}

/** The service's life as seen from inside: what finishes its work at a stop is remembered, and a worker that ends with the lease has not failed. */
const lifecycleOf = (lifecycle: Lifecycle.Shape, keeper: Keeper.Keeper, work: Work): Lifecycle.Shape => ({
  ...lifecycle,
  addQuiesce: (quiesce) =>
    Effect.suspend(() => {
      work.all.add(quiesce)
      const run = Effect.zipRight(
        Effect.sync(() => work.finishing.add(quiesce)),
        quiesce.run
      )
      return lifecycle.addQuiesce({ ...quiesce, run })
    }),
  stop: (reason) =>
    reason._tag === "WorkerFailed" && Cause.isInterruptedOnly(reason.cause)
      ? Effect.unlessEffect(lifecycle.stop(reason), keeper.isLost)
      : lifecycle.stop(reason)
})

/** Begins what a quiesce does and interrupts it, which cuts what it waits for. */
const cutOne = ({ run }: Lifecycle.Quiesce) =>
  Effect.gen(function* () {
    const begun = yield* Deferred.make<void>()
    // One that was interrupted before it began would cut nothing.
    const fiber = yield* Effect.fork(
      Effect.interruptible(Effect.zipRight(Deferred.succeed(begun, void 0), run))
    )
    yield* Deferred.await(begun)
    yield* Fiber.interrupt(fiber)
  })

/** Runs a term. To be run uninterruptible: it ends by its options alone. Never fails. */
export const run = <E, R>(options: Options<E, R>): Effect.Effect<End<E>> =>
  Effect.gen(function* () {
    const { hurry, keeper, stopping } = options
    const work: Work = { all: new Set(), finishing: new Set() }
    const scope = yield* Scope.make()
    const context = Context.add(
      options.context,
      Lifecycle.Lifecycle,
      lifecycleOf(options.lifecycle, keeper, work)
      // What is excluded from a type is added again, which the compiler cannot follow.
    ) as Context.Context<Exclude<R, Lifecycle.Lifecycle> | Lifecycle.Lifecycle> as Context.Context<R>
    // A fiber of its own, so that what it sets in fiber refs ends with it.
    const building = yield* Effect.zipRight(options.begin, Layer.buildWithScope(options.tasks, scope)).pipe(
      Keeper.fenced(keeper),
      Effect.provide(context),
      Effect.interruptible,
      Effect.fork
    )
    const built: Effect.Effect<End<E>> = Effect.flatMap(Fiber.await(building), (exit) =>
      Exit.isSuccess(exit)
        ? Effect.zipRight(options.onBuilt, Effect.never)
        : Effect.succeed({ _tag: "NotBuilt", cause: exit.cause })
    )
    const end = yield* Effect.raceFirst(
      Effect.raceFirst(
        Effect.as(stopping, { _tag: "Stopped" } as End<E>),
        Effect.map(keeper.lost, (why): End<E> => ({ _tag: "Lost", why }))
      ),
      built
    ).pipe(Effect.interruptible)

    const cut = (which: (quiesce: Lifecycle.Quiesce) => boolean) =>
      Effect.suspend(() =>
        Effect.forEach([...work.all].filter(which), cutOne, { concurrency: "unbounded", discard: true })
      )
    const cutter = yield* Effect.raceFirst(
      Effect.as(hurry, (quiesce: Lifecycle.Quiesce) => !work.finishing.has(quiesce)),
      Effect.as(keeper.lost, () => true)
    ).pipe(Effect.interruptible, Effect.flatMap(cut), Effect.fork)
    yield* Fiber.interrupt(building)
    // Finalizers that write are under the fence as well.
    const closed = yield* Effect.exit(Keeper.fenced(keeper)(Scope.close(scope, Exit.void)))
    yield* Fiber.interrupt(cutter)
    if (Exit.isFailure(closed))
      yield* Effect.logWarning("Something under the lease ended badly", closed.cause)
    return (yield* keeper.isLost) ? { _tag: "Lost", why: yield* keeper.lost } : end
  })
