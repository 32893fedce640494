/**
 * How long a lease holds, and how often those who wait for one look.
 *
 * | key | default | allowed |
 * |---|---|---|
 * | `LEASE_TTL` | 10 s | 1 s to 10 min |
 * | `LEASE_POLL_INTERVAL` | 250 ms | 10 ms to 1 min |
 *
 * After the kill of a holder nobody works for `LEASE_TTL` at most, so it should be short; but a holder that cannot reach the database for two thirds of it loses
 * its lease, and no transaction under it may take longer than that, so it must not be too short. A look is a read of one row.
 *
 * @module
 */
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as DurationConfig from "../lifecycle/DurationConfig.js"

/** The settings of leases. */
export interface LeaseConfig {
  /** How long a lease holds unless it is renewed, which is tried each third of it. `LEASE_TTL`, 10 s. */
  readonly ttl: Duration.Duration
  /**
   * How long at most until whoever waits has begun with a lease that was given back without a word: looks follow each other after four fifths of it.
   * `LEASE_POLL_INTERVAL`, 250 ms.
   */
  readonly poll: Duration.Duration
}

/** Everything at its default. */
export const defaults: LeaseConfig = { ttl: Duration.seconds(10), poll: Duration.millis(250) }

const ttl: DurationConfig.Bounds = { min: Duration.seconds(1), max: Duration.minutes(10) }
const poll: DurationConfig.Bounds = { min: Duration.millis(10), max: Duration.minutes(1) }

/** The keys, read from the environment. Ends in a `ConfigError` that names the key, its value and what is allowed. */
export const config: Config.Config<LeaseConfig> = Config.all({
  ttl: DurationConfig.duration("LEASE_TTL", ttl).pipe(Config.withDefault(defaults.ttl)),
  poll: DurationConfig.duration("LEASE_POLL_INTERVAL", poll).pipe(Config.withDefault(defaults.poll))
})
