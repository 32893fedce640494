/** How Redis is, said once when it changes: in the log, in health, and to whoever waits for it. */
import * as Effect from "effect/Effect"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Stream from "effect/Stream"

/**
 * `connected`: all is well. `degraded`: it is away, does not answer or refuses, and the service goes on without. `down`: the same where the service is not ready
 * without it. `starting`: nothing is known yet.
 */
export type State = "starting" | "connected" | "degraded" | "down"

/** The state and why. */
export interface Standing {
  /** The state. */
  readonly state: State
  /** Why it is not connected; null when it is. */
  readonly reason: string | null
  /** Since when the state is what it is, in milliseconds since 1970. */
  readonly since: number
}

/** The one who knows. */
export interface RedisState {
  /** As of now. Never fails. */
  readonly get: Effect.Effect<Standing>
  /** Notes what is the case now: none is well. Logs a line when that changes the state. Never fails. */
  readonly note: (trouble: string | undefined) => Effect.Effect<void>
  /** Ends when the state is connected, at once when it is. Interrupting it is free. */
  readonly awaitConnected: Effect.Effect<void>
}

/** Begins at `starting`. */
export const make = (where: string, required: boolean): Effect.Effect<RedisState> =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const now = () => clock.unsafeCurrentTimeMillis()
    const away: State = required ? "down" : "degraded"
    const ref = yield* SubscriptionRef.make<Standing>({ state: "starting", reason: null, since: now() })

    const log = (before: Standing, after: Standing) => {
      const lasted = before.state === "starting" ? {} : { after_ms: after.since - before.since }
      const told = (event_type: string) =>
        Effect.annotateLogs({
          event_type,
          redis: where,
          ...lasted,
          ...(after.reason === null ? {} : { reason: after.reason })
        })
      switch (after.state) {
        case "connected":
          return Effect.logInfo("Redis is connected").pipe(told("redis_connected"))
        case "down":
          return Effect.logError("Redis is away; the service is not ready without it").pipe(
            told("redis_down")
          )
        default:
          return Effect.logWarning("Redis is away; the service goes on without it").pipe(
            told("redis_degraded")
          )
      }
    }

    return {
      get: SubscriptionRef.get(ref),
      note: (trouble) =>
        Effect.gen(function* () {
          const before = yield* SubscriptionRef.get(ref)
          const state = trouble === undefined ? "connected" : away
          const isNew = state !== before.state
          const after = { state, reason: trouble ?? null, since: isNew ? now() : before.since } as const
          if (!isNew && after.reason === before.reason) return
          yield* SubscriptionRef.set(ref, after)
          if (isNew) yield* log(before, after)
        }),
      awaitConnected: ref.changes.pipe(
        Stream.takeUntil(({ state }) => state === "connected"),
        Stream.runDrain
      )
    }
  })
