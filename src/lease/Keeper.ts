/**
 * Keeps a lease that was given: renews it in time, and knows when it is over.
 *
 * Its own idea of the end is never later than the database's: it counts from before a renewal was asked for.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Fence from "./Fence.js"
import * as Leases from "./Leases.js"

/** A lease that is looked after. */
export interface Keeper {
  /** Ends when the lease is lost, with why. Interrupting it is free. */
  readonly lost: Effect.Effect<string>
  /** Whether that has happened. */
  readonly isLost: Effect.Effect<boolean>
  /** For the transactions of whatever runs under the lease; the first that finds it lost also says so here. */
  readonly guard: Fence.Guard
}

/** Looks after a lease until the scope closes. It was asked for at `askedAt`, in milliseconds by the clock. Never fails. */
export const make = (
  leases: Leases.Shape,
  lease: Leases.Lease,
  askedAt: number
): Effect.Effect<Keeper, never, Scope.Scope> =>
  Effect.gen(function* () {
    const lost = yield* Deferred.make<string>()
    const millis = Duration.toMillis(lease.ttl)
    // A third, so that a renewal may fail or be late and there is time for another one.
    const third = Math.floor(millis / 3)
    let validUntil = askedAt + millis
    let failures = 0

    const lose = (why: string) => Deferred.succeed(lost, why)
    const overslept = lose("it was not renewed in time")
    const isOver = Effect.map(Clock.currentTimeMillis, (now) => now >= validUntil)

    const renew = Effect.gen(function* () {
      const asked = yield* Clock.currentTimeMillis
      yield* leases.renew(lease)
      validUntil = asked + millis
      if (failures > 0) yield* Effect.logInfo("Lease is renewed again")
      failures = 0
    }).pipe(
      Effect.catchTags({
        LeaseLost: () => lose("it was taken by another process or has ended"),
        SqlError: (error) => {
          failures += 1
          return failures === 1 ? Effect.logWarning("Lease could not be renewed", error) : Effect.void
        }
      })
    )
    /** How long until the next try: a third of the lease, and sooner when the last one failed. */
    const pause = Effect.suspend(() => Effect.sleep(failures > 0 ? Math.ceil(third / 8) : third))
    const untilOver: Effect.Effect<void> = Effect.flatMap(Clock.currentTimeMillis, (now) =>
      now >= validUntil ? Effect.void : Effect.zipRight(Effect.sleep(validUntil - now), untilOver)
    )
    // A process that was stopped finds its sleep over and its lease as well: it must not try to renew then.
    const turn = Effect.zipRight(
      pause,
      Effect.flatMap(isOver, (over) => (over ? Effect.void : renew))
    )
    yield* Effect.forever(turn).pipe(
      Effect.raceFirst(Effect.zipRight(untilOver, overslept)),
      Effect.raceFirst(Deferred.await(lost)),
      Effect.annotateLogs({ lease: lease.name, epoch: lease.epoch }),
      Effect.interruptible,
      Effect.forkScoped
    )
    const refuse = (why: string) => Effect.zipRight(lose(why), Effect.interrupt)
    return {
      lost: Deferred.await(lost),
      isLost: Deferred.isDone(lost),
      guard: {
        begin: Effect.catchTag(leases.fence(lease), "LeaseLost", () =>
          refuse("a transaction found it taken by another process or ended")
        ),
        end: Effect.flatMap(isOver, (over) =>
          over ? refuse("it ended while a transaction was under way") : Effect.void
        )
      }
    }
  })

/** A guard as the context that hands it down. */
export const fenced = (keeper: Keeper) => Effect.provideService(Fence.Fence, Option.some(keeper.guard))
