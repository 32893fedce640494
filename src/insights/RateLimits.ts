/**
 * The limits of requests, counted together by all processes that share a Redis.
 *
 * No request waits for Redis. Each process counts by itself and tells Redis a few times a second what was taken; what Redis answers, with what the others took, is
 * what it goes on with. So one client may get as much as the limit from each process within one such moment, and what was too much is missing afterwards: over time
 * it is one limit. While Redis is away, each process has a limit of its own.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as RateLimit from "../http/RateLimit.js"
import type { Buckets } from "../http/RateLimitBuckets.js"
import * as Redis from "../redis/Redis.js"
import * as Script from "../redis/Script.js"

/** Between two times that others are told. */
export const interval = Duration.millis(250)

/** Buckets that one call tells of. What is more waits for the next, which follows at once. */
const mostAtOnce = 500

/** Each bucket is a text, `<tokens> <when, in milliseconds since 1970>`, by Redis's own clock, and gone when it would be full. */
const take = Script.make(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local left = {}
for i, key in ipairs(KEYS) do
  local capacity, window, taken = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local tokens = capacity
  local before, at = string.match(redis.call('GET', key) or '', '^(%S+) (%S+)$')
  if before then
    tokens = math.min(capacity, tonumber(before) + math.max(0, now - tonumber(at)) * capacity / window)
  end
  tokens = math.max(-capacity, tokens - taken)
  local text = string.format('%.3f', tokens)
  redis.call('SET', key, text .. ' ' .. string.format('%.0f', now), 'PX', math.ceil((capacity - tokens) * window / capacity) + 1000)
  left[i] = text
end
return left
`)

/** Tells Redis what was taken and goes on with what it answers. Gives whether there may be more to tell. Never fails: what could not be told is told later. */
export const exchange = (
  redis: Pick<Redis.Shape, "key" | "run">,
  buckets: Buckets,
  now: () => number
): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    const told = buckets.tell(mostAtOnce)
    if (told.length === 0) return false
    const keys = told.map(({ key }) => redis.key("limit", key))
    const args = told.flatMap(({ policy, tokens }) => [policy.capacity, policy.window, tokens])
    const answer = yield* Effect.either(redis.run(take, keys, args))
    if (Either.isLeft(answer)) {
      // It may have been counted although no answer came; then it is counted twice, which errs on the side of the limit.
      buckets.untell(told)
      return false
    }
    const left = answer.right as ReadonlyArray<string>
    told.forEach(({ key }, index) => buckets.settle(key, Number(left[index]), now()))
    return told.length === mostAtOnce
  })

/** Exchanges for as long as the scope is open. */
export const share = (
  redis: Pick<Redis.Shape, "key" | "run">,
  buckets: Buckets
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    buckets.share()
    const all = Effect.repeat(
      exchange(redis, buckets, () => clock.unsafeCurrentTimeMillis()),
      { while: (isMore) => isMore }
    )
    yield* Effect.forkScoped(Effect.repeat(all, Schedule.spaced(interval)))
  })

/** `Authorization` is another's there: the stream of events has a token of its own. */
export const isElsewhere = (path: string): boolean => path.startsWith("/api/events")

/** The limits of the environment, shared where there is a Redis. Fails with `ConfigError`. */
export const layerConfig = Layer.scoped(
  RateLimit.RateLimit,
  Effect.gen(function* () {
    const limit = yield* RateLimit.makeConfig(isElsewhere)
    const redis = yield* Redis.Configured
    if (Option.isSome(redis)) yield* share(redis.value, limit.buckets)
    return limit
  })
)
