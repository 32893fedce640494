/**
 * How long to wait before the next attempt: a random time up to a bound that doubles with every attempt. Clients that lost their server in the same
 * moment do not come back in the same moment.
 *
 * @module
 */

/** How a client backs off. */
export interface Backoff {
  /** The bound of the first wait, in milliseconds. 1000. */
  readonly baseMs?: number
  /** What the bound grows to, in milliseconds. 30000. */
  readonly capMs?: number
  /** How long a connection must last for the next wait to be a first one again, in milliseconds. 10000. */
  readonly resetAfterMs?: number
}

/** All of it said. */
export const defaults: Required<Backoff> = { baseMs: 1000, capMs: 30_000, resetAfterMs: 10_000 }

/** The wait after `failures` attempts in a row that came to nothing, in milliseconds. `random` gives numbers from 0 to 1, without 1. */
export const delay = (backoff: Required<Backoff>, failures: number, random: () => number): number =>
  Math.floor(random() * Math.min(backoff.capMs, backoff.baseMs * 2 ** Math.min(failures, 30)))
