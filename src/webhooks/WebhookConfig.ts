/**
 * How webhooks are delivered.
 *
 * | key | default | allowed |
 * |---|---|---|
 * | `WEBHOOK_ALLOW_HTTP` | `false` | `true`, `false` |
 * | `WEBHOOK_ALLOW_PRIVATE` | `false` | `true`, `false`, or ranges of addresses such as `10.1.0.0/16, fd00::/8` |
 * | `WEBHOOK_TIMEOUT` | 10 s | 100 ms to 1 min |
 * | `WEBHOOK_CONCURRENCY` | 32 | 1 to 1000 |
 * | `WEBHOOK_PER_ENDPOINT` | 4 | 1 to 100 |
 * | `WEBHOOK_SECRET_OVERLAP` | 24 h | 0 to 30 days |
 * | `WEBHOOK_RETENTION` | 7 days | 1 h to 3650 days |
 * | `WEBHOOK_MAX_WAITING` | 100000 | 1 to 10000000 |
 *
 * @module
 */
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as ConfigText from "../lifecycle/ConfigText.js"
import * as DurationConfig from "../lifecycle/DurationConfig.js"
import * as IpAddress from "../net/IpAddress.js"
import type * as Address from "./Address.js"
import type { Policy } from "./Endpoint.js"

/** The settings of webhooks. */
export interface WebhookConfig extends Policy {
  /** Webhooks may go to plain http. `WEBHOOK_ALLOW_HTTP`, false. */
  readonly allowHttp: boolean
  /** Addresses that lead inside and are allowed all the same. `WEBHOOK_ALLOW_PRIVATE`, none. */
  readonly allowPrivate: Address.Allowed
  /** From the begin of an attempt (name, connection) to the end of its answer. `WEBHOOK_TIMEOUT`, 10 s. */
  readonly timeout: Duration.Duration
  /** Attempts under way at once, all endpoints together. `WEBHOOK_CONCURRENCY`, 32. */
  readonly concurrency: number
  /** The same at one endpoint (scheme, host and port). `WEBHOOK_PER_ENDPOINT`, 4. */
  readonly perEndpoint: number
  /** How long the old secret of a subscription still signs after it was changed. `WEBHOOK_SECRET_OVERLAP`, 24 h. */
  readonly secretOverlap: Duration.Duration
  /** How long deliveries that are over are kept. `WEBHOOK_RETENTION`, 7 days. */
  readonly retention: Duration.Duration
  /** Deliveries that may wait for one subscription; one more, and it is switched off. `WEBHOOK_MAX_WAITING`, 100000. */
  readonly maxWaiting: number
}

/** Everything at its default. */
export const defaults: WebhookConfig = {
  allowHttp: false,
  allowPrivate: false,
  timeout: Duration.seconds(10),
  concurrency: 32,
  perEndpoint: 4,
  secretOverlap: Duration.hours(24),
  retention: Duration.days(7),
  maxWaiting: 100_000
}

const allowed = (text: string): Either.Either<Address.Allowed, string> => {
  if (text === "true" || text === "false") return Either.right(text === "true")
  const ranges: Array<IpAddress.Range> = []
  for (const one of text.split(",")) {
    const range = IpAddress.parseRange(one.trim())
    if (range === undefined) {
      return Either.left(
        `"${one.trim()}" is no range of addresses; allowed are true, false, or ranges such as 10.1.0.0/16, separated by commas`
      )
    }
    ranges.push(range)
  }
  return Either.right(ranges)
}

const time = (key: string, min: Duration.Duration, max: Duration.Duration, standard: Duration.Duration) =>
  DurationConfig.duration(key, { min, max }).pipe(Config.withDefault(standard))

/** The keys, read from the environment. Ends in a `ConfigError` that names the key and what is allowed. */
export const config: Config.Config<WebhookConfig> = Config.all({
  allowHttp: ConfigText.parsed("WEBHOOK_ALLOW_HTTP", ConfigText.truth, defaults.allowHttp),
  allowPrivate: ConfigText.parsed("WEBHOOK_ALLOW_PRIVATE", allowed, defaults.allowPrivate),
  timeout: time("WEBHOOK_TIMEOUT", Duration.millis(100), Duration.minutes(1), defaults.timeout),
  concurrency: ConfigText.parsed("WEBHOOK_CONCURRENCY", ConfigText.integer(1, 1000), defaults.concurrency),
  perEndpoint: ConfigText.parsed("WEBHOOK_PER_ENDPOINT", ConfigText.integer(1, 100), defaults.perEndpoint),
  secretOverlap: time("WEBHOOK_SECRET_OVERLAP", Duration.zero, Duration.days(30), defaults.secretOverlap),
  retention: time("WEBHOOK_RETENTION", Duration.hours(1), Duration.days(3650), defaults.retention),
  maxWaiting: ConfigText.parsed("WEBHOOK_MAX_WAITING", ConfigText.integer(1, 10_000_000), defaults.maxWaiting)
})
