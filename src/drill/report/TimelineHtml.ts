/**
 * The picture of one stop.
 *
 * Bars are one path a look, in a drawing that is stretched to the width of the page; whatever is text is HTML on top of it, so that a phone shows it in a size that
 * can be read.
 *
 * @module
 */
import type { StopReport } from "../DrillReport.js"
import * as Figure from "./Figure.js"
import * as Look from "./Look.js"
import type { Markup } from "./Markup.js"
import { html, raw } from "./Markup.js"
import * as Timeline from "./Timeline.js"

/** Units of the drawing's width. */
const width = 1000
/** The most that all lanes together may take, in pixels. */
const mostHeight = 300
/** A bar is never narrower, or short requests would vanish; in units of the width. Where lanes are high, so are bars that would be specks. */
const leastBar = (pitch: number): number => (pitch > 8 ? 3.5 : 1.8)
/** Bars that show what they are when one points at them. */
const titled = 80

const round = (value: number): number => Math.round(value * 10) / 10

/** Position in percent. */
const percent = ({ from, to }: Timeline.Window, at: number): number =>
  Math.round(((at - from) / (to - from)) * 10_000) / 100

const describe = ({ request }: Timeline.Laned): string =>
  `${request.kind}: ${request.outcome}${request.status === undefined ? "" : ` ${request.status}`}, ` +
  `sent ${Figure.duration(request.sentAt)}, ended ${Figure.duration(request.doneAt)}` +
  (request.connection === 0 ? "" : `, connection ${request.connection}`)

const bars = (stop: StopReport, window: Timeline.Window, lossesCount: boolean): Markup => {
  const { count, laned } = Timeline.lanes(stop.requests)
  const pitch = Math.min(13, mostHeight / Math.max(1, count))
  const thick = pitch > 3 ? pitch - 1.5 : pitch * 0.9
  const height = Math.max(24, Math.ceil(count * pitch) + 4)
  const least = leastBar(pitch)
  const x = (at: number) => round(((at - window.from) / (window.to - window.from)) * width)
  const drawn = Look.all.map(({ look }) => {
    let path = ""
    const single: Array<Markup> = []
    let last = ""
    for (const each of laned) {
      const { request } = each
      if (Look.of(request, lossesCount) !== look) continue
      if (request.doneAt < window.from || request.sentAt > window.to) continue
      const from = Math.max(-2, x(request.sentAt))
      const to = Math.min(width + 2, x(request.doneAt))
      const y = round(each.lane * pitch + pitch / 2 + 2)
      const line = `M${from} ${y}h${round(Math.max(least, to - from))}`
      // Requests of half a millisecond in a window of seconds fall onto each other: one of them is enough.
      if (line === last) continue
      last = line
      const isNotable = look !== "before" && look !== "flight" && look !== "after"
      if (isNotable && single.length < titled)
        single.push(html`<path class="bar ${look}" d="${raw(line)}"><title>${describe(each)}</title></path>`)
      else path += line
    }
    return [path === "" ? undefined : html`<path class="bar ${look}" d="${raw(path)}" />`, single]
  })
  return html`<svg
    class="bars"
    viewBox="0 0 ${width} ${height}"
    preserveAspectRatio="none"
    style="height:${height}px;--thick:${round(thick)}"
    aria-hidden="true"
  >
    ${drawn}
  </svg>`
}

const flag = (window: Timeline.Window, moment: Timeline.Moment, row: number): Markup | undefined => {
  const at = percent(window, moment.at)
  if (at > 100) return undefined
  // Beyond the middle the words stand on the left of their line, or they would leave the page.
  return html`<div class="flag ${moment.name}${at > 55 ? " left" : ""}" style="left:${at}%;--row:${row}">
    <span>${moment.label}</span>
  </div>`
}

