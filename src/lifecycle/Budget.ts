/**
 * One whole for the stop, and every stage's share of it.
 *
 * The whole is the announce delay plus the longest path through the stages: draining takes as long as the slower of requests and tasks,
 * releasing walks the listener, background flushes, WebSockets, then cache and database side by side, then the listener of health and telemetry. When `SHUTDOWN_TIMEOUT` is given
 * and shorter than that, the stages that were not set shrink in proportion; those that were set stay. What cannot fit is refused
 * before the service is ready, with the sum.
 *
 * @module
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as DurationConfig from "./DurationConfig.js"
import * as ExitCode from "./ExitCode.js"
import * as ShutdownConfig from "./ShutdownConfig.js"

/** The limits that a stop runs under. */
export interface Shape {
  /** Time between readiness turning red and the drain. */
  readonly announceDelay: Duration.Duration
  /** Limit of each stage, after fitting it into the whole. */
  readonly stages: ShutdownConfig.Stages
  /** From the signal to the end, at most. */
  readonly whole: Duration.Duration
  /** How long an idle connection stays open after the drain began. */
  readonly idleGrace: Duration.Duration
  /** Whether the whole was set, or is what the stages add up to. */
  readonly wholeIsSet: boolean
  /** What a request gets that arrives after the stop has begun. */
  readonly newRequests: ShutdownConfig.NewRequests
  /** Whether requests in flight are waited for; when not, they are interrupted as soon as the drain begins. */
  readonly waitForConnections: boolean
  /** Whether the whole limit ends the stop; when not, it only warns. */
  readonly forceAfterTimeout: boolean
  /** The sum in words, a line a step, for `config check`. */
  readonly arithmetic: ReadonlyArray<string>
}

/** The budget of the service. Layers take the limit of the stage that they belong to from it. */
export class Budget extends Context.Tag("stellar-insights/lifecycle/Budget")<Budget, Shape>() {}

/** The stages do not fit into the whole, or the whole not into what the orchestrator allows. The message is the arithmetic. */
export class BudgetRefused extends Data.TaggedError("BudgetRefused")<{
  /** The sum, and what could be changed. */
  readonly message: string
}> {
  /** Configuration: 2. */
  readonly [ExitCode.symbol] = ExitCode.invalid
}

/** Stages at their defaults; the cache's is the database's. */
export const defaultStages: Omit<ShutdownConfig.Stages, "cache"> = {
  graceful: Duration.seconds(30),
  background: Duration.seconds(10),
  websocket: Duration.seconds(5),
  database: Duration.seconds(5),
  telemetry: Duration.seconds(2)
}

/** A stage that has shrunk below this has no chance to do anything. */
const leastStageMillis = 50

const keys: { readonly [K in keyof ShutdownConfig.Stages]: string } = {
  graceful: "SHUTDOWN_GRACEFUL_TIMEOUT",
  background: "SHUTDOWN_BACKGROUND_TIMEOUT",
  websocket: "SHUTDOWN_WEBSOCKET_TIMEOUT",
  cache: "SHUTDOWN_CACHE_TIMEOUT",
  database: "SHUTDOWN_DB_TIMEOUT",
  telemetry: "SHUTDOWN_TELEMETRY_TIMEOUT"
}

/**
 * The limit of a listener's release, of what is left of the stage that it shares: by then its requests have been answered or cut, and letting go of sockets
 * is all there is to do.
 */
export const listener = (stage: Duration.Duration): Duration.Duration =>
  Duration.min(Duration.seconds(1), stage)

const listenerMillis = (stage: number): number => Duration.toMillis(listener(Duration.millis(stage)))

type Millis = { readonly [K in keyof ShutdownConfig.Stages]: number }

/** The longest path through the stages, in milliseconds. */
const path = (s: Millis): number =>
  Math.max(s.graceful, s.background) +
  listenerMillis(s.websocket) +
  s.background +
  s.websocket +
  Math.max(s.cache, s.database) +
  listenerMillis(s.telemetry) +
  s.telemetry

const seconds = (millis: number): string => DurationConfig.format(Duration.millis(millis))

const sum = (announce: number, s: Millis): string =>
  `${seconds(announce)} announce + max(${seconds(s.graceful)} requests, ${seconds(s.background)} tasks) + ${seconds(listenerMillis(s.websocket))} listener + ` +
  `${seconds(s.background)} flush + ` +
  `${seconds(s.websocket)} websocket + max(${seconds(s.cache)} cache, ${seconds(s.database)} database) + ` +
  `${seconds(listenerMillis(s.telemetry))} health + ${seconds(s.telemetry)} telemetry = ${seconds(announce + path(s))}`

