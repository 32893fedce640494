/**
 * A drill's stops by scenario: the figures that the text and the page show, computed once so that they cannot disagree.
 *
 * @module
 */
import type { DrillReport, Expectation, Failed, Lost, StopReport } from "../DrillReport.js"
import * as Outcome from "../wire/Outcome.js"
import * as Figure from "./Figure.js"

/** One stop with what the verdict says of it. */
export interface JudgedStop {
  /** The stop. */
  readonly stop: StopReport
  /** Its requests that the verdict counts as lost: none where a scenario is about losses. */
  readonly lost: ReadonlyArray<Lost>
  /** Its expectations that were not met. */
  readonly failed: ReadonlyArray<Failed>
  /** From the end of the slowest request that was in flight at the signal (or the signal) to the exit, in milliseconds; undefined when it had to be killed. */
  readonly exitAfterSlowest: number | undefined
  /** Whether the verdict holds losses of this stop against the service. */
  readonly lossesCount: boolean
  /** Exit code, name of a signal, or `killed` when the drill had to end it. */
  readonly exit: string
}

/** An expectation over all stops of a scenario. */
export interface ExpectationSummary {
  /** What was expected. */
  readonly name: string
  /** In how many stops it was met. */
  readonly met: number
  /** In how many stops it was not. */
  readonly failed: number
  /** What was found where it was not met, without repetitions. */
  readonly details: ReadonlyArray<string>
}

/** All stops of one scenario. */
export interface ScenarioSummary {
  /** The scenario's `id`. */
  readonly id: string
  /** What happens in it. */
  readonly title: string
  /** Numbers of the catalogue that it covers. */
  readonly scenarios: ReadonlyArray<number>
  /** Its stops, in order. */
  readonly stops: ReadonlyArray<JudgedStop>
  /** The stop that one wants to look at first. */
  readonly worst: JudgedStop
  /** Requests of all stops. */
  readonly requests: number
  /** Requests that were lost, as the verdict counts. */
  readonly lost: number
  /** Requests that met the FIN on their way: no loss, and not answered either. */
  readonly late: number
  /** Median and longest time from the slowest request to the exit, in milliseconds, of the stops that ended by themselves. */
  readonly exit: { readonly median: number; readonly longest: number } | undefined
  /** Exit codes, counted. */
  readonly exits: string
  /** Every expectation of it, those that failed first. */
  readonly expectations: ReadonlyArray<ExpectationSummary>
  /** Nothing lost and nothing failed. */
  readonly passed: boolean
}

/** What one stop's process ended with. */
export const exitOf = (stop: StopReport): string =>
  stop.killed ? "killed" : stop.exitCode === null ? (stop.exitSignal ?? "unknown") : String(stop.exitCode)

const exitAfterSlowest = ({ killed, times }: StopReport): number | undefined =>
  times.exit === null || killed ? undefined : times.exit - times.slowestAccepted

const judged = (report: DrillReport, stop: StopReport): JudgedStop => {
  const lost = report.verdict.lost.filter(({ nth }) => nth === stop.nth)
  return {
    stop,
    lost,
    failed: report.verdict.failed.filter(({ nth }) => nth === stop.nth),
    exitAfterSlowest: exitAfterSlowest(stop),
    lossesCount: lost.length > 0,
    exit: exitOf(stop)
  }
}

/** A stop before there is a verdict; `lossesCount` is what its scenario says. */
export const judge = (stop: StopReport, lossesCount: boolean): JudgedStop => {
  const { expectations, nth, requests, scenario } = stop
  const lost = lossesCount ? requests.filter(({ outcome }) => Outcome.isLost(outcome)) : []
  return {
    stop,
    lost: lost.map((request) => ({ scenario, nth, request })),
    failed: expectations.filter(({ ok }) => !ok).map(({ detail, name }) => ({ scenario, nth, name, detail })),
    exitAfterSlowest: exitAfterSlowest(stop),
    lossesCount,
    exit: exitOf(stop)
  }
}

/** Losses first, then what failed, then those that came late, then the slower exit. */
export const byBadness = (a: JudgedStop, b: JudgedStop): number =>
  b.lost.length - a.lost.length ||
  b.failed.length - a.failed.length ||
  b.stop.tally.outcomes.late - a.stop.tally.outcomes.late ||
  (b.exitAfterSlowest ?? Number.MAX_VALUE) - (a.exitAfterSlowest ?? Number.MAX_VALUE)

const expectationsOf = (stops: ReadonlyArray<StopReport>): ReadonlyArray<ExpectationSummary> => {
  const byName = new Map<string, Array<Expectation>>()
  for (const one of stops.flatMap(({ expectations }) => expectations)) {
    const same = byName.get(one.name)
    if (same === undefined) byName.set(one.name, [one])
    else same.push(one)
  }
  return [...byName]
    .map(([name, all]) => {
      const failed = all.filter(({ ok }) => !ok)
      const details = [...new Set(failed.map(({ detail }) => detail))].filter((detail) => detail !== "")
      return { name, met: all.length - failed.length, failed: failed.length, details }
    })
    .sort((a, b) => b.failed - a.failed)
}