const steps = (stop: StopReport, window: Timeline.Window): Markup | undefined => {
  const known = (stop.steps ?? []).filter(({ from, to }) => to >= window.from && from <= window.to)
  if (known.length === 0) return undefined
  const rows = known.map((step) => {
    const from = Math.max(0, percent(window, step.from))
    const to = Math.min(100, percent(window, step.to))
    const kind = step.kind === "phase" ? "phase" : "step"
    const bad = step.outcome === "completed" ? "" : " bad"
    const words = `${step.name} ${Figure.duration(step.to - step.from)}${bad === "" ? "" : `, ${step.outcome}`}`
    return html`<div class="row ${kind}${bad}">
      <i style="left:${from}%;width:${Math.max(0.15, round(to - from))}%"></i
      ><span
        class="${from > 55 ? "left" : ""}"
        style="${from > 55 ? "right" : "left"}:${from > 55 ? round(100 - from) : from}%"
        >${words}</span
      >
    </div>`
  })
  return html`<div class="steps">
    <p>The service’s own account</p>
    ${rows}
  </div>`
}

const view = (stop: StopReport, window: Timeline.Window, lossesCount: boolean, isFirst: boolean): Markup => {
  const flags = Timeline.moments(stop)
  return html`<div class="view" ${raw(isFirst ? "" : "hidden")}>
    <div class="plot" style="--rows:${flags.length}">
      ${bars(stop, window, lossesCount)} ${flags.map((moment, row) => flag(window, moment, row))}
    </div>
    <div class="axis" aria-hidden="true">
      ${Timeline.ticks(window)
        .filter((at) => percent(window, at) > 2 && percent(window, at) < 97)
        .map((at, i, all) => {
          // On a phone there is room for every other mark, zero among them.
          const isMinor = (i - Math.max(0, all.indexOf(0))) % 2 !== 0
          return html`<span class="${isMinor ? "minor" : ""}" style="left:${percent(window, at)}%"
            >${Figure.tick(at)}</span
          >`
        })}
    </div>
    ${steps(stop, window)}
  </div>`
}

/** What the picture shows, in words; they stand under it. */
export const caption = (stop: StopReport): string => {
  const { exit, lastWhole, listenerClosed } = stop.times
  const parts = [
    listenerClosed === null ? undefined : `the listener closed after ${Figure.duration(listenerClosed)}`,
    lastWhole === null
      ? "there was no whole response"
      : lastWhole < 0
        ? "there was no whole response after the signal"
        : `the last whole response was in after ${Figure.duration(lastWhole)}`,
    exit === null || stop.killed
      ? "the process had to be killed"
      : `the process was gone after ${Figure.duration(exit)}, ` +
        (stop.exitCode === null ? `ended by ${stop.exitSignal}` : `exit code ${stop.exitCode}`)
  ]
  const sentence = parts.filter((part) => part !== undefined).join("; ")
  const left =
    stop.requestsLeftOut === 0
      ? ""
      : ` The picture shows ${Figure.integer(stop.requests.length)} of ${Figure.integer(stop.tally.requests)} requests, every loss among them.`
  return `After ${stop.signal}, ${sentence}.${left}`
}

/** A figure with its caption and legend. `lossesCount` is whether the verdict holds this stop's losses against the service. */
export const render = (stop: StopReport, lossesCount: boolean): Markup => {
  const [whole, ...closer] = Timeline.windows(stop)
  const seen = new Set(stop.requests.map((request) => Look.of(request, lossesCount)))
  const buttons = [whole, ...closer].map(
    (window, i) =>
      html`<button type="button" aria-pressed="${i === 0 ? "true" : "false"}">${window.label}</button>`
  )
  return html`<figure class="timeline">
    ${closer.length === 0 ? undefined : html`<div class="zoom" role="group" aria-label="What is shown">${buttons}</div>`}
    ${[whole, ...closer].map((window, i) => view(stop, window, lossesCount, i === 0))}
    <ul class="legend" aria-hidden="true">
      ${Look.all
        .filter(({ look }) => seen.has(look))
        .map(({ label, look }) => html`<li><i class="${look}"></i>${label}</li>`)}
    </ul>
    <figcaption>${caption(stop)}</figcaption>
  </figure>`
}
