/**
 * Whether the service should be sent work, and if not, why; and what it does without while it is.
 *
 * Two things must hold: the phase is `ready`, and every check that a layer has added agrees. What the service can do without is no check but a degradation: it stays
 * ready and says so. Both are asked each time, so they must be quick and must not fail; one that dies counts as a reason.
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

/** Something that is away or works badly, and that the service goes on without. */
export interface Degradation {
  /** What it is. */
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
  /** What it does without at the moment; none of it says whether it is ready. */
  readonly degradations: ReadonlyArray<Degradation>
}

/** A check says nothing when all is well, or why not. */
export type Check = Effect.Effect<Option.Option<string>>

/** The part of `Lifecycle` that is about readiness. */
export interface Shape {
  /** The answer as of now. Never fails. */
  readonly status: Effect.Effect<Status>
  /** Adds a check for as long as the scope is open. Two checks may share a name. */
  readonly add: (name: string, check: Check) => Effect.Effect<void, never, Scope.Scope>
  /** Adds something that the service can do without, for as long as the scope is open: the check says why it has to, or nothing. Two may share a name. */
  readonly addDegradation: (name: string, check: Check) => Effect.Effect<void, never, Scope.Scope>
}

interface Entry {
  readonly name: string
  readonly check: Check
}

/** Readiness over a phase. */
export const make = (phase: Effect.Effect<Phase>): Shape => {
  const checks = new Set<Entry>()
  const degradations = new Set<Entry>()
  const ask = ({ check, name }: Entry) =>
    check.pipe(
      Effect.catchAllCause((cause) => Effect.succeed(Option.some(`the check died: ${Cause.pretty(cause)}`))),
      Effect.map(Option.map((reason) => ({ name, reason })))
    )
  const reasons = (entries: ReadonlySet<Entry>) =>
    Effect.map(
      Effect.suspend(() => Effect.forEach([...entries], ask)),
      (found) => found.flatMap(Option.toArray)
    )
  const addTo = (entries: Set<Entry>) => (name: string, check: Check) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const entry = { name, check }
        entries.add(entry)
        return entry
      }),
      (entry) => Effect.sync(() => entries.delete(entry))
    ).pipe(Effect.asVoid)
  return {
    status: Effect.gen(function* () {
      const now = yield* phase
      const obstacles = [
        ...(now === "ready" ? [] : [{ name: "phase", reason: `the service is ${now}` }]),
        ...(yield* reasons(checks))
      ]
      return {
        ready: obstacles.length === 0,
        phase: now,
        obstacles,
        degradations: yield* reasons(degradations)
      }
    }),
    add: addTo(checks),
    addDegradation: addTo(degradations)
  }
}
