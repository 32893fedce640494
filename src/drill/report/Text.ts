/**
 * A drill's report for a terminal or a log.
 *
 * @module
 */
import type { DrillReport, Lost } from "../DrillReport.js"
import * as Figure from "./Figure.js"
import type { ExpectationSummary, JudgedStop, ScenarioSummary } from "./Summary.js"
import * as Summary from "./Summary.js"

/** Losses of one scenario that are listed; the others are in the machine's report. */
const lossesListed = 5

/** Columns padded to their widest cell, the first to the left, the others to the right; the first row is the header. */
const table = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join("  ")
      .trimEnd()
  )
}

/** `24 ms` or, over many stops, `24 ms, at most 31 ms`. */
const exit = (times: ScenarioSummary["exit"]): string =>
  times === undefined
    ? "never"
    : Figure.duration(times.median) === Figure.duration(times.longest)
      ? Figure.duration(times.median)
      : `${Figure.duration(times.median)}, at most ${Figure.duration(times.longest)}`

const scenarioRow = (one: ScenarioSummary): ReadonlyArray<string> => [
  `${one.passed ? "ok  " : "FAIL"} ${one.id}`,
  Figure.integer(one.stops.length),
  Figure.integer(one.requests),
  Figure.integer(one.lost),
  Figure.integer(one.late),
  exit(one.exit),
  one.exits,
  Figure.integer(one.expectations.filter(({ failed }) => failed > 0).length)
]

const header = ["scenario", "stops", "requests", "lost", "late", "exit after the slowest", "code", "failed"]

/** A lost request in one line. */
const loss = ({ nth, request }: Lost): string =>
  `stop ${nth}: ${request.kind} ${request.outcome} ${Summary.how(request)}, sent at ${Figure.duration(request.sentAt)}, ` +
  `ended ${Figure.duration(request.doneAt - request.sentAt)} later`

const expectation = ({ details, failed, met, name }: ExpectationSummary): string =>
  `expected: ${name}; not met in ${failed} of ${Figure.count(failed + met, "stop")}` +
  (details.length === 0 ? "" : ` (${details.slice(0, 3).join("; ")}${details.length > 3 ? "; ..." : ""})`)

const findings = (one: ScenarioSummary): ReadonlyArray<string> => {
  const lost = one.stops.flatMap((stop) => stop.lost)
  const more = lost.length - lossesListed
  return [
    "",
    `${one.id}: ${one.title}`,
    ...lost.slice(0, lossesListed).map((request) => `  ${loss(request)}`),
    ...(more > 0 ? [`  and ${Figure.integer(more)} more`] : []),
    ...one.expectations.filter(({ failed }) => failed > 0).map((each) => `  ${expectation(each)}`)
  ]
}

/** What a service says may hold sequences that a terminal would obey. */
const plain = (text: string): string => text.replaceAll(/(?!\n)\p{Cc}/gu, "\ufffd")

/** One line for a stop that was just made, for whoever watches. */
export const stopLine = (one: JudgedStop): string => {
  const { lost, stop } = one
  const { outcomes, requests } = stop.tally
  const parts = [
    Figure.count(requests, "request"),
    ...(lost.length === 0 ? [] : [`${Figure.integer(lost.length)} lost`]),
    ...(outcomes.late === 0 ? [] : [`${Figure.integer(outcomes.late)} late`]),
    stop.times.exit === null || stop.killed
      ? "had to be killed"
      : `exit ${one.exit} after ${Figure.duration(stop.times.exit)}`,
    ...one.failed.map(({ name }) => `not met: ${name}`)
  ]
  const mark = lost.length + one.failed.length === 0 ? "ok  " : "FAIL"
  return plain(`${mark} ${stop.scenario} #${stop.nth}: ${parts.join(", ")}`)
}

/** The whole report: a table of the scenarios, what was lost and what failed, what was left out, and the verdict in the last line. Ends without a line end. */
export const render = (report: DrillReport): string => {
  const summaries = Summary.scenarios(report)
  const { requests, sentence } = Summary.whole(report)
  const lines = [
    report.name === report.command ? report.command : `${report.name}: ${report.command}`,
    `${report.url}, grace ${Figure.duration(report.graceMillis)}, seed ${report.seed}, Node ${report.node}, ${Figure.moment(report.startedAt)}`,
    "",
    ...table([header, ...summaries.map(scenarioRow)]),
    ...summaries.filter(({ passed }) => !passed).flatMap(findings)
  ]
  const times = Summary.stopTimes(summaries)
  if (times.length > 0) {
    const rows = times.map(({ longest, median, title }) => [
      title,
      Figure.duration(median),
      Figure.duration(longest)
    ])
    lines.push("", ...table([["from the signal to the exit", "median", "longest"], ...rows]))
  }
  if (report.skipped.length > 0) {
    lines.push("", ...report.skipped.map(({ reason, scenario }) => `skipped ${scenario}: ${reason}`))
  }
  if (report.endedEarly !== undefined) lines.push("", `ended early: ${report.endedEarly}`)
  for (const { detail, name } of Summary.outsideStops(report))
    lines.push(`  expected: ${name}; not so: ${detail}`)
  lines.push(
    "",
    `${report.verdict.passed ? "PASSED" : "FAILED"}. ${sentence}: ${Figure.count(report.stops.length, "stop")} of ` +
      `${Figure.count(summaries.length, "scenario")}, ${Figure.count(requests, "request")}, ${Figure.duration(report.durationMillis)}.`
  )
  return plain(lines.join("\n"))
}
