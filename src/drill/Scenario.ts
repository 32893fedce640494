/**
 * A way to load a service around its signal, and what it has in hand for it.
 *
 * @module
 */
import type * as Subject from "./Subject.js"
import type { Target, Targets } from "./Targets.js"
import type { Connection } from "./wire/Connection.js"
import type { Exchange } from "./wire/Exchange.js"
import type { Sent } from "./wire/Outcome.js"

/** A way to load a service around its signal. */
export interface Scenario {
  /** In kebab case; unique. */
  readonly id: string
  /** What happens, in a line. */
  readonly title: string
  /** Numbers of the catalogue of shutdowns that went wrong that it covers; empty for plain loads. */
  readonly scenarios: ReadonlyArray<number>
  /** The paths without which it is skipped, by name and reason. */
  readonly needs: ReadonlyArray<Target>
  /** Environment of the service in this scenario, over that of the drill; for services that know the keys. */
  readonly settings?: Readonly<Record<string, string>>
  /** It outlasts the grace: where the drill was told how to give the service a short grace, it runs with that. Default false. */
  readonly shortGrace?: boolean
  /** When `run` begins: once the service is ready (the default), or as soon as its process was started. */
  readonly begins?: "ready" | "started"
  /**
   * Exit codes or names of signals that are right after this scenario, for example of a second signal; those of the drill when absent, `any` when there
   * is nothing to say.
   */
  readonly exits?: ReadonlyArray<number | string> | "any"
  /** Whether hung requests and a process that has to be killed are losses (the default), or what the scenario is about: then only its expectations count. */
  readonly lossesCount?: boolean
  /** Resolves when nothing more will be sent. Must call `terminate` once at least. What it throws is a failed expectation called `scenario`. */
  readonly run: (stop: Stop) => Promise<void>
}

/** How long the service may take, what paths it has, and all that happens between its start and its end. */
export interface Stop {
  /** The paths of the service; what the scenario `needs` is there. */
  readonly targets: Targets
  /** Address of the service. */
  readonly host: string
  /** Port of the service. */
  readonly port: number
  /** How long the service may take from the signal to its exit, in milliseconds; it is killed soon after. */
  readonly graceMillis: number
  /** How many kept-alive clients a heavy load has. */
  readonly connections: number
  /** Uniform in [0, 1), from the seed. */
  readonly random: () => number
  /** Facts beside the requests: milliseconds, or words to be counted over the stops. */
  readonly notes: Record<string, number | string>
  /** The exchange for a path that is given: GET, or POST for `echo` and `upload`, with the check that the caller brought. `millis` fills `{ms}`. */
  readonly exchange: (target: Target, options?: ExchangeOptions) => Exchange
  /** Opens a connection; undefined when it was refused, which is recorded as a refused request under `kind` where one is given. */
  readonly connect: (kind?: string) => Promise<Connection | undefined>
  /** Sends a request and records it. */
  readonly ask: (connection: Connection, exchange: Exchange) => Promise<Sent>
  /** Sends requests in one write, before an answer to any, and records them. */
  readonly pipeline: (
    connection: Connection,
    exchanges: ReadonlyArray<Exchange>
  ) => Promise<ReadonlyArray<Sent>>
  /** Records what a scenario did by itself with bytes, as if by `ask`. */
  readonly record: (sent: Sent) => void
  /** Waits, but no longer than the connection lives. */
  readonly pause: (millis: number, connection?: Connection) => Promise<void>
  /** Sends the drill's signal, once: later calls do nothing. */
  readonly terminate: () => void
  /** Sends any signal, as often as it is called; the first of all signals sent is the one that times are relative to. */
  readonly signal: (name: NodeJS.Signals) => void
  /** When the first signal was sent, of `performance.now()`; undefined before. */
  readonly signalledAt: () => number | undefined
  /** Milliseconds since the first signal; 0 before. */
  readonly sinceSignal: () => number
  /** The exit of the service, also when it had to be killed. */
  readonly exited: Promise<Subject.Exit>
  /** The median of how long the service took to be ready in this drill so far, in milliseconds; undefined where that is not known yet. */
  readonly usualReadyMillis: number | undefined
  /** Resolves with the milliseconds from the start of the process until it was ready; rejects when it ends before. */
  readonly ready: Promise<number>
  /** Says what the scenario found: `name` the same for every stop, `detail` of this one. One that is not `ok` fails the drill. */
  readonly expect: (name: string, ok: boolean, detail?: string) => void
  /** Starts the service once more after it has exited and resolves with the milliseconds until it is ready; it is killed at the end. Rejects when it is not. */
  readonly restart: () => Promise<number>
}

/** What may be chosen of an exchange. */
export interface ExchangeOptions {
  /** Fills `{ms}` of the path; 500 when absent. */
  readonly millis?: number
  /** How long the body is sent, in 20 pieces; at once when absent. */
  readonly sendMillis?: number
  /** Bytes of the body of a POST; 64 Ki for `upload`, 1 Ki else. */
  readonly bytes?: number
  /** Statuses that are right; 200 to 299 when absent. */
  readonly accept?: ReadonlyArray<number>
  /** See {@link Exchange}. */
  readonly onBody?: (piece: Buffer) => void
  /** See {@link Exchange}. */
  readonly headers?: Readonly<Record<string, string>>
}

/** `count` values, made of their index. */
export const times = <A>(count: number, make: (i: number) => A): Array<A> =>
  Array.from({ length: count }, (_, i) => make(i))