/** The stages with every unset one scaled by `factor`. */
const scaled = (config: ShutdownConfig.ShutdownConfig, factor: number): Millis => {
  const pick = (set: Option.Option<Duration.Duration>, standard: number) =>
    Option.match(set, { onSome: Duration.toMillis, onNone: () => Math.floor(standard * factor) })
  const database = pick(config.stages.database, Duration.toMillis(defaultStages.database))
  return {
    graceful: pick(config.stages.graceful, Duration.toMillis(defaultStages.graceful)),
    background: pick(config.stages.background, Duration.toMillis(defaultStages.background)),
    websocket: pick(config.stages.websocket, Duration.toMillis(defaultStages.websocket)),
    cache: Option.match(config.stages.cache, { onSome: Duration.toMillis, onNone: () => database }),
    database,
    telemetry: pick(config.stages.telemetry, Duration.toMillis(defaultStages.telemetry))
  }
}

/** The largest factor, at most 1, with which the stages fit into `room` milliseconds. The path rises with it, so halving finds it. */
const fit = (config: ShutdownConfig.ShutdownConfig, room: number): number => {
  if (path(scaled(config, 1)) <= room) return 1
  let low = 0
  let high = 1
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2
    if (path(scaled(config, middle)) <= room) low = middle
    else high = middle
  }
  return low
}

/** Fits what was configured into one whole, or says why it cannot be. */
export const derive = (config: ShutdownConfig.ShutdownConfig): Either.Either<Shape, BudgetRefused> => {
  const refuse = (message: string) => Either.left(new BudgetRefused({ message }))
  const announce = Duration.toMillis(config.announceDelay)
  const asked = scaled(config, 1)
  const whole = Option.match(config.total, {
    onSome: Duration.toMillis,
    onNone: () => announce + path(asked)
  })
  const fitted = scaled(config, fit(config, whole - announce))
  const starved = (Object.keys(keys) as Array<keyof typeof keys>).filter(
    (stage) => Option.isNone(config.stages[stage]) && fitted[stage] < leastStageMillis
  )
  if (announce + path(fitted) > whole || starved.length > 0) {
    return refuse(
      `SHUTDOWN_TIMEOUT=${seconds(whole)} is too short for what is set: ${sum(announce, starved.length > 0 ? asked : fitted)}; ` +
        `raise SHUTDOWN_TIMEOUT or lower SHUTDOWN_ANNOUNCE_DELAY, ${Object.values(keys).join(", ")}`
    )
  }
  const idle = Option.match(config.idleGrace, {
    onSome: Duration.toMillis,
    onNone: () => Math.min(1000, fitted.graceful / 2)
  })
  if (idle > fitted.graceful) {
    return refuse(
      `SHUTDOWN_IDLE_GRACE=${seconds(idle)} is longer than SHUTDOWN_GRACEFUL_TIMEOUT=${seconds(fitted.graceful)}, within which connections must be gone`
    )
  }
  if (
    Option.isSome(config.terminationGracePeriod) &&
    Duration.toMillis(config.terminationGracePeriod.value) <= whole
  ) {
    return refuse(
      `TERMINATION_GRACE_PERIOD=${seconds(Duration.toMillis(config.terminationGracePeriod.value))} must be longer than the whole stop: ${sum(announce, fitted)}` +
        (Option.isSome(config.total) ? `, SHUTDOWN_TIMEOUT=${seconds(whole)}` : "")
    )
  }
  const shrunk = path(fitted) < path(asked)
  return Either.right({
    announceDelay: config.announceDelay,
    stages: {
      graceful: Duration.millis(fitted.graceful),
      background: Duration.millis(fitted.background),
      websocket: Duration.millis(fitted.websocket),
      cache: Duration.millis(fitted.cache),
      database: Duration.millis(fitted.database),
      telemetry: Duration.millis(fitted.telemetry)
    },
    whole: Duration.millis(whole),
    idleGrace: Duration.millis(idle),
    wholeIsSet: Option.isSome(config.total),
    newRequests: config.newRequests,
    waitForConnections: config.waitForConnections,
    forceAfterTimeout: config.forceAfterTimeout,
    arithmetic: [
      ...(shrunk ? [`asked for: ${sum(announce, asked)}`, `SHUTDOWN_TIMEOUT allows ${seconds(whole)}`] : []),
      sum(announce, fitted),
      `the whole stop ends within ${seconds(whole)}; the orchestrator's grace period must be longer`
    ]
  })
}

/** A budget from given settings. Fails with {@link BudgetRefused}. */
export const layer = (config: ShutdownConfig.ShutdownConfig): Layer.Layer<Budget, BudgetRefused> =>
  Layer.effect(
    Budget,
    Effect.suspend(() => derive(config))
  )

/** The budget from the environment. Fails with `ConfigError` where a key cannot be read. */
export const layerConfig = Layer.effect(Budget, Effect.flatMap(ShutdownConfig.config, derive))
