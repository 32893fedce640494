/** Drills of several servers side by side. */
import * as Os from "node:os"
import type { DrillReport, StopReport } from "../../src/drill/DrillReport.js"
import * as Figure from "../../src/drill/report/Figure.js"
import * as Summary from "../../src/drill/report/Summary.js"
import type { Scenario } from "../../src/drill/Scenario.js"

/** What a comparison shows. */
export interface Comparison {
  /** A row a scenario, a column a server, the header first. */
  readonly rows: ReadonlyArray<ReadonlyArray<string>>
  /** What was lost and what was not as expected, by server and scenario. */
  readonly findings: ReadonlyArray<string>
  /** Faults that the servers are known to have, and whether these drills found them. Only of servers and scenarios that were drilled. */
  readonly knownFaults: ReadonlyArray<{ readonly text: string; readonly found: boolean }>
  /** Ours lost nothing and met every expectation. */
  readonly oursPassed: boolean
}

interface Fault {
  readonly server: string
  readonly scenario: string
  readonly text: string
  readonly isIn: (stops: ReadonlyArray<StopReport>) => boolean
}

const lostOrLate = ({ tally: { outcomes } }: StopReport): number =>
  outcomes.wrong + outcomes.dropped + outcomes.cut + outcomes.hung + outcomes.late

const isKilled = (stops: ReadonlyArray<StopReport>): boolean => stops.some(({ killed }) => killed)

/** From their issue trackers, and from having run them. */
const faults: ReadonlyArray<Fault> = [
  {
    server: "effect",
    scenario: "late-request",
    text: "stock Effect 3 leaves a request unanswered that comes on a kept-alive connection during the drain",
    isIn: (stops) => stops.some(({ tally: { outcomes } }) => outcomes.hung + outcomes.dropped > 0)
  },
  {
    server: "effect",
    scenario: "late-request",
    text: "stock Effect 3 never exits after that",
    isIn: isKilled
  },
  {
    server: "node",
    scenario: "late-request",
    text: "node:http waits for connections that are kept alive: seconds after its last answer it is still there",
    isIn: (stops) => stops.some(({ times }) => (times.exit ?? Infinity) - times.slowestAccepted > 4000)
  },
  {
    server: "express",
    scenario: "kept-alive-busy",
    text: "terminus closes kept-alive connections on requests that are on their way",
    isIn: (stops) => stops.some((stop) => lostOrLate(stop) > 0)
  },
  {
    server: "http-terminator",
    scenario: "kept-alive-busy",
    text: "http-terminator closes kept-alive connections on requests that are on their way",
    isIn: (stops) => stops.some((stop) => lostOrLate(stop) > 0)
  },
  {
    server: "fastify",
    scenario: "blocked",
    text: "fastify closes its listener on connections that were accepted by the kernel",
    isIn: (stops) => stops.some((stop) => lostOrLate(stop) > 0)
  }
]

const cell = (reports: ReadonlyArray<DrillReport>): string => {
  const [summary] = reports.flatMap(Summary.scenarios)
  if (summary === undefined) return "not drilled"
  const killed = summary.stops.filter(({ stop }) => stop.killed).length
  // What the service is expected of beside its requests, each once.
  const notMet = summary.expectations.filter(
    ({ failed, name }) => failed > 0 && name !== "is gone within its grace"
  )
  const parts = [
    ...(summary.lost > 0 ? [`${Figure.integer(summary.lost)} lost`] : []),
    ...(summary.late > 0 ? [`${Figure.integer(summary.late)} late`] : []),
    ...(killed > 0 ? ["never exits"] : []),
    ...(notMet.length > 0 ? [`${notMet.length} not met`] : [])
  ]
  const exit = summary.exit === undefined ? "" : ` (${Figure.duration(summary.exit.median)})`
  return `${parts.length === 0 ? "ok" : parts.join(", ")}${exit}`
}

