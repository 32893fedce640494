/**
 * How many requests one client may send.
 *
 * | key | default | allowed |
 * |---|---|---|
 * | `RATE_LIMIT_REQUESTS` | 1200 | 0 (no limit) to 10000000 |
 * | `RATE_LIMIT_KEY_REQUESTS` | 6000 | 0 (no limit) to 10000000 |
 * | `RATE_LIMIT_FAILED_KEYS` | 10 | 0 (no limit) to 10000000 |
 * | `RATE_LIMIT_WINDOW` | 60 s | 1 s to 1 h |
 *
 * @module
 */
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as ConfigText from "../lifecycle/ConfigText.js"
import * as DurationConfig from "../lifecycle/DurationConfig.js"

/** The limits. Each may be used up at once and comes back evenly over the window. */
export interface RateLimitConfig {
  /** Requests of one address without a key that is valid; 0 for any number. `RATE_LIMIT_REQUESTS`, 1200. */
  readonly requests: number
  /** Requests with one of the admin keys, wherever they come from; 0 for any number. `RATE_LIMIT_KEY_REQUESTS`, 6000. */
  readonly keyRequests: number
  /** Wrong keys of one address, before no key of it is looked at; 0 for any number. `RATE_LIMIT_FAILED_KEYS`, 10. */
  readonly failedKeys: number
  /** The time for which the numbers count. `RATE_LIMIT_WINDOW`, 60 s. */
  readonly window: Duration.Duration
}

/** Everything at its default. */
export const defaults: RateLimitConfig = {
  requests: 1200,
  keyRequests: 6000,
  failedKeys: 10,
  window: Duration.minutes(1)
}

const number = (key: string, standard: number) =>
  ConfigText.parsed(key, ConfigText.integer(0, 10_000_000), standard)

/** The keys, read from the environment. */
export const config: Config.Config<RateLimitConfig> = Config.all({
  requests: number("RATE_LIMIT_REQUESTS", defaults.requests),
  keyRequests: number("RATE_LIMIT_KEY_REQUESTS", defaults.keyRequests),
  failedKeys: number("RATE_LIMIT_FAILED_KEYS", defaults.failedKeys),
  window: DurationConfig.duration("RATE_LIMIT_WINDOW", {
    min: Duration.seconds(1),
    max: Duration.hours(1)
  }).pipe(Config.withDefault(defaults.window))
})
