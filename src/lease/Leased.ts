/**
 * Layers that run in one process at a time.
 *
 * `Leased.layer({ name, … })(tasks)` builds `tasks` while this process has the lease of that name, and tears them down when it has not: a process that waits for it
 * is on standby, and ready for everything else.
 *
 * At a stop the tasks finish what is in hand, each within its own limit, and are closed; then the lease is given back; then whoever waits for it is woken. In that order:
 * nothing of one holder is left when the next one begins. Where that cannot be, since a task hangs, the lease is not given back: it ends when it is no longer renewed,
 * which is when the process is gone. A lease that is lost (the process was stopped, or could not reach the database for too long) ends the tasks at once; what they had
 * not committed by then is rolled back, and their fence lets nothing more pass. Then the process waits for the lease again.
 *
 * A process on standby is ready. One that cannot even ask is not, since then nobody may be at work: a full disk is seen by those who look at readiness.
 *
 * What `tasks` need comes from outside and outlives each term; what they provide themselves is built anew in each.
 *
 * @module
 */
import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { randomUUID } from "node:crypto"
import * as Lifecycle from "../lifecycle/Lifecycle.js"
import * as Phase from "../lifecycle/Phase.js"
import * as Holder from "./Holder.js"
import * as LeaseBoard from "./LeaseBoard.js"
import type * as LeaseConfig from "./LeaseConfig.js"
import * as Leases from "./Leases.js"
import * as Standby from "./Standby.js"
import * as Succession from "./Succession.js"
import * as Term from "./Term.js"
import * as Wake from "./Wake.js"

/** What runs under which lease. */
export interface Options<RS = never> {
  /** The name of the lease: the same in all processes that share the work. */
  readonly name: string
  /** How long it holds, and how often to look for it. */
  readonly config: LeaseConfig.LeaseConfig
  /** How long a stop may take from the begin of the drain until the lease is given back: the limit of the slowest task, since they finish side by side. */
  readonly limit: Duration.Duration
  /** How this process calls itself, and whom it knows to be gone. Default: by something unique alone, and nobody. */
  readonly holder?: Holder.Holder
  /** What stands here while another process has the lease, such as the tasks on the board as waiting for it. Built anew each time. Default: nothing. */
  readonly standby?: Layer.Layer<never, never, RS>
  /**
   * What a process that has waited for the lease does first when it gets it, under the lease: work that cannot wait until the tasks are built. Interrupted when the
   * lease is lost or the service stops. Default: nothing.
   */
  readonly begin?: Effect.Effect<void, never, RS>
}

/** What a leased layer needs: what its tasks and its stand-in need, and what it works with. */
export type Requirements<R, RS> =
  | Exclude<R, Lifecycle.Lifecycle>
  | RS
  | Leases.Leases
  | Wake.Wake
  | LeaseBoard.LeaseBoard
  | Lifecycle.Lifecycle

/** Runs `tasks` under the lease, in the current scope. See {@link layer}. */
export const make = <E, R, RS = never>(
  options: Options<RS>,
  tasks: Layer.Layer<never, E, R>
): Effect.Effect<void, E, Requirements<R, RS> | Scope.Scope> =>
  Effect.gen(function* () {
    const { config, name } = options
    const lifecycle = yield* Lifecycle.Lifecycle
    const leases = yield* Leases.Leases
    const wake = yield* Wake.Wake
    const context = yield* Effect.context<Requirements<R, RS>>()
    const outside = yield* Effect.scope
    const stopping = yield* Deferred.make<void>()
    const hurry = yield* Deferred.make<void>()
    const ended = yield* Deferred.make<void>()
    const settled = yield* Deferred.make<void, E>()
    const tracker = yield* LeaseBoard.track(name)
    yield* Effect.flatMap(LeaseBoard.LeaseBoard, (board) => board.add(tracker.status))

    const { isGone, label } = options.holder ?? Holder.named("")
    const standby = Standby.make({
      leases,
      name,
      holder: `${label}#${randomUUID().slice(0, 13)}`,
      isGone,
      config,
      // Before the first look, so that no word is missed.
      word: yield* wake.listen(name),
      isWanted: Effect.map(lifecycle.phase, (phase) => !Phase.isAtLeast(phase, "announcing"))
    })
    yield* lifecycle.readiness.add(`lease ${name}`, standby.trouble)
    const parts: Succession.Parts<E> = {
      name,
      leases,
      wake,
      tracker,
      standby,
      buildStandby: Effect.provide(Layer.build(options.standby ?? Layer.empty), context),
      term: (keeper) =>
        Term.run({
          tasks,
          begin: Effect.provide(options.begin ?? Effect.void, context),
          context,
          lifecycle,
          keeper,
          onBuilt: Deferred.succeed(settled, void 0),
          stopping: Deferred.await(stopping),
          hurry: Deferred.await(hurry)
        }),
      stopping,
      settled
    }
    const died = (cause: Cause.Cause<never>) =>
      Effect.zipRight(
        lifecycle.stop({ _tag: "WorkerFailed", worker: `lease ${name}`, cause }),
        Deferred.failCause(settled, cause)
      )
    /** Lets the tasks finish and gives the lease back; interrupting this cuts them. */
    const stop = Effect.zipRight(Deferred.succeed(stopping, void 0), Deferred.await(ended)).pipe(
      Effect.onInterrupt(() => Deferred.succeed(hurry, void 0))
    )
    const serving = Succession.serve(parts).pipe(
      Effect.annotateLogs({ lease: name }),
      Effect.catchAllCause(died),
      Effect.ensuring(Effect.zipRight(Deferred.succeed(settled, void 0), Deferred.succeed(ended, void 0))),
      Effect.uninterruptible,
      Effect.forkIn(outside)
    )
    // In one step: the scope would wait for ever for a fiber that nobody has told to stop.
    yield* Effect.acquireRelease(serving, () => stop)
    yield* lifecycle.addQuiesce({ name: `lease ${name}`, limit: options.limit, run: stop })
    yield* Deferred.await(settled)
  }).pipe(Effect.annotateLogs({ component: "Lease" }))

/**
 * `tasks`, in one process at a time. It is acquired when it is clear whether this is the one: then the tasks have been built, and it fails where they do; or another
 * process has the lease, or the database could not be asked, and it goes on waiting. Tasks that cannot be built later are logged, and the lease is given back and asked for
 * again after a pause. A stop during the acquisition lets go of everything.
 */
export const layer =
  <RS = never>(options: Options<RS>) =>
  <E, R>(tasks: Layer.Layer<never, E, R>): Layer.Layer<never, E, Requirements<R, RS>> =>
    Layer.scopedDiscard(make(options, tasks))
