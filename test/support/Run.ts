/** A service of made-up layers, launched on TestClock, whose events and marks a test can look at. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import type * as Budget from "../../src/lifecycle/Budget.js"
import * as HostTest from "../../src/lifecycle/HostTest.js"
import * as Launch from "../../src/lifecycle/Launch.js"
import type * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import type { LifecycleEvent } from "../../src/lifecycle/LifecycleEvent.js"
import * as ShutdownConfig from "../../src/lifecycle/ShutdownConfig.js"
import type { ShutdownReport } from "../../src/lifecycle/ShutdownReport.js"
import type { Signal, StopReason } from "../../src/lifecycle/StopReason.js"

export interface Run {
  /** Sends a signal to the service. */
  readonly signal: (signal?: Signal) => Effect.Effect<void>
  /** Any other word to the service. */
  readonly tell: (reason: StopReason) => Effect.Effect<void>
  /** Interrupts the fiber that runs the launch. */
  readonly interrupt: Effect.Effect<void>
  /** The report, once the run is over. */
  readonly report: Effect.Effect<ShutdownReport>
  /** Whether the run is over. */
  readonly isOver: Effect.Effect<boolean>
  readonly events: ReadonlyArray<LifecycleEvent>
  /** Exit codes that the host was told: one, however the run goes. */
  readonly exitCodes: ReadonlyArray<number>
}

/** Launches and lets the start come as far as it can without time. */
export const launch = <A, E>(
  app: Layer.Layer<A, E, Lifecycle.Lifecycle | Budget.Budget>,
  options: Partial<Omit<ShutdownConfig.ShutdownConfig, "stages">> & {
    readonly whole?: Duration.DurationInput
    readonly startup?: Duration.DurationInput
  } = {}
): Effect.Effect<Run> =>
  Effect.gen(function* () {
    const events: Array<LifecycleEvent> = []
    const host = yield* HostTest.make
    const { startup, whole, ...rest } = options
    const fiber = yield* Launch.launch(app, {
      startupTimeout: Duration.decode(startup ?? "60 seconds"),
      shutdown: {
        ...ShutdownConfig.defaults,
        ...rest,
        total: whole === undefined ? Option.none() : Option.some(Duration.decode(whole))
      },
      subscribers: [(event) => Effect.sync(() => void events.push(event))]
    }).pipe(Effect.provide(host.layer), Effect.forkDaemon)
    yield* settle
    const say = (reason: StopReason) => Effect.zipRight(host.tell(reason), settle)
    return {
      signal: (signal = "SIGTERM") => say({ _tag: "Signal", signal }),
      tell: say,
      interrupt: Effect.zipRight(Fiber.interruptFork(fiber), settle),
      report: Effect.flatten(Fiber.await(fiber)),
      isOver: Effect.map(Fiber.poll(fiber), Option.isSome),
      events,
      exitCodes: host.exitCodes
    }
  })

/** Lets everything happen that needs no time. */
export const settle: Effect.Effect<void> = TestClock.adjust(0)

/** The outcomes of the releases, in the order in which they ended. */
export const ended = (run: Run, kind: "release" | "quiesce" = "release"): ReadonlyArray<string> =>
  run.events.flatMap((event) => {
    switch (event._tag) {
      case "StepCompleted":
        return event.step.kind === kind ? [event.step.name] : []
      case "StepTimedOut":
        return event.step.kind === kind ? [`${event.step.name} timed out`] : []
      case "StepFailed":
        return event.step.kind === kind ? [`${event.step.name} failed`] : []
      default:
        return []
    }
  })

/** Puts the message and the annotations of every log line into `lines`, in place of any other logger. */
export const collectLogs = (lines: Array<Record<string, unknown>>): Layer.Layer<never> =>
  Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ annotations, message }) => {
      const text = Array.isArray(message) ? message.join(" ") : String(message)
      lines.push({ message: text, ...Object.fromEntries(annotations) })
    })
  )
