/** The clockwork of one stop: when it must be over, what is still open, and whether somebody is in a hurry. For this library's own modules. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Bounded from "./Bounded.js"
import type { Step } from "./LifecycleEvent.js"
import type { ReleaseStep } from "./Steps.js"

/** What a hurried stop still gives all that is left, together, in milliseconds (law 5). */
export const hurriedMillis = 1000

/** One per run of a service. */
export interface Stopping {
  /** When the whole must be over, in milliseconds by the clock; infinite until a stop begins. */
  readonly deadline: () => number
  /** Names the moment. The first call counts. */
  readonly begin: (deadlineMillis: number) => void
  /** Completes when somebody cuts the waiting short. */
  readonly hurried: Effect.Effect<void>
  /** Whether it has been cut short. */
  readonly isHurried: () => boolean
  /** Cuts the waiting short: whatever is left is bounded by {@link hurriedMillis} from now. Idempotent. */
  readonly hurry: Effect.Effect<void>
  /** The named releases that are still due. */
  readonly open: Set<ReleaseStep>
  /** Every quiesce, release and hook that has begun and not ended, and when it began. */
  readonly running: Map<Step, number>
  /** What has not ended, by name: what runs, then what is due. */
  readonly openNames: () => ReadonlyArray<string>
  /** What must be left on the clock when the graph is released: the limits of the hooks that come after it, in milliseconds. */
  tailMillis: number
  /** Ends when something that began now and may take `limitMillis` has had its time: by its limit, the whole's, or the hurry's. */
  readonly expiry: (limitMillis: number, reserveMillis: number) => Effect.Effect<void>
  /** The limit that {@link expiry} comes to as of now, in milliseconds. */
  readonly limit: (limitMillis: number, reserveMillis: number) => Effect.Effect<number>
}

/** A clockwork at rest. */
export const make: Effect.Effect<Stopping> = Effect.gen(function* () {
  let deadline = Number.POSITIVE_INFINITY
  let isHurried = false
  const hurried = yield* Deferred.make<void>()
  // In a hurry everything that is left starts at once, so nothing has to keep time for what comes after it.
  const limit = (limitMillis: number, reserveMillis: number) =>
    Effect.map(Bounded.now, (now) =>
      Math.max(0, Math.min(limitMillis, deadline - now - (isHurried ? 0 : reserveMillis)))
    )
  const open = new Set<ReleaseStep>()
  const running = new Map<Step, number>()
  return {
    running,
    tailMillis: 0,
    openNames: () => {
      const names = new Set<string>()
      for (const { kind, name } of running.keys()) names.add(kind === "release" ? name : `${name} (${kind})`)
      for (const { name } of open) names.add(name)
      return [...names]
    },
    deadline: () => deadline,
    begin: (at) => {
      if (deadline === Number.POSITIVE_INFINITY) deadline = at
    },
    hurried: Deferred.await(hurried),
    isHurried: () => isHurried,
    hurry: Effect.flatMap(Bounded.now, (now) => {
      if (!isHurried) deadline = Math.min(deadline, now + hurriedMillis)
      isHurried = true
      return Deferred.succeed(hurried, void 0)
    }),
    open,
    limit,
    expiry: (limitMillis, reserveMillis) =>
      Effect.flatMap(limit(limitMillis, reserveMillis), (millis) =>
        Effect.raceFirst(
          Effect.sleep(millis),
          Effect.zipRight(
            Deferred.await(hurried),
            Effect.flatMap(limit(limitMillis, 0), (left) => Effect.sleep(left))
          )
        )
      )
  }
})
