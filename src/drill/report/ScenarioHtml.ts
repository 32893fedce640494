/**
 * A scenario on the page: the stop that one wants to see first, the others a click away, and what was found.
 *
 * @module
 */
import * as Figure from "./Figure.js"
import type { Markup } from "./Markup.js"
import { html, raw } from "./Markup.js"
import type { ExpectationSummary, JudgedStop, ScenarioSummary } from "./Summary.js"
import * as Summary from "./Summary.js"
import * as TimelineHtml from "./TimelineHtml.js"

/** Stops of a scenario that are drawn: the worst. A page of a thousand pictures opens on no phone. */
const stopsDrawn = 24
/** Losses of a stop that one sees at once. */
const lossesShown = 8
/** Losses of a stop that are listed. */
const lossesListed = 100

/** A tick or a cross; what it means is read aloud. */
export const mark = (passed: boolean): Markup =>
  passed
    ? html`<span class="mark pass" role="img" aria-label="passed">✓</span>`
    : html`<span class="mark fail" role="img" aria-label="failed">✕</span>`

const lossTable = (lost: JudgedStop["lost"]): Markup =>
  html`<table>
    <thead>
      <tr>
        <th scope="col">Request</th>
        <th scope="col">Outcome</th>
        <th scope="col">How</th>
        <th scope="col" class="number">Sent</th>
        <th scope="col" class="number">Ended</th>
        <th scope="col" class="number">Connection</th>
      </tr>
    </thead>
    <tbody>
      ${lost.map(
        ({ request }) =>
          html`<tr>
            <td><code>${request.kind}</code></td>
            <td class="bad">${request.outcome}</td>
            <td>${Summary.how(request)}</td>
            <td class="number">${Figure.duration(request.sentAt)}</td>
            <td class="number">${Figure.duration(request.doneAt)}</td>
            <td class="number">${request.connection === 0 ? "\u2013" : request.connection}</td>
          </tr>`
      )}
    </tbody>
  </table>`

const losses = ({ lost }: JudgedStop): Markup | undefined => {
  if (lost.length === 0) return undefined
  const first = lost.slice(0, lossesShown)
  const others = lost.slice(lossesShown, lossesListed)
  const more = lost.length - lossesListed
  const heading = html`<h4>Lost: ${Figure.count(lost.length, "request")}</h4>`
  if (others.length === 0) return html`${heading}${lossTable(first)}`
  return html`${heading}${lossTable(first)}
    <details>
      <summary>and ${Figure.integer(lost.length - first.length)} more</summary>
      ${lossTable(others)}
      ${more > 0 ? html`<p>The JSON report has ${Figure.integer(more)} more.</p>` : undefined}
    </details>`
}

const failures = ({ failed }: JudgedStop): Markup | undefined =>
  failed.length === 0
    ? undefined
    : html`<h4>Expected, and not so</h4>
        <ul>
          ${failed.map(({ detail, name }) => html`<li>${name}${detail === "" ? "" : `: ${detail}`}</li>`)}
        </ul>`

const notes = ({ stop }: JudgedStop): Markup | undefined => {
  const entries = Object.entries(stop.notes)
  if (entries.length === 0) return undefined
  return html`<details>
    <summary>${Figure.count(entries.length, "note")} of this stop</summary>
    <dl class="pairs">
      ${entries.map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${typeof value === "number" ? Figure.integer(Math.round(value * 10) / 10) : value}</dd>`
      )}
    </dl>
  </details>`
}

const lastWords = ({ stop }: JudgedStop): Markup | undefined =>
  stop.output.trim() === ""
    ? undefined
    : html`<details>
        <summary>The last that the service printed</summary>
        <pre>${stop.output.trim()}</pre>
      </details>`

const oneStop = (judged: JudgedStop, isShown: boolean): Markup => {
  const { failed, lost, stop } = judged
  const bad = lost.length + failed.length > 0
  return html`<div class="stop" ${raw(isShown ? "" : "hidden")}>
    ${TimelineHtml.render(stop, judged.lossesCount)}
    ${bad ? html`<div class="found">${losses(judged)}${failures(judged)}</div>` : undefined}
    ${notes(judged)}${lastWords(judged)}
  </div>`
}

const expectation = ({ details, failed, met, name }: ExpectationSummary): Markup =>
  html`<li>
    ${mark(failed === 0)}${name}${
      failed === 0
        ? undefined
        : html` <small
            >${failed} of
            ${Figure.count(failed + met, "stop")}${details.length === 0 ? "" : `: ${details.slice(0, 3).join("; ")}`}</small
          >`
    }
  </li>`

const expectations = (one: ScenarioSummary): Markup | undefined => {
  const all = one.expectations
  if (all.length === 0) return undefined
  const unmet = all.filter(({ failed }) => failed > 0).length
  return html`<details>
    <summary>
      ${Figure.count(all.length, "expectation")}, ${unmet === 0 ? "all met" : `${unmet} not met`}
    </summary>
    <ul class="checks">
      ${all.map(expectation)}
    </ul>
  </details>`
}

const picker = (drawn: ReadonlyArray<JudgedStop>, one: ScenarioSummary): Markup | undefined =>
  drawn.length === 1
    ? undefined
    : html`<div class="picker" role="group" aria-label="Which stop">
        <span
          >Stop${drawn.length < one.stops.length ? `, the worst ${drawn.length} of ${one.stops.length}` : ""}</span
        >
        ${drawn.map((each) => {
          const bad = each.lost.length + each.failed.length > 0
          return html`<button
            type="button"
            class="${bad ? "bad" : ""}"
            aria-pressed="${each === one.worst ? "true" : "false"}"
            ${bad ? html` aria-label="${each.stop.nth}, failed"` : undefined}
          >
            ${each.stop.nth}
          </button>`
        })}
      </div>`

/** The section of a scenario. Its `id` is the scenario's with `scenario-` in front. */
export const render = (one: ScenarioSummary): Markup => {
  const drawn = one.stops
    .toSorted(Summary.byBadness)
    .slice(0, stopsDrawn)
    .sort((a, b) => a.stop.nth - b.stop.nth)
  const covers =
    one.scenarios.length === 0
      ? ""
      : ` \u00b7 ${one.scenarios.length === 1 ? "number" : "numbers"} ${one.scenarios.join(", ")} of the catalogue`
  return html`<section class="scenario" id="scenario-${one.id}">
    <h3>${mark(one.passed)} ${Summary.headline(one.title)}</h3>
    <p class="sub">
      <code>${one.id}</code>${covers} · ${Figure.count(one.stops.length, "stop")} ·
      ${Figure.count(one.requests, "request")}
    </p>
    ${picker(drawn, one)} ${drawn.map((each) => oneStop(each, each === one.worst))} ${expectations(one)}
  </section>`
}
