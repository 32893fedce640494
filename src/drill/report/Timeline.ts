/**
 * Where everything of a stop lies on its line of time: the window that is shown, the lane of each request, the moments, the marks of the axis.
 *
 * Geometry only; `TimelineHtml` draws it.
 *
 * @module
 */
import type { RequestReport, StopReport } from "../DrillReport.js"
import * as Figure from "./Figure.js"

/** What is shown of the time, in milliseconds relative to the signal. */
export interface Window {
  /** What the button says that shows it. */
  readonly label: string
  /** Its left end. */
  readonly from: number
  /** Its right end. */
  readonly to: number
}

/** A moment of the stop. */
export interface Moment {
  /** Which; the style sheet knows the names. */
  readonly name: "signal" | "listener" | "whole" | "exit"
  /** In words, with the time. */
  readonly label: string
  /** Milliseconds relative to the signal. */
  readonly at: number
}

/** A request in its lane. */
export interface Laned {
  /** The request. */
  readonly request: RequestReport
  /** From 0, at the top. */
  readonly lane: number
}

/** The last thing that is known of a stop, at least one millisecond after the signal. */
export const endOf = ({ requests, steps, times }: StopReport): number =>
  Math.max(
    1,
    times.exit ?? 0,
    times.listenerClosed ?? 0,
    ...requests.map(({ doneAt }) => doneAt),
    ...(steps ?? []).map(({ to }) => to)
  )

const beforeOf = (stop: StopReport, after: number): number => {
  const first = Math.min(0, ...stop.requests.map(({ sentAt }) => sentAt))
  // A quarter of the picture is enough of what was before; where nothing was, a little room for the signal's own line.
  return Math.min(-after * 0.04, Math.max(first, -Math.max(after * 0.3, 20)))
}

/** The whole stop and, where most of it happened in a small part of that, the beginning from close by. */
export const windows = (stop: StopReport): readonly [Window, ...ReadonlyArray<Window>] => {
  const end = endOf(stop)
  const all: Window = { label: "whole stop", from: beforeOf(stop, end), to: end * 1.04 }
  const done = stop.requests
    .filter(({ doneAt, outcome }) => doneAt > 0 && outcome !== "hung")
    .map(({ doneAt }) => doneAt)
    .sort((a, b) => a - b)
  const most = Math.max(done[Math.floor(done.length * 0.9)] ?? 0, stop.times.listenerClosed ?? 0, 20) * 1.25
  if (most * 4 > end) return [all]
  return [all, { label: `first ${Figure.duration(most)}`, from: beforeOf(stop, most), to: most }]
}

/** The moments that are known, the earliest first. */
export const moments = (stop: StopReport): ReadonlyArray<Moment> => {
  const { exit, lastWhole, listenerClosed } = stop.times
  const known: Array<Moment> = [
    { name: "signal", label: stop.signal === "none" ? "no signal" : stop.signal, at: 0 }
  ]
  const add = (name: Moment["name"], what: string, at: number | null) => {
    if (at !== null) known.push({ name, label: `${what} ${Figure.duration(at)}`, at })
  }
  add("listener", "listener closed", listenerClosed)
  add("whole", "last whole response", lastWhole !== null && lastWhole >= 0 ? lastWhole : null)
  add("exit", stop.killed ? "killed" : `exit ${stop.exitCode ?? stop.exitSignal ?? ""},`, exit)
  return known.sort((a, b) => a.at - b.at)
}

/**
 * Every connection has a lane as long as it is used, and the next one may have it afterwards: five hundred visitors one after the other need one lane, five hundred
 * at once need five hundred. Requests without a connection are their own. Pipelined requests share a lane, and the later are drawn over the earlier.
 */
export const lanes = (
  requests: ReadonlyArray<RequestReport>
): { readonly count: number; readonly laned: ReadonlyArray<Laned> } => {
  const groups = new Map<string, { from: number; to: number; readonly requests: Array<RequestReport> }>()
  requests.forEach((request, i) => {
    const key = request.connection === 0 ? `none ${i}` : String(request.connection)
    const group = groups.get(key)
    if (group === undefined)
      groups.set(key, { from: request.sentAt, to: request.doneAt, requests: [request] })
    else {
      group.from = Math.min(group.from, request.sentAt)
      group.to = Math.max(group.to, request.doneAt)
      group.requests.push(request)
    }
  })
  const free: Array<number> = []
  const laned: Array<Laned> = []
  for (const group of [...groups.values()].sort((a, b) => a.from - b.from)) {
    const found = free.findIndex((from) => from <= group.from)
    const lane = found === -1 ? free.length : found
    // A little room, or what follows closely would look like one long request.
    free[lane] = group.to + 0.5
    for (const request of group.requests) laned.push({ request, lane })
  }
  return { count: free.length, laned }
}

/** Marks of the axis: at most about seven round times inside the window, zero among them. */
export const ticks = ({ from, to }: Window): ReadonlyArray<number> => {
  const rough = (to - from) / 6
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10)
  const marks: Array<number> = []
  for (let i = Math.ceil(from / step); i * step <= to; i++) marks.push(Number((i * step).toPrecision(12)))
  return marks
}
