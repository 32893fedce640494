/** Commands on a connection, behind a breaker, and what is counted of them. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as CircuitBreaker from "../lifecycle/CircuitBreaker.js"
import * as Lifecycle from "../lifecycle/Lifecycle.js"
import type { Connection } from "./Connection.js"
import { RedisError } from "./RedisError.js"
import type { Script } from "./Script.js"

/** What became of commands since the start. */
export interface Counts {
  /** Commands that Redis has answered, well or not. */
  readonly answered: number
  /** Those among them that it refused. */
  readonly refused: number
  /** Commands that were sent and not answered in time, or not before the connection ended. */
  readonly unanswered: number
  /** Commands that were not sent: no connection, left alone, too many. */
  readonly unsent: number
}

/** Commands. */
export interface Commands {
  /** As `Connection.call`, or fails with the reason `resting` while Redis is left alone. */
  readonly call: Connection["call"]
  /** Runs a script, which is sent once to every Redis that does not know it yet. */
  readonly run: (
    script: Script,
    keys: ReadonlyArray<string>,
    args: ReadonlyArray<string | number>
  ) => Effect.Effect<unknown, RedisError>
  /** What is wrong though there is a connection; undefined when all is well. */
  readonly trouble: Effect.Effect<string | undefined>
  /** What became of them. */
  readonly counts: () => Counts
  /** The connection is another one: what the one before refused says nothing any more. */
  readonly renewed: () => void
}

/** So many commands in a row without an answer in time, and Redis is left alone. */
const failures = 3

/** For so long, then one command is let through to try. */
const cooldown = Duration.seconds(1)

/** For how long one refusal counts: between two of them a command may well succeed, and that is no recovery. */
const refusalMillis = 2000

/** The refusals that speak of Redis, and not of the command. */
const inTrouble =
  /^(?:OOM|MISCONF|READONLY|LOADING|BUSY|NOAUTH|NOPERM|WRONGPASS|NOREPLICAS|MASTERDOWN|CLUSTERDOWN)\b/

/** Commands on a connection. `changed` is called when something may be wrong, or not any more. */
export const make = (
  connection: Connection,
  changed: () => void
): Effect.Effect<Commands, never, Lifecycle.Lifecycle | Scope.Scope> =>
  Effect.gen(function* () {
    const lifecycle = yield* Lifecycle.Lifecycle
    const clock = yield* Effect.clock
    const breaker = yield* CircuitBreaker.make({
      name: "redis",
      failures,
      cooldown,
      isFailure: (cause) =>
        Option.exists(
          Cause.failureOption(cause),
          (error) => error instanceof RedisError && error.reason === "timeout"
        )
    }).pipe(
      // A breaker refuses everything once the service drains. But that is when sessions are saved and leases given back; whoever still uses Redis is built on it
      // and gone before it is released.
      Effect.provideService(Lifecycle.Lifecycle, { ...lifecycle, unsafePhase: () => "ready" })
    )
    const counts = { answered: 0, refused: 0, unanswered: 0, unsent: 0 }
    let refusal: { readonly at: number; readonly message: string } | undefined

    const count = (error?: RedisError) => {
      switch (error?.reason) {
        case undefined:
          counts.answered += 1
          return
        case "refused":
          counts.answered += 1
          counts.refused += 1
          if (error?.cause instanceof Error && inTrouble.test(error.cause.message)) {
            refusal = { at: clock.unsafeCurrentTimeMillis(), message: error.cause.message }
            changed()
          }
          return
        case "timeout":
        case "lost":
          counts.unanswered += 1
          changed()
          return
        default:
          counts.unsent += 1
      }
    }

    const call: Commands["call"] = (command, args) =>
      Effect.suspend(() =>
        // Without a connection there is nothing to try, and nothing to learn.
        connection.isReady()
          ? breaker.protect(connection.call(command, args))
          : connection.call(command, args)
      ).pipe(
        // What the breaker does is said by the state, in one line with the reason.
        Logger.withMinimumLogLevel(LogLevel.None),
        Effect.catchTag("CircuitOpen", () => Effect.fail(new RedisError({ reason: "resting", command }))),
        Effect.tapBoth({
          onFailure: (error) => Effect.sync(() => count(error)),
          onSuccess: () => Effect.sync(() => count())
        })
      )

    return {
      call,
      run: (script, keys, args) =>
        Effect.catchIf(
          call("EVALSHA", [script.sha, keys.length, ...keys, ...args]),
          ({ cause }) => cause instanceof Error && cause.message.startsWith("NOSCRIPT"),
          () => call("EVAL", [script.lua, keys.length, ...keys, ...args])
        ),
      trouble: Effect.map(breaker.state, (state) => {
        if (state !== "closed") return "it does not answer in time"
        if (refusal === undefined) return undefined
        if (clock.unsafeCurrentTimeMillis() - refusal.at >= refusalMillis) return (refusal = undefined)
        return `it refuses: ${refusal.message}`
      }),
      counts: () => ({ ...counts }),
      renewed: () => void (refusal = undefined)
    }
  })
