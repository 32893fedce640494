/** The end of the connections: what is under way is done, Redis is asked once more whether it is there, told that we leave, and left. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Connection } from "./Connection.js"
import type * as Redis from "./Redis.js"
import { RedisError } from "./RedisError.js"

/** Whom to leave, and how much time there is. */
export interface Options {
  /** The connection for commands. */
  readonly main: Connection
  /** The connection that listens. */
  readonly ear: Connection
  /** For all of it. */
  readonly limit: Duration.Duration
  /** For one answer. */
  readonly commandTimeout: Duration.Duration
  /** How Redis was when the release began. */
  readonly last: Redis.Status
}

const pause = Duration.millis(5)

/** Says goodbye, and logs how that went. Takes three quarters of the limit at most; never fails. */
export const say = ({ commandTimeout, ear, last, limit, main }: Options): Effect.Effect<void> =>
  Effect.gen(function* () {
    // One share each for what is pending, PING and QUIT; what is left over is for closing.
    const share = Duration.min(commandTimeout, Duration.times(limit, 1 / 4))
    // Interruptible, or a release would wait for what it does not wait for any more.
    const ask = (connection: Connection, command: string) =>
      Effect.interruptible(connection.call(command, [])).pipe(
        Effect.timeoutFail({
          duration: share,
          onTimeout: () => new RedisError({ reason: "timeout", command })
        }),
        Effect.either
      )

    const idle = Effect.repeat(Effect.sleep(pause), { until: () => main.pending() === 0 })
    if (main.isReady() && main.pending() > 0) {
      yield* Effect.timeoutOption(Effect.interruptible(idle), share)
    }
    const abandoned = main.pending()
    const ping = yield* ask(main, "PING")
    const quit = Either.isRight(ping)
      ? yield* Effect.all([ask(main, "QUIT"), ask(ear, "QUIT")], { concurrency: "unbounded" })
      : []
    const isPolite = quit.length > 0 && quit.every(Either.isRight)
    yield* Effect.zipRight(main.close, ear.close)
    const { answered, reason, reconnects, refused, state, unanswered, unsent, where } = last
    yield* (
      isPolite ? Effect.logInfo("Redis was released") : Effect.logWarning("Redis was left without QUIT")
    ).pipe(
      Effect.annotateLogs({
        component: "Redis",
        event_type: "redis_released",
        redis: where,
        state,
        ...(reason === null ? {} : { reason }),
        ping: Either.isRight(ping) ? "answered" : ping.left.message,
        quit: isPolite,
        commands_answered: answered,
        commands_refused: refused,
        commands_unanswered: unanswered,
        commands_pending: abandoned,
        commands_unsent: unsent,
        reconnects
      })
    )
  })
