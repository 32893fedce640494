/**
 * Whether the service should be sent work, and if not, why.
 *
 * Two things must hold: the phase is `ready`, and every check that a layer has added agrees. Checks are asked each time, so they must be
 * quick and must not fail; a check that dies counts as a reason.
 *
 * @module
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { Phase } from "./Phase.js"

/** Something that stands in the way of being ready. */
export interface Obstacle {
  /** The check that speaks, or `phase`. */
  readonly name: string
  /** A sentence for people. */
  readonly reason: string
}

/** The answer. */
export interface Status {
  /** Whether to send work here. */
  readonly ready: boolean
  /** The phase that the answer was given in. */
  readonly phase: Phase
  /** Empty exactly when ready. */
  readonly obstacles: ReadonlyArray<Obstacle>
}

/** A check says nothing when all is well, or why not. */
export type Check = Effect.Effect<Option.Option<string>>

/** The part of `Lifecycle` that is about readiness. */
export interface Shape {
  /** The answer as of now. Never fails. */
  readonly status: Effect.Effect<Status>
  /** Adds a check for as long as the scope is open. Two checks may share a name. */
  readonly add: (name: string, check: Check) => Effect.Effect<void, never, Scope.Scope>
}

/** Readiness over a phase. */
export const make = (phase: Effect.Effect<Phase>): Shape => {
  const checks = new Set<{ readonly name: string; readonly check: Check }>()
  const ask = ({ check, name }: { readonly name: string; readonly check: Check }) =>
    check.pipe(
      Effect.catchAllCause((cause) => Effect.succeed(Option.some(`the check died: ${Cause.pretty(cause)}`))),
      Effect.map(Option.map((reason): Obstacle => ({ name, reason })))
    )
  return {
    status: Effect.gen(function* () {
      const now = yield* phase
      const reasons = yield* Effect.forEach([...checks], ask)
      const obstacles = [
        ...(now === "ready" ? [] : [{ name: "phase", reason: `the service is ${now}` }]),
        ...reasons.flatMap(Option.toArray)
      ]
      return { ready: obstacles.length === 0, phase: now, obstacles }
    }),
    add: (name, check) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const entry = { name, check }
          checks.add(entry)
          return entry
        }),
        (entry) => Effect.sync(() => checks.delete(entry))
      ).pipe(Effect.asVoid)
  }
}
