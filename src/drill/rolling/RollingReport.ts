/** What a run of rolling restarts comes to. */
import type { Seen } from "./Balancer.js"

/** One restart. Times are milliseconds since its signal; `at` since the load began. */
export interface Restart {
  readonly replica: string
  readonly at: number
  /** The balancer had stopped choosing it; null when it never noticed. */
  readonly seenDown: number | null
  /** The process was gone. */
  readonly exit: number
  /** Its exit code, the signal that ended it, or `killed` when it was not gone in time. */
  readonly how: string
  /** The next process answered that it is ready. */
  readonly ready: number
  /** The balancer chose it again. */
  readonly up: number
}

/** A request that was lost. */
export interface Lost {
  readonly kind: string
  readonly outcome: string
  /** Status of the answer, where there was one. */
  readonly status: number | null
  /** How the connection to the balancer ended, where it did. */
  readonly ending: string | null
  /** When it was sent, milliseconds since the load began. */
  readonly at: number
  /** From then to its end, in milliseconds. */
  readonly took: number
  /** What was going on when it ended: a replica `stopping`, `gone` until its successor is ready, or `unseen` by the balancer until it is chosen again; else `nothing`. */
  readonly during: During
}

/** What may be going on. */
export type During = "stopping" | "gone" | "unseen" | "nothing"

/** A whole run. */
export interface RollingReport {
  readonly name: string
  /** Id of the balancer's setup. */
  readonly setup: string
  /** The balancer's version. */
  readonly balancer: string
  /** The balancer's configuration file. */
  readonly configuration: string
  /** What the service was given beside its port. */
  readonly env: Readonly<Record<string, string>>
  /** Requests that were sent. */
  readonly requests: number
  /** Those that are not complete, and those that could not be sent in the end. */
  readonly lost: number
  /** The losses, at most 200. */
  readonly losses: ReadonlyArray<Lost>
  /** Losses by what was going on. */
  readonly during: Readonly<Record<During, number>>
  /** All requests, by method and path. */
  readonly kinds: Readonly<Record<string, number>>
  /** Requests that were due, for which no connection became free until the end. */
  readonly unsent: number
  /** Milliseconds from when a request was due to its whole answer, of those that have one. */
  readonly latency: { readonly median: number; readonly p99: number; readonly longest: number }
  readonly restarts: ReadonlyArray<Restart>
  /** What the balancer counted, by replica. */
  readonly counted: Readonly<Record<string, Seen>>
  /** The last of what the balancer logged: requests that failed or were tried again, checks that changed their mind. */
  readonly log: ReadonlyArray<string>
  /** Duration of the load. */
  readonly seconds: number
}

/** What was going on at `at`, milliseconds since the load began. */
export const during = (restarts: ReadonlyArray<Restart>, at: number): During => {
  const restart = restarts.findLast((it) => it.at <= at)
  const since = restart === undefined ? Infinity : at - restart.at
  if (restart === undefined || since > restart.up) return "nothing"
  return since <= restart.exit ? "stopping" : since <= restart.ready ? "gone" : "unseen"
}

/** The sample below which the part `q` of sorted samples lies; 0 for none. */
export const quantile = (sorted: ReadonlyArray<number>, q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0
