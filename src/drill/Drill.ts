/**
 * Stops a service again and again, under one load after another, and says what was lost.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Os from "node:os"
import type { DrillOptions, Progress } from "./DrillOptions.js"
import { DrillError } from "./DrillOptions.js"
import type { DrillReport, Failed, Lost, StopReport } from "./DrillReport.js"
import * as CommandLine from "./CommandLine.js"
import * as Port from "./Port.js"
import type { Scenario } from "./Scenario.js"
import type { Setup } from "./StopRun.js"
import * as StopRun from "./StopRun.js"
import * as Targets from "./Targets.js"
import { isLost } from "./wire/Outcome.js"

export type { DrillOptions, Progress } from "./DrillOptions.js"
export { DrillError } from "./DrillOptions.js"

const usage = (message: string) => new DrillError({ reason: "usage", message })

const bounded = (name: string, value: number, least: number, most: number) =>
  Number.isFinite(value) && value >= least && value <= most
    ? []
    : [`${name} must be between ${least} and ${most}, not ${value}`]

/** What is wrong with the options, in sentences. */
const mistakes = (setup: Setup, stops: number, mostMillis: number): ReadonlyArray<string> => {
  const parsed = CommandLine.parse(setup.command)
  const paths = Object.entries({ ...setup.targets, ready: setup.ready ?? setup.targets.ready })
  return [
    ...(typeof parsed === "string" ? [parsed] : []),
    ...paths.flatMap(([name, path]) =>
      path === undefined || /^\/[\x21-\x7e]*$/.test(path)
        ? []
        : [`the path for ${name} must begin with /, not "${path}"`]
    ),
    ...(setup.signal in Os.constants.signals ? [] : [`there is no signal ${setup.signal}`]),
    ...bounded("stops", stops, 1, 100_000),
    ...bounded("the grace", setup.graceMillis, 1, 3_600_000),
    ...bounded("the margin", setup.marginMillis, 0, 600_000),
    ...bounded("the time to start", setup.startMillis, 1, 3_600_000),
    ...bounded("the time in all", mostMillis, 1, 7 * 86_400_000),
    ...bounded("connections", setup.connections, 1, 10_000),
    ...bounded("the seed", setup.seed, 0, 2 ** 32 - 1)
  ]
}

const setupOf = (options: DrillOptions, seed: number): Setup => ({
  command: options.command,
  cwd: options.cwd,
  url: options.url,
  env: options.env ?? {},
  targets: options.targets,
  checks: options.checks ?? {},
  ready: options.ready ?? options.targets.ready,
  startMillis: options.startMillis ?? 30_000,
  signal: options.signal ?? "SIGTERM",
  graceMillis: options.graceMillis ?? 30_000,
  marginMillis: options.marginMillis ?? 2000,
  shortGrace: options.shortGrace,
  connections: options.connections ?? 64,
  exits: options.exits ?? [0],
  seed,
  allowRemote: options.allowRemote ?? false,
  mostRequests: options.mostRequests ?? 300
})

const verdictOf = (
  stops: ReadonlyArray<StopReport>,
  scenarios: ReadonlyArray<Scenario>,
  failedStart: ReadonlyArray<Failed>
): DrillReport["verdict"] => {
  const uncounted = new Set(scenarios.filter((one) => one.lossesCount === false).map(({ id }) => id))
  const lost = stops.flatMap(({ nth, requests, scenario }): ReadonlyArray<Lost> =>
    uncounted.has(scenario)
      ? []
      : requests.flatMap((request) => (isLost(request.outcome) ? [{ scenario, nth, request }] : []))
  )
  const failed = stops.flatMap(({ expectations, nth, scenario }): ReadonlyArray<Failed> =>
    expectations.flatMap(({ detail, name, ok }) => (ok ? [] : [{ scenario, nth, name, detail }]))
  )
  const all = [...failed, ...failedStart]
  return { passed: stops.length > 0 && lost.length === 0 && all.length === 0, lost, failed: all }
}

/** The median of the times in which the service was ready. */
const usualReady = (stops: ReadonlyArray<StopReport>): number | undefined => {
  const times = stops.flatMap(({ readyIn }) => readyIn ?? []).sort((one, other) => one - other)
  return times[Math.floor(times.length / 2)]
}

/**
 * Runs a drill. Fails with {@link DrillError} before the first stop when an option makes no sense, or the service does not start. What goes wrong later is in the
 * report: a service that does not start again ends the drill with a failed expectation. Interruption kills every process that was started, and what those
 * started.
 */
export const run: (options: DrillOptions) => Effect.Effect<DrillReport, DrillError> = Effect.fn("Drill.run")(
  function* (options: DrillOptions) {
    const startedAt = Date.now()
    const from = performance.now()
    const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32)
    const setup = setupOf(options, seed)
    const mostMillis = options.mostMillis ?? 1_800_000
    const wrong = mistakes(setup, options.stops ?? 20, mostMillis)
    if (wrong.length > 0) return yield* usage(wrong.join("; "))
    yield* Port.parse(setup.url, setup.allowRemote)

    const given = Targets.complete(setup.targets, setup.graceMillis)
    const skipped = options.scenarios.flatMap(({ id, needs }) => {
      const missing = Targets.missing(given, needs)
      return missing.length === 0
        ? []
        : [{ scenario: id, reason: `no path is given for ${missing.join(", ")}` }]
    })
    const scenarios = options.scenarios.filter(({ id }) => !skipped.some(({ scenario }) => scenario === id))
    if (scenarios.length === 0) return yield* usage("there is no scenario that the given paths allow")
    const count = Math.max(options.stops ?? 20, scenarios.length)
    const tell = (progress: Progress) => options.onProgress?.(progress) ?? Effect.void

    yield* tell({ _tag: "Began", stops: count, seed, skipped })
    const stops: Array<StopReport> = []
    const failedStart: Array<Failed> = []
    let endedEarly: string | undefined
    for (let nth = 1; nth <= count; nth++) {
      if (performance.now() - from > mostMillis) {
        endedEarly = `${mostMillis} ms were over after ${nth - 1} of ${count} stops`
        break
      }
      const scenario = scenarios[(nth - 1) % scenarios.length]!
      yield* tell({ _tag: "StopBegan", nth, scenario })
      const stop = yield* Effect.either(StopRun.run(setup, scenario, nth, usualReady(stops)))
      if (stop._tag === "Left") {
        if (stops.length === 0) return yield* stop.left
        endedEarly = `the service did not start for stop ${nth} of ${count}`
        failedStart.push({ scenario: scenario.id, nth, name: "starts again", detail: stop.left.message })
        break
      }
      stops.push(stop.right)
      yield* tell({ _tag: "StopEnded", stop: stop.right })
    }
    return {
      version: 1 as const,
      name: options.name ?? options.command,
      startedAt,
      durationMillis: Math.round(performance.now() - from),
      command: options.command,
      url: options.url,
      node: process.version,
      seed,
      graceMillis: setup.graceMillis,
      stops,
      skipped,
      ...(endedEarly === undefined ? {} : { endedEarly }),
      verdict: verdictOf(stops, scenarios, failedStart)
    }
  }
)
