/**
 * A drill's report as one page that needs nothing else: no request leaves it (its own policy forbids that), and without scripts it can still be read.
 *
 * @module
 */
import type { DrillReport } from "../DrillReport.js"
import * as Figure from "./Figure.js"
import type { Markup } from "./Markup.js"
import { html, raw } from "./Markup.js"
import * as ScenarioHtml from "./ScenarioHtml.js"
import * as Script from "./Script.js"
import * as Style from "./Style.js"
import type { ScenarioSummary } from "./Summary.js"
import * as Summary from "./Summary.js"

const policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"

const figure = (name: string, value: string, more?: Markup, bad = false): Markup =>
  html`<div class="${bad ? "bad" : ""}">
    <dt>${name}</dt>
    <dd>${value}${more}</dd>
  </div>`

const figures = (report: DrillReport, whole: Summary.Whole): Markup => {
  const { exit, killed, late, notMet, requests } = whole
  const lost = report.verdict.lost.length
  const stops = report.stops.length
  // Where most stops never came to an end by themselves, the middle one of the others says nothing.
  const isNever = exit === undefined || killed * 2 >= stops
  const most = isNever ? undefined : html`<small>at most ${Figure.duration(exit.longest)}</small>`
  const others = exit === undefined ? "" : `, ${Figure.duration(exit.median)} in the others`
  const never =
    killed === 0
      ? undefined
      : html`<small class="bad"
          >${Figure.integer(killed)} of ${Figure.count(stops, "stop")} had to be
          killed${isNever ? others : ""}</small
        >`
  return html`<dl class="figures">
    ${figure("Requests", Figure.integer(requests))}
    ${figure("Lost", Figure.integer(lost), undefined, lost > 0)}
    ${figure("Expectations not met", Figure.integer(notMet), undefined, notMet > 0)}
    ${figure("Late", Figure.integer(late))}
    ${figure("Exit after the slowest request", isNever ? "never" : Figure.duration(exit.median), html`${most}${never}`)}
  </dl>`
}

const number = (label: string, value: number, bad = false): Markup =>
  html`<td class="number${value === 0 ? " zero" : bad ? " bad" : ""}" data-label="${label}">
    ${Figure.integer(value)}
  </td>`

const row = (one: ScenarioSummary): Markup =>
  html`<tr>
    <td>${ScenarioHtml.mark(one.passed)}<a href="#scenario-${one.id}">${Summary.headline(one.title)}</a></td>
    ${number("stops", one.stops.length)}${number("requests", one.requests)}${number("lost", one.lost, true)}${number("late", one.late)}
    <td class="number" data-label="exit after the slowest">
      ${
        one.exit === undefined
          ? html`<span class="bad-text">never</span>`
          : html`${Figure.duration(one.exit.median)}${
              Figure.duration(one.exit.longest) === Figure.duration(one.exit.median)
                ? undefined
                : html` <small>≤ ${Figure.duration(one.exit.longest)}</small>`
            }`
      }
    </td>
    <td class="number" data-label="exit code">${one.exits}</td>
    ${number("failed", one.expectations.filter(({ failed }) => failed > 0).length, true)}
  </tr>`

const table = (summaries: ReadonlyArray<ScenarioSummary>): Markup =>
  html`<table class="scenarios">
    <thead>
      <tr>
        <th scope="col">Scenario</th>
        <th scope="col" class="number">Stops</th>
        <th scope="col" class="number">Requests</th>
        <th scope="col" class="number">Lost</th>
        <th scope="col" class="number">Late</th>
        <th scope="col" class="number">Exit after<br />the slowest</th>
        <th scope="col" class="number">Exit code</th>
        <th scope="col" class="number">Not met</th>
      </tr>
    </thead>
    <tbody>
      ${summaries.map(row)}
    </tbody>
  </table>`

