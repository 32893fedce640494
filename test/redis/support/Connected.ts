/** The service's Redis on a server of the test, with what it logs. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Lifecycle from "../../../src/lifecycle/Lifecycle.js"
import * as Redis from "../../../src/redis/Redis.js"
import * as RedisConfig from "../../../src/redis/RedisConfig.js"
import type { RedisServer } from "../../support/RedisServer.js"

/** A line of the log. */
export type Line = Record<string, unknown>

/** A logger that keeps lines from `info` on. */
export const collect = () => {
  const lines: Array<Line> = []
  const logger = Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ annotations, logLevel, message }) => {
      const text = Array.isArray(message) ? message.join(" ") : String(message)
      lines.push({
        level: logLevel.label,
        message: text,
        ...Object.fromEntries(HashMap.toEntries(annotations))
      })
    })
  )
  return { lines, layer: Layer.provideMerge(logger, Logger.minimumLogLevel(LogLevel.Info)) }
}

/** Waits, in real time, until it holds; dies after fifteen seconds. */
export const until = (what: string, holds: Effect.Effect<boolean>) =>
  Effect.repeat(holds, { until: (yes) => yes, schedule: Schedule.spaced("5 millis") }).pipe(
    Effect.timeoutFail({ duration: "15 seconds", onTimeout: () => new Error(`never: ${what}`) }),
    Effect.orDie,
    Effect.asVoid
  )

export interface Options extends Partial<Omit<Redis.Settings, "endpoint">> {
  readonly lifecycle?: Lifecycle.Shape
}

/** A lifecycle that is ready. */
export const ready = Effect.tap(Lifecycle.make(Duration.minutes(1)), (lifecycle) =>
  lifecycle.internal.advance("ready")
)

/** Settings for a server, with short times. */
export const settings = (server: RedisServer, options: Options = {}): Redis.Settings => ({
  ...RedisConfig.defaults,
  commandTimeout: Duration.millis(200),
  connectTimeout: Duration.millis(1000),
  limit: Duration.seconds(2),
  prefix: "test:",
  ...options,
  endpoint: Either.getOrThrow(RedisConfig.parse(server.url))
})

/** Connects until the scope closes, or until `release` does it and says how long that took, in milliseconds. */
export const connect = (server: RedisServer, options: Options = {}) =>
  Effect.gen(function* () {
    const { layer, lines } = collect()
    const lifecycle = options.lifecycle ?? (yield* ready)
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) =>
      Effect.provide(Scope.close(scope, Exit.void), layer)
    )
    const redis = yield* Redis.make(settings(server, options)).pipe(
      Scope.extend(scope),
      Effect.provideService(Lifecycle.Lifecycle, lifecycle),
      Effect.provide(layer)
    )
    return {
      redis,
      lifecycle,
      /** What logs into `lines`. */
      logger: layer,
      lines,
      /** Lines with this `event_type`. */
      logged: (type: string) => lines.filter(({ event_type }) => event_type === type),
      is: (state: string) =>
        until(
          `redis is ${state}`,
          Effect.map(redis.status, (status) => status.state === state)
        ),
      release: Effect.map(Effect.timed(Effect.provide(Scope.close(scope, Exit.void), layer)), ([took]) =>
        Duration.toMillis(took)
      )
    }
  })

/** What a command comes to: its answer, or the reason of its failure. */
export const outcome = <A>(effect: Effect.Effect<A, { readonly reason: string }>) =>
  Effect.map(Effect.either(effect), (either) => (Either.isRight(either) ? either.right : either.left.reason))
