/** How long to wait before asking a server again: its own word where it gave one, else exponentially longer with jitter. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"

/** The first wait, before jitter. */
export const first = Duration.millis(500)

/** No wait of our own is longer, before jitter; reached with the seventh failure in a row. */
export const longest = Duration.seconds(30)

/** A server is not obeyed for longer than this: an absurd date must not look like a dead service. */
export const longestRetryAfter = Duration.minutes(5)

/**
 * The wait a `Retry-After` header asks for (RFC 9110: seconds, or an HTTP date), between {@link first} and {@link longestRetryAfter}; none
 * when there is no such header or it is neither. Never fails.
 */
export const retryAfter = Effect.fnUntraced(function* (header: string | undefined) {
  const text = header?.trim() ?? ""
  const bounded = (millis: number) =>
    Option.some(Duration.clamp(Duration.millis(millis), { minimum: first, maximum: longestRetryAfter }))
  if (/^\d{1,12}$/.test(text)) return bounded(Number(text) * 1000)
  // All three forms of an HTTP date begin with the day of the week.
  const date = /^[A-Za-z]{3,9},? .*\d/.test(text) ? Date.parse(text) : NaN
  if (Number.isNaN(date)) return Option.none<Duration.Duration>()
  return bounded(Math.max(0, date - (yield* Clock.currentTimeMillis)))
})

/**
 * The wait after the given number of failures in a row (1 and more): half of it certain, half of it random, so that many readers do
 * not come back together. Never fails.
 */
export const afterFailures = Effect.fnUntraced(function* (failures: number) {
  const base = Math.min(
    Duration.toMillis(first) * 2 ** Math.min(failures - 1, 30),
    Duration.toMillis(longest)
  )
  return Duration.millis(base * (0.5 + 0.5 * (yield* Random.next)))
})
