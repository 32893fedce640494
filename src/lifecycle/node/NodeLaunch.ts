/**
 * `launch` for a Node process: `NodeRuntime.runMain(NodeLaunch.launch(app))` is a whole program.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import type * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Budget from "../Budget.js"
import * as Launch from "../Launch.js"
import type * as Lifecycle from "../Lifecycle.js"
import * as ShutdownConfig from "../ShutdownConfig.js"
import type * as ShutdownReport from "../ShutdownReport.js"
import * as NodeHost from "./NodeHost.js"
import type * as Signals from "./Signals.js"
import * as SystemdNotify from "./SystemdNotify.js"
import * as Watchdog from "./Watchdog.js"

/** As `Launch.Options`, and how the process is looked after. */
export interface Options extends Launch.Options {
  /** Signals that an entry has captured earlier; without them listening begins with the launch. */
  readonly signals?: Signals.Captured
  /** Whether a thread ends the process when the stop outlasts its limit by a second, as it does when the event loop is blocked. Default: true. */
  readonly watchdog?: boolean
  /**
   * For how long the event loop may be blocked at any time before the process is killed (137), before a signal as well. It costs a thread; see
   * `Watchdog.Options`. `false` means never. Default: `SHUTDOWN_HEARTBEAT`, which is never when unset.
   */
  readonly heartbeat?: { readonly limit: Duration.Duration } | false
  /** Where the record of the run is, asked at every change of phase; the watchdog adds to it what it saw before it kills. Default: nowhere. */
  readonly recordFile?: () => string | undefined
  /** Whether systemd is notified, where it started the service with a `NOTIFY_SOCKET`. Default: true. */
  readonly systemd?: boolean
}

/** Those who look after the process. Fails where `SHUTDOWN_HEARTBEAT` cannot be read. */
const guards = (options: Options) =>
  Effect.gen(function* () {
    const subscribers: Array<Lifecycle.Subscriber> = []
    const limit =
      options.heartbeat === undefined
        ? Option.getOrUndefined(yield* Watchdog.heartbeatConfig)
        : options.heartbeat === false
          ? undefined
          : options.heartbeat.limit
    if (options.watchdog !== false || limit !== undefined) {
      // Where the configuration cannot be read, the launch itself says so.
      const config = yield* Effect.option(
        options.shutdown === undefined ? ShutdownConfig.config : Effect.succeed(options.shutdown)
      )
      subscribers.push(
        yield* Watchdog.make({
          deadline:
            options.watchdog === false
              ? "ignore"
              : Option.exists(config, ({ forceAfterTimeout }) => !forceAfterTimeout)
                ? "second-signal"
                : "kill",
          ...(limit === undefined ? {} : { heartbeat: limit }),
          ...(options.recordFile === undefined ? {} : { recordFile: options.recordFile })
        })
      )
    }
    if (options.systemd !== false && SystemdNotify.isWanted()) subscribers.push(yield* SystemdNotify.make())
    return subscribers
  })

/** Launches `app` in this process: signals stop it, and the exit code is the report's. Never fails. */
export const launch = <A, E>(
  app: Layer.Layer<A, E, Lifecycle.Lifecycle | Budget.Budget>,
  options: Options = {}
): Effect.Effect<ShutdownReport.ShutdownReport> =>
  Effect.either(guards(options)).pipe(
    Effect.flatMap((guarding) =>
      Either.isLeft(guarding)
        ? // A start that fails is told and ends as any other does.
          Launch.launch(Layer.fail(guarding.left), options)
        : Launch.launch(app, { ...options, subscribers: [...guarding.right, ...(options.subscribers ?? [])] })
    ),
    Effect.provide(options.signals === undefined ? NodeHost.layerNow : NodeHost.layer(options.signals))
  )
