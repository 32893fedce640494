/** One term after the other: waiting for the lease, having it, giving it back or losing it, and waiting again. */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Bounded from "../lifecycle/Bounded.js"
import * as Keeper from "./Keeper.js"
import type * as LeaseBoard from "./LeaseBoard.js"
import type * as Leases from "./Leases.js"
import type * as Standby from "./Standby.js"
import type * as Term from "./Term.js"
import type * as Wake from "./Wake.js"

/** How long giving a lease back may take, in milliseconds; then it ends by itself. A locked database must not hold up a stop. */
const releaseMillis = 1000

/** How long waking others may take, in milliseconds. */
const notifyMillis = 500

/** The pause after a term that could not be built: 1 s at first, doubled each time, a minute at most. */
const pauseMillis = (failures: number): number => Math.min(60_000, 500 * 2 ** failures)

/** What the terms of a lease are made of. */
export interface Parts<E> {
  /** The lease. */
  readonly name: string
  /** Where it is kept. */
  readonly leases: Leases.Shape
  /** Who is told when it is free. */
  readonly wake: Wake.Shape
  /** Where it shows. */
  readonly tracker: LeaseBoard.Tracker
  /** Waits for it. */
  readonly standby: Standby.Standby
  /** Builds what stands in for the tasks. */
  readonly buildStandby: Effect.Effect<unknown, never, Scope.Scope>
  /** One term under a lease that is being kept. */
  readonly term: (keeper: Keeper.Keeper) => Effect.Effect<Term.End<E>>
  /** Done when the service stops. */
  readonly stopping: Deferred.Deferred<void>
  /** Done when it is clear for the first time whether the tasks run here. */
  readonly settled: Deferred.Deferred<void, E>
}

/** Gives a lease back and wakes the next one. In a fiber of its own: whoever asks may have been interrupted, and the lease must go all the same. */
const giveBack = <E>({ tracker, wake }: Parts<E>, release: Effect.Effect<void, unknown>, name: string) =>
  Effect.gen(function* () {
    const outcome = yield* Bounded.run(Effect.interruptible(release), Effect.sleep(releaseMillis))
    if (Option.isNone(outcome) || Exit.isFailure(outcome.value)) {
      return yield* Effect.logWarning(
        "Lease could not be given back: it ends by itself",
        ...Option.toArray(Option.flatMap(outcome, Exit.causeOption))
      ).pipe(Effect.annotateLogs({ event_type: "lease_not_released" }))
    }
    yield* tracker.note("ended")
    // Before anybody is told, so that its time is before that of what the next one says.
    yield* Effect.logInfo("Lease given back").pipe(Effect.annotateLogs({ event_type: "lease_released" }))
    yield* Bounded.run(Effect.interruptible(wake.notify(name)), Effect.sleep(notifyMillis))
  })

/** Waits for the lease, with what stands in for the tasks meanwhile. None when the service stops. */
const waited = <E>({ buildStandby, settled, standby, stopping, tracker }: Parts<E>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const scope = yield* Effect.scope
      let shown = false
      const onStandby = (held: Option.Option<Leases.Held>) =>
        Effect.gen(function* () {
          yield* tracker.note("standby", Option.getOrUndefined(held))
          if (shown) return
          shown = true
          yield* Scope.extend(buildStandby, scope)
          yield* Effect.logInfo("On standby for a lease").pipe(
            Effect.annotateLogs(
              Option.match(held, {
                onNone: () => ({ event_type: "lease_standby" }),
                onSome: ({ epoch, holder }) => ({ event_type: "lease_standby", holder, epoch })
              })
            )
          )
          yield* Deferred.succeed(settled, void 0)
        })
      return yield* Effect.raceFirst(
        Effect.as(Deferred.await(stopping), Option.none<Standby.Given>()),
        Effect.map(standby.wait(onStandby), Option.some)
      )
    })
  ).pipe(Effect.interruptible)

/** One term, from the lease that was given until it is given back or lost. */
const held = <E>(parts: Parts<E>, { askedAt, lease }: Standby.Given) =>
  Effect.gen(function* () {
    const { leases, name, term, tracker } = parts
    const begun = yield* Clock.currentTimeMillis
    yield* parts.standby.taken
    yield* tracker.note("held", lease)
    yield* Effect.logInfo("Lease acquired").pipe(Effect.annotateLogs({ event_type: "lease_acquired" }))
    const end = yield* Effect.scoped(Effect.flatMap(Keeper.make(leases, lease, askedAt), term))
    const heldMillis = (yield* Clock.currentTimeMillis) - begun
    if (end._tag === "Lost") {
      yield* tracker.lost
      yield* tracker.note("standby")
      yield* Effect.logWarning("Lease lost").pipe(
        Effect.annotateLogs({ event_type: "lease_lost", why: end.why, heldMillis })
      )
    } else {
      yield* giveBack(parts, leases.release(lease), name).pipe(Effect.annotateLogs({ heldMillis }))
    }
    return end
  }).pipe(Effect.annotateLogs({ epoch: lease.epoch, holder: lease.holder }))

/** Term after term, until the service stops. To be run uninterruptible. Never fails. */
export const serve = <E>(parts: Parts<E>): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { leases, name, settled, standby, stopping } = parts
    let failures = 0
    for (;;) {
      const given = yield* waited(parts)
      if (Option.isNone(given)) break
      const end = yield* held(parts, given.value)
      if (end._tag === "Stopped") break
      if (end._tag === "Lost") continue
      // The first one fails the start, as the tasks themselves would. Later the service has other things to do, and the lease is for whoever can use it.
      if (yield* Deferred.failCause(settled, end.cause)) break
      failures += 1
      const pause = pauseMillis(failures)
      yield* Effect.logError("What runs under the lease could not be built", end.cause).pipe(
        Effect.annotateLogs({ failures, retryInMillis: pause })
      )
      yield* Effect.interruptible(Effect.raceFirst(Deferred.await(stopping), Effect.sleep(pause)))
    }
    // A wait that was interrupted between question and answer may have been given the lease.
    const stray = yield* Bounded.run(Effect.interruptible(standby.withdraw), Effect.sleep(releaseMillis))
    const lease = Option.flatMap(stray, (exit) => (Exit.isSuccess(exit) ? exit.value : Option.none()))
    if (Option.isSome(lease)) yield* giveBack(parts, leases.release(lease.value), name)
  })
