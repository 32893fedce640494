/**
 * The fence of whatever runs under a lease, handed down to it with its context, so that the database finds it without anyone in between having to know.
 *
 * What runs under no lease has no fence, and its transactions are as they were.
 *
 * @module
 */
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Transaction } from "./SqlLeases.js"

/** Both ends of a transaction under a lease. Whoever runs it is interrupted where the lease is lost, and so its transaction is rolled back. */
export interface Guard {
  /** The first statement: passes while the lease is held. Fails with `SqlError`. */
  readonly begin: Effect.Effect<void, SqlError>
  /**
   * Before the commit: passes while the lease has not ended by this process's own clock. A process that was stopped inside its transaction has kept everybody
   * else out for as long, so what it did would do no harm; but whoever has slept past its lease should write nothing at all.
   */
  readonly end: Effect.Effect<void>
}

/** The fence of the current fiber, none outside of leases. Fibers that it starts have it too. */
export class Fence extends Context.Reference<Fence>()("stellar-insights/lease/Fence", {
  defaultValue: () => Option.none<Guard>()
}) {}

/**
 * Transactions that begin with the fence of whoever runs them, where there is one. A transaction inside another is part of it and has no fence of its own.
 */
export const guarded =
  (transaction: Transaction): Transaction =>
  <A, E, R>(body: Effect.Effect<A, E, R>) =>
    Effect.flatMap(
      Fence,
      Option.match({
        onNone: () => transaction(body),
        onSome: ({ begin, end }) =>
          transaction(
            begin.pipe(
              Effect.zipRight(Effect.provideService(body, Fence, Option.none())),
              Effect.zipLeft(end)
            )
          )
      })
    )
