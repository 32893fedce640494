/**
 * A circuit breaker that knows when the service stops.
 *
 * Whoever calls something outside asks it first. After a number of failures in a row it refuses calls for a while, so that a partner in trouble is left alone and
 * callers fail at once instead of waiting. From `draining` on it refuses every new call for good: a call that begins then could only be cut. Calls
 * under way go on.
 *
 * `closed → open → half-open → closed` (the one call that is let through succeeded) or `→ open` (it failed).
 *
 * @module
 */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Bounded from "./Bounded.js"
import * as Lifecycle from "./Lifecycle.js"
import * as Phase from "./Phase.js"

/** The call was not made. */
export class CircuitOpen extends Data.TaggedError("CircuitOpen")<{
  /** The breaker's name. */
  readonly name: string
  /** `failures`: too many in a row, try again later. `stopping`: the service stops, do not try again here. */
  readonly reason: "failures" | "stopping"
}> {
  /** The same for people. */
  override get message(): string {
    return this.reason === "stopping"
      ? `${this.name} is not called any more: the service is stopping`
      : `${this.name} is not called for now: it failed too often`
  }
}

/** How a breaker decides. */
export interface Options {
  /** What is called, as logs and errors name it. */
  readonly name: string
  /** How many failures in a row open it; less than 1 counts as 1. Default 5. */
  readonly failures?: number
  /** How long it stays open before one call is let through to try. Default 30 s. */
  readonly cooldown?: Duration.Duration
  /**
   * Whether what a call ended in speaks against the partner; what does not, counts as a success. Default: every failure and defect. An interruption counts neither way, and is
   * not asked about.
   */
  readonly isFailure?: (cause: Cause.Cause<unknown>) => boolean
}

/** What a breaker does with the next call: `closed` makes it, `open` and `stopping` refuse it, `half-open` is trying one and refuses others. */
export type State = "closed" | "open" | "half-open" | "stopping"

/** A breaker for one partner. */
export interface CircuitBreaker {
  /** Makes the call, or fails with {@link CircuitOpen} at once. Interrupting it interrupts the call. */
  readonly protect: <A, E, R>(call: Effect.Effect<A, E, R>) => Effect.Effect<A, E | CircuitOpen, R>
  /** The state as of now. Never fails. */
  readonly state: Effect.Effect<State>
}

/** A breaker that is closed, and stays so while nothing fails. When its scope closes it refuses what comes after, as if the service stopped. */
export const make = (
  options: Options
): Effect.Effect<CircuitBreaker, never, Lifecycle.Lifecycle | Scope.Scope> =>
  Effect.gen(function* () {
    const lifecycle = yield* Lifecycle.Lifecycle
    const { isFailure = () => true, name } = options
    const threshold = Math.max(1, options.failures ?? 5)
    const cooldownMillis = Duration.toMillis(options.cooldown ?? Duration.seconds(30))
    let failuresInRow = 0
    /** Until when it refuses, in milliseconds by the clock; undefined when closed. */
    let openUntil: number | undefined
    let isTrying = false
    /** Counts openings and closings: the end of a call that began before the last one says nothing about now. */
    let generation = 0
    let isGone = false

    const isStopping = () => isGone || Phase.isAtLeast(lifecycle.unsafePhase(), "draining")

    const log = (level: "info" | "warning", message: string, event_type: string) =>
      (level === "info" ? Effect.logInfo(message) : Effect.logWarning(message)).pipe(
        Effect.annotateLogs({ component: "lifecycle", event_type, circuit: name })
      )

    const open = Effect.flatMap(Bounded.now, (now) => {
      generation += 1
      openUntil = now + cooldownMillis
      return log("warning", "circuit opened: too many failures in a row", "circuit_opened")
    })

    const close = Effect.suspend(() => {
      generation += 1
      openUntil = undefined
      return log("info", "circuit closed: calls are made again", "circuit_closed")
    })

    /** Lets a call begin and says under which generation, or refuses it. */
    const admit = Effect.flatMap(Bounded.now, (now) => {
      const refuse = (reason: CircuitOpen["reason"]) => Effect.fail(new CircuitOpen({ name, reason }))
      if (isStopping()) return refuse("stopping")
      if (openUntil === undefined) return Effect.succeed({ began: generation, isTrial: false })
      if (now < openUntil || isTrying) return refuse("failures")
      isTrying = true
      return Effect.succeed({ began: generation, isTrial: true })
    })

    const settle = (began: number, isTrial: boolean, exit: Exit.Exit<unknown, unknown>) =>
      Effect.suspend(() => {
        if (isTrial) isTrying = false
        // A trial that was interrupted has shown nothing: the next call is the trial.
        if (began !== generation || (Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause))) {
          return Effect.void
        }
        if (Exit.isFailure(exit) && isFailure(exit.cause)) {
          failuresInRow += 1
          return isTrial || failuresInRow >= threshold ? open : Effect.void
        }
        failuresInRow = 0
        return isTrial ? close : Effect.void
      })

    yield* Effect.addFinalizer(() => Effect.sync(() => void (isGone = true)))

    return {
      protect: (call) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.flatMap(admit, ({ began, isTrial }) =>
            Effect.onExit(restore(call), (exit) => settle(began, isTrial, exit))
          )
        ),
      state: Effect.map(Bounded.now, (now): State => {
        if (isStopping()) return "stopping"
        if (openUntil === undefined) return "closed"
        return isTrying || now >= openUntil ? "half-open" : "open"
      })
    }
  })