const findingsOf = (report: DrillReport): ReadonlyArray<string> =>
  Summary.scenarios(report).flatMap(({ expectations, id, stops }) => {
    const lost = stops.flatMap((stop) => stop.lost)
    const kinds = Figure.words(
      lost.map(({ request }) => `${request.kind} ${request.outcome} ${Summary.how(request)}`)
    )
    return [
      ...(lost.length > 0 ? [`${report.name} ${id}: lost ${lost.length}: ${kinds}`] : []),
      ...expectations
        .filter(({ failed }) => failed > 0)
        .map(
          ({ details, failed, met, name }) =>
            `${report.name} ${id}: not met in ${failed} of ${failed + met}: ${name}` +
            (details.length === 0 ? "" : ` (${details[0]})`)
        )
    ]
  })

/** Sets reports of one scenario each side by side. */
export const make = (
  reports: ReadonlyArray<DrillReport>,
  scenarios: ReadonlyArray<Scenario>,
  servers: ReadonlyArray<string>
): Comparison => {
  const of = (server: string, scenario: string) =>
    reports.filter(({ name, stops }) => name === server && stops[0]?.scenario === scenario)
  const stopsOf = (server: string) => reports.flatMap((one) => (one.name === server ? one.stops : []))
  const sums = (count: (stop: StopReport) => number) =>
    servers.map((server) => Figure.integer(stopsOf(server).reduce((sum, stop) => sum + count(stop), 0)))
  return {
    rows: [
      ["scenario", ...servers],
      ...scenarios.map(({ id }) => [id, ...servers.map((server) => cell(of(server, id)))]),
      ["stops", ...sums(() => 1)],
      ["requests", ...sums(({ tally }) => tally.requests)],
      [
        "lost",
        ...servers.map((server) =>
          Figure.integer(
            reports.reduce((sum, one) => sum + (one.name === server ? one.verdict.lost.length : 0), 0)
          )
        )
      ],
      ["late", ...sums(({ tally }) => tally.outcomes.late)]
    ],
    findings: reports.flatMap(findingsOf),
    knownFaults: faults.flatMap(({ isIn, scenario, server, text }) => {
      const stops = of(server, scenario).flatMap((one) => one.stops)
      return stops.length === 0 ? [] : [{ text, found: isIn(stops) }]
    }),
    oursPassed: reports.every(({ name, verdict }) => name !== "ours" || verdict.passed)
  }
}

/** The comparison as a page of the documentation. */
export const page = (
  { knownFaults, rows }: Comparison,
  versions: Readonly<Record<string, string>>
): string => {
  const line = (cells: ReadonlyArray<string>) => `| ${cells.join(" | ")} |`
  const [header, ...rest] = rows
  return [
    "# The drill, on ours and on others",
    "",
    `Written by \`npm run bench drill\` on Node ${process.version}: every server in every scenario of \`stellar-insights drill\` but those of WebSockets, several times where`,
    "it exits soon. All have the same routes; each is stopped in the way its documentation shows.",
    `The machine had ${Os.cpus().length} cores and, in the end, a load average of ${Os.loadavg()[2]!.toFixed(1)} over 15 minutes.`,
    "",
    ...Object.entries(versions).map(([name, text]) => `- **${name}**: ${text}`),
    "",
    "_lost_: requests on an open connection that got no whole answer, or a wrong one. _late_: requests that crossed the closing of an idle connection, so that the",
    "client has no answer either. _never exits_: it had to be killed. _not met_: further expectations that failed. In parentheses the median time from the",
    "last answer that was owed to the exit.",
    "",
    line(header!),
    line(header!.map(() => "---")),
    ...rest.map(line),
    "",
    "Faults that these servers are known for, and whether the drill found them:",
    "",
    ...knownFaults.map(({ found, text }) => `- ${found ? "found" : "**not found**"}: ${text}`),
    ""
  ].join("\n")
}