const meanings: ReadonlyArray<readonly [string, string]> = [
  ["complete", "A whole response with a status and body that were expected."],
  ["declined", "A whole 503: the client knows, and may go elsewhere."],
  ["refused", "No byte of the request was taken. It is safe to send it elsewhere."],
  [
    "late",
    "Sent when the server\u2019s FIN had arrived here, or so close to it that the server could not have seen the request. Counted apart: no loss."
  ],
  ["wrong", "Lost: a whole response that is none of what was expected, or bytes that are no response."],
  ["dropped", "Lost: sent on an open connection, which then closed without a byte of response."],
  ["cut", "Lost: the response began and did not end."],
  ["hung", "Lost: neither answered nor closed when the drill gave the stop up."]
]

const pairs = (all: ReadonlyArray<readonly [string, Markup | string]>): Markup =>
  html`<dl class="pairs">
    ${all.map(
      ([name, value]) =>
        html`<dt>${name}</dt>
          <dd>${value}</dd>`
    )}
  </dl>`

const facts = (report: DrillReport): Markup =>
  pairs([
    ["Command", html`<code>${report.command}</code>`],
    ["Address", html`<code>${report.url}</code>`],
    ["Grace", Figure.duration(report.graceMillis)],
    ["Begun", Figure.moment(report.startedAt)],
    ["Took", Figure.duration(report.durationMillis)],
    ["Seed", html`<code>${report.seed}</code>; the same seed draws the same think times and orders`],
    ["Drill", `on Node ${report.node}`]
  ])

const lede = (report: DrillReport, summaries: ReadonlyArray<ScenarioSummary>): Markup => {
  const signals = [...new Set(report.stops.map(({ signal }) => signal))].filter((name) => name !== "none")
  return html`<p class="lede">
    <code>${report.command}</code> was started and stopped
    ${Figure.count(report.stops.length, "time")}${signals.length === 1 ? ` with ${signals[0]}` : ""}, in
    ${Figure.count(summaries.length, "scenario")}. Every byte that went in and came back was accounted for,
    from outside.
  </p>`
}

const stopTimes = (summaries: ReadonlyArray<ScenarioSummary>): Markup | undefined => {
  const times = Summary.stopTimes(summaries)
  if (times.length === 0) return undefined
  const rows = times.map(
    ({ longest, median, title }) =>
      html`<tr>
        <td>${Summary.headline(title)}</td>
        <td class="number">${Figure.duration(median)}</td>
        <td class="number">${Figure.duration(longest)}</td>
      </tr>`
  )
  const table = html`<table class="times">
    <thead>
      <tr>
        <th scope="col">Load</th>
        <th scope="col" class="number">Median</th>
        <th scope="col" class="number">Longest</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`
  return section("From the signal to the exit", table)
}

const section = (heading: string, content: Markup): Markup =>
  html`<h2>${heading}</h2>
    ${content}`

const early = (report: DrillReport): Markup | undefined => {
  if (report.endedEarly === undefined) return undefined
  const failed = Summary.outsideStops(report)
  return html`<p class="bad-text">Ended early: ${report.endedEarly}.</p>
    ${failed.map(({ detail }) => html`<pre>${detail}</pre>`)}`
}

/** The page. Whatever the service or its caller said is escaped. */
export const render = (report: DrillReport): string => {
  const summaries = Summary.scenarios(report)
  const whole = Summary.whole(report)
  const { passed } = report.verdict
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="${raw(policy)}" />
        <meta name="color-scheme" content="light dark" />
        <title>${report.name}: ${passed ? "passed" : "failed"}</title>
        <link rel="icon" href="data:," />
        <style>
          ${raw(Style.css)}
        </style>
      </head>
      <body>
        <main>
          <header>
            <p class="kicker">Shutdown drill of ${report.name}</p>
            <h1 class="${passed ? "pass" : "fail"}">${whole.sentence}.</h1>
            ${lede(report, summaries)} ${early(report)}
          </header>
          ${figures(report, whole)} ${section("Scenarios", table(summaries))} ${stopTimes(summaries)}
          ${section("Stops", html`${summaries.map(ScenarioHtml.render)}`)}
          ${
            report.skipped.length === 0
              ? undefined
              : section(
                  "Not drilled",
                  pairs(report.skipped.map(({ reason, scenario }) => [scenario, reason] as const))
                )
          }
          ${section("What the words mean", pairs(meanings))} ${section("This drill", facts(report))}
        </main>
        <script>
          ${raw(Script.js)}
        </script>
      </body>
    </html> `.text
}
