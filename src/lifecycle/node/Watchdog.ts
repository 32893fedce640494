/**
 * A deadline that holds although the event loop does not turn (law 2).
 *
 * When a stop begins, a thread is started that knows its deadline and is told which quiesce, release or hook runs. If the process is still
 * there a second after the deadline, the thread writes to stderr and into the record of the run what was running, since when, and what keeps the process
 * alive, and kills it: exit code 137 (128 + SIGKILL; as PID 1, which cannot kill itself, 137 too, but 133 where it is stuck in native code; on Windows 1).
 *
 * Until a stop begins it costs nothing, neither thread nor timer. A process that ends by itself takes the thread with it. What it cannot see is an event
 * loop that was blocked before the signal: no signal is heard then. That is what {@link Options.heartbeat} is for.
 *
 * With `SHUTDOWN_FORCE_AFTER_TIMEOUT=false` the deadline only warns, so the thread is started by the second signal alone.
 *
 * @module
 */
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as DurationConfig from "../DurationConfig.js"
import type * as Lifecycle from "../Lifecycle.js"
import type { LifecycleEvent, Step } from "../LifecycleEvent.js"
import type { Phase } from "../Phase.js"
import * as Stopping from "../Stopping.js"
import * as WatchdogWorker from "./WatchdogWorker.js"

/** How long after the deadline the process is killed, in milliseconds. */
export const graceMillis = 1000

/** How a watchdog is made. */
export interface Options {
  /**
   * What becomes of a process that outlives its deadline by a second. `kill`; or `second-signal`: it is killed only if a second signal has asked for the end, which is
   * what `SHUTDOWN_FORCE_AFTER_TIMEOUT=false` wants; or `ignore`, for a {@link heartbeat} alone. Default: `kill`.
   */
  readonly deadline?: "kill" | "second-signal" | "ignore"
  /** Where the record of the run is, asked at every change of phase. What the watchdog saw is added to it as `killed`. Default: nowhere. */
  readonly recordFile?: () => string | undefined
  /**
   * For how long the event loop may stand still at any time, before a signal as well; then the process is killed in the same way. It costs a thread from the
   * beginning (8 to 9 MiB) and a timer that wakes the process up ten times within the limit. It must be longer than the longest synchronous work, that of the start
   * included, and no debugger may halt the program. Default: none.
   */
  readonly heartbeat?: Duration.Duration
}

/** `SHUTDOWN_HEARTBEAT`: the opt-in limit of {@link Options.heartbeat}, 100 ms to an hour; none when unset. */
export const heartbeatConfig: Config.Config<Option.Option<Duration.Duration>> = Config.option(
  DurationConfig.duration("SHUTDOWN_HEARTBEAT", { min: Duration.millis(100), max: Duration.hours(1) })
)

/** Advances a counter for as long as the event loop turns. Does not keep the process alive. */
const beat = (limitMillis: number): NonNullable<WatchdogWorker.Data["heartbeat"]> => {
  const beats = new Int32Array(new SharedArrayBuffer(4))
  setInterval(() => Atomics.add(beats, 0, 1), limitMillis / 10).unref()
  return { beats, limitMillis }
}

/** A watchdog for one run, as a subscriber of its events. Telling it never fails; where no thread can be started a warning says so, once. */
export const make = (options: Options = {}): Effect.Effect<Lifecycle.Subscriber> =>
  Effect.gen(function* () {
    const { deadline = "kill", heartbeat, recordFile } = options
    const steps = new Map<Step, Extract<WatchdogWorker.Message, { readonly _tag: "Started" }>>()
    let phase: Phase = "starting"
    let thread: WatchdogWorker.Handle | undefined
    let isBroken = false
    let ids = 0

    const warn = (error: unknown) =>
      Effect.annotateLogs(
        Effect.logWarning("no watchdog: nothing ends this process when its event loop is blocked"),
        { component: "lifecycle", event_type: "watchdog_failed", error: String(error) }
      )

    const start = (limit?: Duration.Duration) =>
      Effect.try(() => {
        thread = WatchdogWorker.start({
          phase,
          graceMillis,
          ...(limit === undefined ? {} : { heartbeat: beat(Duration.toMillis(limit)) })
        })
        for (const started of steps.values()) thread.post(started)
      }).pipe(
        Effect.catchAll(({ error }) => {
          isBroken = true
          return warn(error)
        })
      )

    const arm = (limitMillis: number) =>
      Effect.gen(function* () {
        if (thread === undefined && !isBroken) yield* start()
        const at = WatchdogWorker.now() + limitMillis
        thread?.post({ _tag: "Deadline", at, limitMillis })
        sayFile()
      })

    const sayFile = () => {
      const file = recordFile?.()
      if (file !== undefined) thread?.post({ _tag: "RecordFile", file })
    }

    const post = (message: WatchdogWorker.Message) => Effect.sync(() => thread?.post(message))

    const tell = (event: LifecycleEvent): Effect.Effect<void> => {
      switch (event._tag) {
        case "StopInitiated":
          return deadline === "kill" ? arm(event.wholeMillis) : Effect.void
        case "StopRepeated":
          return deadline === "ignore" ? Effect.void : arm(Stopping.hurriedMillis)
        case "PhaseChanged":
          phase = event.phase
          sayFile()
          return post({ _tag: "Phase", phase })
        case "StepStarted": {
          const { kind, name } = event.step
          const started = { _tag: "Started", id: ids++, kind, name, at: WatchdogWorker.now() } as const
          steps.set(event.step, started)
          return post(started)
        }
        case "StepCompleted":
        case "StepFailed":
        case "StepTimedOut": {
          const started = steps.get(event.step)
          if (started === undefined) return Effect.void
          steps.delete(event.step)
          return post({ _tag: "Ended", id: started.id, givenUp: event._tag === "StepTimedOut" })
        }
        default:
          return Effect.void
      }
    }

    if (heartbeat !== undefined) yield* start(heartbeat)
    return (event) =>
      Effect.suspend(() => {
        const error = thread?.error()
        if (error === undefined || isBroken) return tell(event)
        isBroken = true
        return Effect.zipRight(warn(error), tell(event))
      })
  })
