/**
 * Redis, which the service can do without.
 *
 * Two connections: one for commands, one to listen. A command ends within `REDIS_COMMAND_TIMEOUT`, and at once when it could only wait: while there is no
 * connection, while Redis is left alone because it did not answer, and when too many wait already. Whatever becomes of Redis is one line in the log when it goes
 * and one when it comes back; it is tried again for as long as the service runs.
 *
 * The stop: commands under way are done, `PING`, `QUIT`, then both connections are closed, whatever came of that. A Redis that does not answer costs a quarter
 * of the limit at most for each of these.
 *
 * @module
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as Budget from "../lifecycle/Budget.js"
import * as Lifecycle from "../lifecycle/Lifecycle.js"
import * as Resource from "../lifecycle/Resource.js"
import * as Commands from "./Commands.js"
import * as Connection from "./Connection.js"
import * as Farewell from "./Farewell.js"
import * as RedisConfig from "./RedisConfig.js"
import type { RedisError } from "./RedisError.js"
import * as RedisState from "./RedisState.js"
import type { Script } from "./Script.js"
import * as Subscriptions from "./Subscriptions.js"

/** Redis as it is, for health and metrics. */
export interface Status extends RedisState.Standing, Commands.Counts {
  /** Where it is; nothing of it is secret. */
  readonly where: string
  /** Whether the service is not ready without it. */
  readonly required: boolean
  /** Commands that wait for their answers. */
  readonly pending: number
  /** How often a connection could be used again after it was lost. */
  readonly reconnects: number
}

/** Redis. */
export interface Shape {
  /** The name of a key or channel: the prefix of the service, and what is given, with `:` between. */
  readonly key: (...parts: ReadonlyArray<string>) => string
  /** Sends a command; its keys are made with {@link key}. Answers are numbers, texts, null, and lists of those. Interrupting it forgets the answer. */
  readonly command: (
    name: string,
    ...args: ReadonlyArray<string | number>
  ) => Effect.Effect<unknown, RedisError>
  /** Runs a script on these keys and arguments. Interrupting it forgets the answer. */
  readonly run: (
    script: Script,
    keys: ReadonlyArray<string>,
    args: ReadonlyArray<string | number>
  ) => Effect.Effect<unknown, RedisError>
  /** Tells everybody who listens to `channel` now. */
  readonly publish: (channel: string, text: string) => Effect.Effect<void, RedisError>
  /** What is told on `channel`, with the gaps in it. Begins with one, once Redis listens. Ends when Redis is released; never fails. */
  readonly listen: (channel: string) => Stream.Stream<Subscriptions.Heard>
  /** How it is. Never fails. */
  readonly status: Effect.Effect<Status>
  /** Ends when it is connected, at once when it is. Interrupting it is free. */
  readonly awaitConnected: Effect.Effect<void>
}

/** Redis, where there is one. */
export class Redis extends Context.Tag("stellar-insights/redis/Redis")<Redis, Shape>() {}

/** Redis, or none: what `REDIS_URL` says. Whoever has another way without Redis asks for this. */
export class Configured extends Context.Tag("stellar-insights/redis/Configured")<
  Configured,
  Option.Option<Shape>
>() {}

/** Redis is required and was not there within `REDIS_CONNECT_TIMEOUT`. */
export class RedisUnavailable extends Data.TaggedError("RedisUnavailable")<{
  /** Where it should be and what went wrong. */
  readonly message: string
}> {}

/** Redis as it is set. */
export interface Settings extends Omit<RedisConfig.RedisConfig, "endpoint"> {
  /** The server. */
  readonly endpoint: RedisConfig.Endpoint
  /** How long the release may take; it takes three quarters of it at most. */
  readonly limit: Duration.Duration
}

/**
 * Opens both connections and keeps them until the scope closes. Waits until it is known whether Redis is there, and goes on without it; where it is
 * required, fails with {@link RedisUnavailable} instead.
 */
