/** One computation a key: who asks while one is under way waits for that one. */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"

/** Computations under way. */
export interface SingleFlight {
  /**
   * Runs `work`, or waits for the one that runs under the same key, which must be of the same type, and calls `joined`. All get its result, also when it fails. When
   * the one who runs it is interrupted, one of those who wait runs its own. `work` must not ask for its own key.
   */
  readonly run: <A, E, R>(
    key: string,
    work: Effect.Effect<A, E, R>,
    joined?: () => void
  ) => Effect.Effect<A, E, R>
}

/** None under way. */
export const make = (): SingleFlight => {
  // What was called off has no result to share.
  const flights = new Map<string, Deferred.Deferred<Option.Option<Exit.Exit<never, never>>>>()

  const run: SingleFlight["run"] = <A, E, R>(
    key: string,
    work: Effect.Effect<A, E, R>,
    joined: () => void = () => {}
  ): Effect.Effect<A, E, R> =>
    Effect.uninterruptibleMask((restore) => {
      const underWay = flights.get(key)
      if (underWay !== undefined) {
        return Effect.flatMap(
          restore(Deferred.await(underWay)),
          Option.match({
            onNone: () => restore(run(key, work, joined)),
            onSome: (exit) => {
              joined()
              return exit as Exit.Exit<A, E>
            }
          })
        )
      }
      const flight = Deferred.unsafeMake<Option.Option<Exit.Exit<never, never>>>(FiberId.none)
      flights.set(key, flight)
      return Effect.onExit(restore(work), (exit) =>
        Effect.sync(() => {
          flights.delete(key)
          const isCalledOff = Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause)
          const shared = isCalledOff ? Option.none() : Option.some(exit as Exit.Exit<never, never>)
          Deferred.unsafeDone(flight, Effect.succeed(shared))
        })
      )
    })

  return { run }
}
