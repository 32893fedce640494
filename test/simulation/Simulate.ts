/** Runs a case through the real `Launch.launch`, on virtual time. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as RuntimeFlags from "effect/RuntimeFlags"
import * as Host from "../../src/lifecycle/Host.js"
import * as Launch from "../../src/lifecycle/Launch.js"
import * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import type { LifecycleEvent } from "../../src/lifecycle/LifecycleEvent.js"
import type { Status } from "../../src/lifecycle/Readiness.js"
import * as ShutdownConfig from "../../src/lifecycle/ShutdownConfig.js"
import type { ShutdownReport } from "../../src/lifecycle/ShutdownReport.js"
import type { StopReason } from "../../src/lifecycle/StopReason.js"
import * as Case from "./Case.js"
import * as Service from "./Service.js"
import * as VirtualTime from "./VirtualTime.js"

/** No stop takes longer than this, all limits added up. */
const horizon = 200_000
/** How long the world goes on after the end, to see what is released on arrival. */
const afterMillis = 10_000

/** Counting fibers is a third of the work of a run. */
const fork = Runtime.runFork(Runtime.disableRuntimeFlag(Runtime.defaultRuntime, RuntimeFlags.RuntimeMetrics))

/** What happened. */
export interface Trace extends Service.Notes {
  readonly events: ReadonlyArray<LifecycleEvent>
  /** Readiness as asked at each change of phase. */
  readonly statuses: ReadonlyArray<Status>
  readonly reports: ReadonlyArray<ShutdownReport>
  readonly exitCodes: ReadonlyArray<number>
  /** When the launch ended; absent when it did not. */
  readonly endedAt: number | undefined
  /** How: false when it failed or died, which it never does. */
  readonly endedWell: boolean
}

const reasonOf = (what: Exclude<Case.Word["what"], "interrupt">): StopReason => {
  switch (what) {
    case "request":
      return { _tag: "Requested", message: "a request" }
    case "uncaught":
      return { _tag: "Uncaught", origin: "uncaughtException", error: new Service.Planned("uncaught") }
    default:
      return { _tag: "Signal", signal: what }
  }
}

const optionsOf = (
  of: Case.Case,
  subscriber: Lifecycle.Subscriber,
  onReport: (report: ShutdownReport) => void
): Launch.Options => {
  const stage = Option.some(Duration.millis(Case.stageMillis))
  return {
    startupTimeout: Duration.millis(of.startup),
    shutdown: {
      ...ShutdownConfig.defaults,
      announceDelay: Duration.millis(of.announce),
      forceAfterTimeout: of.force,
      total: Option.map(Option.fromNullable(of.whole), Duration.millis),
      stages: {
        graceful: stage,
        background: stage,
        websocket: stage,
        cache: stage,
        database: stage,
        telemetry: stage
      }
    },
    subscribers: [subscriber],
    onReport: (report) => Effect.sync(() => onReport(report))
  }
}

/** Runs it. Throws only where the run never comes to rest. */
export const run = (of: Case.Case): Trace => {
  const time = VirtualTime.make()
  const notes: Service.Notes = { now: time.now, seen: [], quiesces: [], hooks: [], added: [] }
  const events: Array<LifecycleEvent> = []
  const statuses: Array<Status> = []
  const reports: Array<ShutdownReport> = []
  const exitCodes: Array<number> = []
  let tell: (reason: StopReason) => void = () => {}
  let lifecycle: Lifecycle.Shape | undefined

  const app = Effect.map(Lifecycle.Lifecycle, (of) => void (lifecycle = of))
  const host: Host.Shape = {
    listen: (onStop) =>
      Effect.sync(() => {
        tell = onStop
        for (const { at, what } of of.words) {
          if (at < 0 && what !== "interrupt") tell(reasonOf(what))
        }
      }),
    leave: (code) => Effect.sync(() => void exitCodes.push(code))
  }
  const subscriber: Lifecycle.Subscriber = (event) =>
    Effect.suspend(() => {
      events.push(event)
      if (lifecycle === undefined || event._tag !== "PhaseChanged") return Effect.void
      return Effect.map(lifecycle.readiness.status, (status) => void statuses.push(status))
    })
  const program = Launch.launch(
    Service.layer(notes, of, app),
    optionsOf(of, subscriber, (report) => reports.push(report))
  ).pipe(
    Effect.provideService(Host.Host, host),
    Effect.withClock(time.clock),
    Logger.withMinimumLogLevel(LogLevel.None)
  )

  for (const { at, what } of of.words) {
    if (at < 0) continue
    time.at(at, () =>
      what === "interrupt" ? fiber.unsafeInterruptAsFork(FiberId.none) : tell(reasonOf(what))
    )
  }
  let endedAt: number | undefined
  let endedWell = false
  const fiber = fork(program, { scheduler: time.scheduler })
  fiber.addObserver((exit) => {
    endedAt = time.now()
    endedWell = Exit.isSuccess(exit) || Exit.isInterrupted(exit)
  })
  time.pass(horizon, () => endedAt !== undefined)
  if (endedAt !== undefined) time.pass(endedAt + afterMillis, () => false)
  return { ...notes, events, statuses, reports, exitCodes, endedAt, endedWell }
}
