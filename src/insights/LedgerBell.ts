/** Tells whoever waits that a ledger was committed. One bell serves any number of waiters; each costs one deferred's observer. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"

/** The bell. */
export interface LedgerBell {
  /** The highest sequence that it was rung with; undefined before the first. */
  readonly latest: () => number | undefined
  /** Wakes everybody whose ledger this is. A lower sequence than before is ignored. Never fails. */
  readonly ring: (sequence: number) => Effect.Effect<void>
  /** Ends when a ledger later than `sequence` is in, at once when it is in already. Interrupting it is free. */
  readonly awaitAfter: (sequence: number) => Effect.Effect<void>
}

/** A bell that was last rung with `latest`. */
export const make = (latest: number | undefined): LedgerBell => {
  let newest = latest
  let next = Deferred.unsafeMake<void>(FiberId.none)
  const awaitAfter = (sequence: number): Effect.Effect<void> =>
    Effect.suspend(() =>
      newest !== undefined && newest > sequence
        ? Effect.void
        : Effect.flatMap(Deferred.await(next), () => awaitAfter(sequence))
    )
  return {
    latest: () => newest,
    ring: (sequence) =>
      Effect.flatMap(Deferred.make<void>(), (fresh) => {
        if (newest !== undefined && sequence <= newest) return Effect.void
        newest = sequence
        const rung = next
        next = fresh
        return Effect.asVoid(Deferred.succeed(rung, void 0))
      }),
    awaitAfter
  }
}
