/**
 * One start and one stop of the service under one scenario.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import type { DrillOptions } from "./DrillOptions.js"
import { DrillError } from "./DrillOptions.js"
import type { StopReport } from "./DrillReport.js"
import * as ListenerWatch from "./ListenerWatch.js"
import type { Listener } from "./Processes.js"
import * as Random from "./Random.js"
import type { Scenario } from "./Scenario.js"
import * as StopHandle from "./StopHandle.js"
import * as StopResult from "./StopResult.js"
import * as Subject from "./Subject.js"
import * as Targets from "./Targets.js"

/** What all stops of a drill have in common: the options with their defaults. */
export interface Setup extends Required<
  Omit<
    DrillOptions,
    "cwd" | "ready" | "shortGrace" | "onProgress" | "name" | "scenarios" | "stops" | "mostMillis"
  >
> {
  /** See `DrillOptions`. */
  readonly cwd: string | undefined
  /** See `DrillOptions`. */
  readonly ready: string | undefined
  /** See `DrillOptions`. */
  readonly shortGrace: DrillOptions["shortGrace"]
}

/** How long a scenario may take until its signal, beside the start of the service (ms). */
const prelude = 60_000

/** How long connections are left to end by themselves once the process is gone: a client whose first packet was ignored asks again after 1 s, then 2 s. */
const afterExit = 4000

const within = async (millis: number, promise: Promise<unknown>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, millis)))
  await Promise.race([promise, limit])
  clearTimeout(timer)
}

interface Course {
  readonly subject: Subject.Subject
  readonly scenario: Scenario
  readonly setup: Setup
  readonly graceMillis: number
  readonly nth: number
  readonly usualReadyMillis: number | undefined
  /** Starts the service again; resolves with the time until it is ready. */
  readonly restart: () => Promise<number>
}

/** The course of a stop. `end` gives up whatever is still under way; it may be called at any time, and again. */
const begin = (course: Course): { readonly result: Promise<StopReport>; readonly end: () => void } => {
  const { graceMillis, scenario, setup, subject } = course
  let killed = false
  let cap: NodeJS.Timeout | undefined
  let had: ReadonlyArray<Listener> = []
  let watch: ListenerWatch.ListenerWatch | undefined
  let restarting: Promise<unknown> = Promise.resolve()
  let readyIn: number | null = null

  const handle = StopHandle.make(subject, {
    targets: Targets.complete(setup.targets, graceMillis),
    checks: setup.checks,
    signal: setup.signal,
    graceMillis,
    connections: setup.connections,
    random: Random.make(setup.seed + course.nth),
    usualReadyMillis: course.usualReadyMillis,
    restart: () => {
      const restarted = course.restart()
      restarting = restarted.catch(() => undefined)
      return restarted
    },
    onSignal: () => {
      watch = ListenerWatch.watch(had.filter(({ port }) => port === subject.port))
      clearTimeout(cap)
      cap = setTimeout(kill, graceMillis + setup.marginMillis)
    }
  })
  const kill = () => {
    killed = true
    handle.giveUp()
    subject.signal("SIGKILL")
  }
  cap = setTimeout(kill, setup.startMillis + prelude)

  const conduct = async (): Promise<StopReport> => {
    const known = subject.ready.then(
      (millis) => {
        readyIn = millis
        // Under no load yet, so that it costs nobody a moment.
        had = subject.listeners()
      },
      () => undefined
    )
    if (scenario.begins !== "started") await known
    let ended = false
    let failure: unknown
    const started = Promise.resolve(handle.stop).then((stop) => scenario.run(stop))
    const active = started.then(
      () => (ended = true),
      (error: unknown) => {
        ended = true
        failure = error
        return true
      }
    )
    void active.then(() => {
      if (handle.stop.signalledAt() !== undefined || subject.exit() !== undefined) return
      failure ??= new Error("sent no signal")
      handle.stop.terminate()
    })
    const exit = await subject.exited
    clearTimeout(cap)
    watch?.end()
    await within(afterExit, Promise.all([active, handle.settled()]))
    // Whoever starts the service again waits for as long as a start may take.
    await restarting
    await within(1000, Promise.all([active, handle.settled()]))
    handle.giveUp()
    await within(1000, active)
    if (!ended) failure = new Error("did not end")
    const leftovers = await subject.leftovers(had)
    await handle.settled()
    return StopResult.make({
      scenario,
      nth: course.nth,
      handle,
      exit,
      killed,
      readyIn,
      closedAt: watch?.closedAt(),
      leftovers,
      failure,
      exits: scenario.exits ?? setup.exits,
      mostRequests: setup.mostRequests,
      output: subject.output(),
      steps: subject.steps
    })
  }
  const end = () => {
    clearTimeout(cap)
    watch?.end()
    handle.abandon()
  }
  const result = conduct().finally(end)
  // After an interruption nobody waits for it.
  result.catch(() => undefined)
  return { result, end }
}

const serviceOf = (setup: Setup, scenario: Scenario, short: Setup["shortGrace"]): Subject.Service => ({
  command: setup.command,
  url: setup.url,
  startMillis: setup.startMillis,
  env: { ...setup.env, ...scenario.settings, ...short?.env },
  ...(setup.cwd === undefined ? {} : { cwd: setup.cwd }),
  ...(setup.ready === undefined ? {} : { ready: setup.ready })
})

/**
 * Starts the service, runs the scenario against it and accounts for everything. `usualReadyMillis` is for the scenario to know. Fails with {@link DrillError}
 * when the service cannot be started; interruption kills all that was started.
 */
export const run: (
  setup: Setup,
  scenario: Scenario,
  nth: number,
  usualReadyMillis?: number
) => Effect.Effect<StopReport, DrillError> = Effect.fn("StopRun.run")(function* (
  setup: Setup,
  scenario: Scenario,
  nth: number,
  usualReadyMillis?: number
) {
  const short = scenario.shortGrace === true ? setup.shortGrace : undefined
  const service = serviceOf(setup, scenario, short)
  const start = scenario.begins === "started" ? Subject.start : Subject.startReady
  const subject = yield* start(service, setup)
  const runtime = yield* Effect.runtime<Scope.Scope>()
  const again: Subject.Service = {
    ...service,
    url: `http://${subject.host.includes(":") ? `[${subject.host}]` : subject.host}:${subject.port}`,
    // A port that the drill picked is told to the service; it must be the same one.
    ...(new URL(setup.url).port === "0" ? { env: { PORT: String(subject.port), ...service.env } } : {})
  }
  const restart = () =>
    Subject.startReady(again, setup).pipe(
      Effect.flatMap((started) => Effect.promise(() => started.ready)),
      Runtime.runPromise(runtime)
    )
  const graceMillis = short?.graceMillis ?? setup.graceMillis
  const { end, result } = begin({ subject, scenario, setup, graceMillis, nth, usualReadyMillis, restart })
  return yield* Effect.promise(() => result).pipe(Effect.ensuring(Effect.sync(end)))
}, Effect.scoped)