const summarise = (stops: ReadonlyArray<JudgedStop>): ScenarioSummary => {
  const first = stops[0]!.stop
  const sum = (of: (one: JudgedStop) => number) => stops.reduce((all, one) => all + of(one), 0)
  const exits = stops.map((one) => one.exitAfterSlowest).filter((time) => time !== undefined)
  const middle = Figure.median(exits)
  return {
    id: first.scenario,
    title: first.title,
    scenarios: first.scenarios,
    stops,
    worst: stops.toSorted(byBadness)[0]!,
    requests: sum((one) => one.stop.tally.requests),
    lost: sum((one) => one.lost.length),
    late: sum((one) => one.stop.tally.outcomes.late),
    exit: middle === undefined ? undefined : { median: middle, longest: Math.max(...exits) },
    exits: Figure.words(stops.map((one) => one.exit)),
    expectations: expectationsOf(stops.map(({ stop }) => stop)),
    passed: stops.every((one) => one.lost.length === 0 && one.failed.length === 0)
  }
}

/** One summary a scenario, in the order in which they were first run. */
export const scenarios = (report: DrillReport): ReadonlyArray<ScenarioSummary> => {
  const ids = [...new Set(report.stops.map(({ scenario }) => scenario))]
  const stops = report.stops.map((stop) => judged(report, stop))
  return ids.map((id) => summarise(stops.filter(({ stop }) => stop.scenario === id)))
}

/** What failed beside the stops: a service that did not start again. */
export const outsideStops = (report: DrillReport): ReadonlyArray<Failed> => {
  const stops = new Set(report.stops.map(({ nth }) => nth))
  return report.verdict.failed.filter(({ nth }) => !stops.has(nth))
}

/** How long stops took that were made to be timed. */
export interface StopTime {
  /** Under which load. */
  readonly title: string
  /** From the signal to the exit, in milliseconds: the middle one. */
  readonly median: number
  /** The longest. */
  readonly longest: number
}

/** The note in which a scenario that is about the time of a stop leaves it. */
const timeNote = "stopped in"

/** One a scenario that times its stops. */
export const stopTimes = (summaries: ReadonlyArray<ScenarioSummary>): ReadonlyArray<StopTime> =>
  summaries.flatMap(({ stops, title }) => {
    const times = stops
      .map(({ stop }) => stop.notes[timeNote])
      .filter((time): time is number => typeof time === "number")
    const middle = Figure.median(times)
    return middle === undefined ? [] : [{ title, median: middle, longest: Math.max(...times) }]
  })

/** Figures of the whole drill. */
export interface Whole {
  /** Requests of all stops. */
  readonly requests: number
  /** Requests of all stops that met the FIN. */
  readonly late: number
  /** Median and longest time from the slowest request to the exit over all stops, in milliseconds. */
  readonly exit: ScenarioSummary["exit"]
  /** Stops that had to be ended by the drill. */
  readonly killed: number
  /** Expectations that were not met in some stop; the same in several stops of a scenario is one. */
  readonly notMet: number
  /** The verdict in a sentence without its full stop. */
  readonly sentence: string
}

/** A title as a heading: with a capital, where it begins with a letter. */
export const headline = (title: string): string => title.charAt(0).toUpperCase() + title.slice(1)

/** Sums over the scenarios. */
export const whole = (report: DrillReport): Whole => {
  const { failed, lost, passed } = report.verdict
  const stops = report.stops.map((stop) => judged(report, stop))
  const exits = stops.map((one) => one.exitAfterSlowest).filter((time) => time !== undefined)
  const middle = Figure.median(exits)
  // The same expectation in twenty stops is one thing to mend.
  const notMet = new Set(failed.map(({ name, scenario }) => `${scenario} ${name}`)).size
  const were = (n: number, noun: string) => `${Figure.count(n, noun)} ${n === 1 ? "was" : "were"}`
  const sentence = passed
    ? "Nothing was lost"
    : report.stops.length === 0
      ? "No stop was made"
      : lost.length === 0
        ? `Nothing was lost, but ${were(notMet, "expectation")} not met`
        : `${were(lost.length, "request")} lost` +
          (notMet === 0 ? "" : ` and ${were(notMet, "expectation")} not met`)
  return {
    requests: stops.reduce((all, { stop }) => all + stop.tally.requests, 0),
    late: stops.reduce((all, { stop }) => all + stop.tally.outcomes.late, 0),
    exit: middle === undefined ? undefined : { median: middle, longest: Math.max(...exits) },
    killed: stops.filter(({ stop }) => stop.killed).length,
    notMet,
    sentence
  }
}

/** How a request was lost, in words: `dropped by a reset that hit the request`, `status 500`. */
export const how = (request: Lost["request"]): string => {
  if (request.status !== undefined) return `status ${request.status}`
  switch (request.ending) {
    case "fin":
      return "by FIN"
    case "reset":
      return request.hit === undefined || request.hit === "nothing"
        ? "by reset"
        : `by a reset that hit the ${request.hit}`
    case "refused":
      return "refused"
    case "given up":
      return "no end within the grace"
    default:
      return "no whole response"
  }
}