export const make = (
  settings: Settings
): Effect.Effect<Shape, RedisUnavailable, Lifecycle.Lifecycle | Scope.Scope> =>
  Effect.gen(function* () {
    const { commandTimeout, connectTimeout, endpoint, limit, prefix, required } = settings
    const { where } = endpoint
    const lifecycle = yield* Lifecycle.Lifecycle
    const state = yield* RedisState.make(where, required)
    const pokes = yield* Queue.sliding<void>(1)
    const poke = () => void pokes.unsafeOffer(void 0)
    const shared = { endpoint, connectTimeout, commandTimeout, onLost: poke }
    let isReleasing = false
    let hasFailed = false
    let connections = 0
    let listening: Subscriptions.Subscriptions | undefined
    let sending: Commands.Commands | undefined

    const main = yield* Connection.make({
      ...shared,
      name: "stellar-insights",
      onReady: () => {
        connections += 1
        sending?.renewed()
        poke()
      },
      onLost: () => {
        hasFailed = true
        poke()
      }
    })
    const ear = yield* Connection.make({
      ...shared,
      name: "stellar-insights-listens",
      onReady: () => {
        connections += 1
        listening?.resume()
        poke()
      },
      onLost: () => {
        listening?.pause()
        poke()
      }
    })
    let deaf: unknown
    const subscriptions = yield* Subscriptions.make(ear.client, ear.isReady, (error) => {
      deaf = error
      ear.renew()
    })
    listening = subscriptions
    if (ear.isReady()) subscriptions.resume()
    const commands = yield* Commands.make(main, poke)
    sending = commands

    const trouble = Effect.gen(function* () {
      if (!main.isReady()) return main.lastError() ?? "there is no connection"
      const refused = yield* commands.trouble
      if (refused !== undefined) return refused
      const why = ear.lastError() ?? (deaf instanceof Error ? deaf.message : "there is no connection")
      return ear.isReady() ? undefined : `it cannot be listened to: ${why}`
    })
    const isKnown = Effect.sync(() => (main.isReady() && ear.isReady()) || (hasFailed && !required))
    const assess = Effect.suspend(() =>
      isReleasing ? Effect.void : Effect.flatMap(trouble, (found) => state.note(found))
    )

    // Until something is known there is nothing to say.
    yield* Effect.repeat(Queue.take(pokes), { until: () => isKnown }).pipe(
      Effect.timeoutOption(connectTimeout)
    )
    yield* assess
    const found = yield* state.get
    if (found.state === "down") {
      return yield* new RedisUnavailable({
        message: `REDIS_URL (${where}) cannot be reached and REDIS_REQUIRED=true: ${found.reason}`
      })
    }

    yield* Effect.forkScoped(Effect.forever(Effect.zipRight(Queue.take(pokes), assess)))
    // What nobody asks for would never be missed: a connection that is dead, a Redis that answers again.
    const beat = Effect.all([Effect.ignore(commands.call("PING", [])), Effect.ignore(ear.call("PING", []))], {
      concurrency: "unbounded",
      discard: true
    })
    yield* Effect.forkScoped(
      Effect.repeat(Effect.zipRight(beat, Effect.sync(poke)), Schedule.spaced(Connection.watchInterval))
    )
    const { add, addDegradation } = lifecycle.readiness
    const why = Effect.map(state.get, ({ reason }) => Option.fromNullable(reason))
    yield* required ? add("redis", why) : addDegradation("redis", why)

    const status: Shape["status"] = Effect.map(state.get, (standing) => ({
      where,
      required,
      ...standing,
      pending: main.pending(),
      reconnects: Math.max(0, connections - 2),
      ...commands.counts()
    }))
    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        isReleasing = true
        return Effect.flatMap(status, (last) => Farewell.say({ main, ear, limit, commandTimeout, last }))
      })
    )
    const key: Shape["key"] = (...parts) => prefix + parts.join(":")

    return Redis.of({
      key,
      command: (name, ...args) => commands.call(name, args),
      run: commands.run,
      publish: (channel, text) => Effect.asVoid(commands.call("PUBLISH", [channel, text])),
      listen: subscriptions.listen,
      status,
      awaitConnected: state.awaitConnected
    })
  }).pipe(Effect.annotateLogs({ component: "Redis" }))

/** Redis at `settings`, without a name: for tests and tools. */
export const layerFrom = (settings: Settings) => Layer.scoped(Redis, make(settings))

/**
 * What the environment says: Redis, released as `redis` within `SHUTDOWN_CACHE_TIMEOUT`, or none. Fails with `ConfigError`, or where Redis is required with
 * {@link RedisUnavailable}.
 */
export const layerConfig = Layer.unwrapEffect(
  Effect.gen(function* () {
    const { stages } = yield* Budget.Budget
    const { endpoint, ...rest } = yield* RedisConfig.config
    return Option.match(endpoint, {
      onNone: () => Layer.succeed(Configured, Option.none()),
      onSome: (endpoint) =>
        Resource.named("redis", { limit: stages.cache })(
          Layer.scoped(Configured, Effect.asSome(make({ ...rest, endpoint, limit: stages.cache })))
        )
    })
  })
)
