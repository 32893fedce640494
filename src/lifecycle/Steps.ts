/**
 * The named releases of one run, and who comes before whom.
 *
 * The layer graph itself cannot be asked for its edges. But whatever a layer was built on has been built before it, and a `FiberRef` that
 * collects what was built is replayed by the memo map to every user of a shared layer, while siblings do not see each other. So at
 * the start of a build the collected set is exactly what will be released after it.
 */
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as HashSet from "effect/HashSet"

/** A named release that is still due. */
export interface ReleaseStep {
  readonly name: string
  /** What it was promised, in milliseconds. */
  readonly limitMillis: number
  /** The named releases that wait for this one. */
  readonly after: HashSet.HashSet<ReleaseStep>
  /** The longest chain of limits among {@link after}: what must be left on the clock when this one ends. */
  readonly reserveMillis: number
  /** Releases it, within its limit; returns when it is released or given up. However often it runs, it releases once. */
  readonly close: (exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void>
}

/** What the current fiber has built so far. */
export const built: FiberRef.FiberRef<HashSet.HashSet<ReleaseStep>> = FiberRef.unsafeMakeHashSet(
  HashSet.empty<ReleaseStep>()
)

/** The longest chain of limits among steps, each of which knows its own chain already. */
export const longestChain = (steps: HashSet.HashSet<ReleaseStep>): number =>
  HashSet.reduce(steps, 0, (longest, step) => Math.max(longest, step.limitMillis + step.reserveMillis))
