/** Redis in `/health`, as the section `redis`: how it is, why, and what became of its commands. Nothing where there is none. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as HealthDetails from "../http/HealthDetails.js"
import * as Redis from "../redis/Redis.js"

/** Adds the section for as long as it is open. */
export const layer: Layer.Layer<never, never, HealthDetails.HealthDetails | Redis.Configured> =
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const health = yield* HealthDetails.HealthDetails
      const redis = yield* Redis.Configured
      if (Option.isSome(redis))
        yield* health.add(
          "redis",
          Effect.map(redis.value.status, (status) => ({ ...status }))
        )
    })
  )
