/**
 * How long each stage of a stop may take, and what happens to requests meanwhile.
 *
 * Every key has its default on its own leaf, so that a half-set group never turns into all defaults without a word.
 *
 * @module
 */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as DurationConfig from "./DurationConfig.js"

/** What a request gets that arrives on an open connection after the stop has begun. */
export type NewRequests =
  /** It is served, with `Connection: close`. */
  | "serve"
  /** GET, HEAD and OPTIONS are served; anything else gets 503 with `Retry-After`. */
  | "read-only"
  /** 503 with `Retry-After`. */
  | "reject"

/** The stages that a limit can be set for. */
export interface Stages {
  /** Bound of requests in flight, while draining. `SHUTDOWN_GRACEFUL_TIMEOUT`, 30 s. */
  readonly graceful: Duration.Duration
  /** Bound of tasks that finish their unit while draining, and of consumers that flush while releasing. `SHUTDOWN_BACKGROUND_TIMEOUT`, 10 s. */
  readonly background: Duration.Duration
  /** Bound of goodbyes and close handshakes of WebSockets. `SHUTDOWN_WEBSOCKET_TIMEOUT`, 5 s. */
  readonly websocket: Duration.Duration
  /** Bound of the cache's last commands and its disconnection. `SHUTDOWN_CACHE_TIMEOUT`, the database's limit. */
  readonly cache: Duration.Duration
  /** Bound of the database's last work and closing. `SHUTDOWN_DB_TIMEOUT`, 5 s. */
  readonly database: Duration.Duration
  /** Bound of the exporters' last flush. `SHUTDOWN_TELEMETRY_TIMEOUT`, 2 s. */
  readonly telemetry: Duration.Duration
}

/** What was configured; which of it fits together is for `Budget` to say. */
export interface ShutdownConfig {
  /** Time between readiness turning red and the drain, for balancers to look away. `SHUTDOWN_ANNOUNCE_DELAY`, 0 s. */
  readonly announceDelay: Duration.Duration
  /** Limits that were set; a missing one takes its default, or its share of {@link total}. */
  readonly stages: { readonly [K in keyof Stages]: Option.Option<Duration.Duration> }
  /** The whole stop. `SHUTDOWN_TIMEOUT`; when unset it is derived from the stages. */
  readonly total: Option.Option<Duration.Duration>
  /** What the orchestrator allows before it kills. `TERMINATION_GRACE_PERIOD`; must be longer than the whole when it is given. */
  readonly terminationGracePeriod: Option.Option<Duration.Duration>
  /** How long an idle connection stays open after the drain began. `SHUTDOWN_IDLE_GRACE`, 1 s, or half of {@link Stages.graceful} where that is less. */
  readonly idleGrace: Option.Option<Duration.Duration>
  /** `SHUTDOWN_NEW_REQUESTS`, `serve`. */
  readonly newRequests: NewRequests
  /** Whether requests in flight are waited for. `SHUTDOWN_WAIT_FOR_CONNECTIONS`, true; false interrupts them at once (relaxes law 7). */
  readonly waitForConnections: boolean
  /** Whether the whole limit ends the stop. `SHUTDOWN_FORCE_AFTER_TIMEOUT`, true; false only warns, once a second (relaxes law 2). */
  readonly forceAfterTimeout: boolean
}

const flag = (key: string, standard: boolean): Config.Config<boolean> =>
  Config.string(key).pipe(
    Config.mapOrFail((text) =>
      text === "true" || text === "false"
        ? Either.right(text === "true")
        : Either.left(ConfigError.InvalidData([], `"${text}" is neither; allowed are true, false`))
    ),
    Config.withDefault(standard)
  )

const stage = (key: string) => Config.option(DurationConfig.duration(key, DurationConfig.positive))

/** The keys, read from the environment. */
export const config: Config.Config<ShutdownConfig> = Config.all({
  announceDelay: DurationConfig.duration("SHUTDOWN_ANNOUNCE_DELAY", DurationConfig.upToAnHour).pipe(
    Config.withDefault(Duration.zero)
  ),
  stages: Config.all({
    graceful: stage("SHUTDOWN_GRACEFUL_TIMEOUT"),
    background: stage("SHUTDOWN_BACKGROUND_TIMEOUT"),
    websocket: stage("SHUTDOWN_WEBSOCKET_TIMEOUT"),
    cache: stage("SHUTDOWN_CACHE_TIMEOUT"),
    database: stage("SHUTDOWN_DB_TIMEOUT"),
    telemetry: stage("SHUTDOWN_TELEMETRY_TIMEOUT")
  }),
  total: Config.option(DurationConfig.duration("SHUTDOWN_TIMEOUT", DurationConfig.positive)),
  terminationGracePeriod: Config.option(
    DurationConfig.duration("TERMINATION_GRACE_PERIOD", DurationConfig.positive)
  ),
  idleGrace: Config.option(DurationConfig.duration("SHUTDOWN_IDLE_GRACE", DurationConfig.upToAnHour)),
  newRequests: Config.literal(
    "serve",
    "read-only",
    "reject"
  )("SHUTDOWN_NEW_REQUESTS").pipe(Config.withDefault("serve" as const)),
  waitForConnections: flag("SHUTDOWN_WAIT_FOR_CONNECTIONS", true),
  forceAfterTimeout: flag("SHUTDOWN_FORCE_AFTER_TIMEOUT", true)
})

/** Everything at its default. */
export const defaults: ShutdownConfig = {
  announceDelay: Duration.zero,
  stages: {
    graceful: Option.none(),
    background: Option.none(),
    websocket: Option.none(),
    cache: Option.none(),
    database: Option.none(),
    telemetry: Option.none()
  },
  total: Option.none(),
  terminationGracePeriod: Option.none(),
  idleGrace: Option.none(),
  newRequests: "serve",
  waitForConnections: true,
  forceAfterTimeout: true
}
