/** How the run before this one ended: the waterfall of its stop, or what is known when there was none. */
import type { EndingJson } from "../lifecycle/LastRunLog.js"
import type { ShutdownReport } from "../lifecycle/ShutdownReport.js"
import { byId, make, say, sayIn } from "./Dom.js"
import * as Format from "./Format.js"

/** Where it is asked for. */
export const path = "/dashboard/last-run"

type Report = typeof ShutdownReport.Encoded
type Step = Report["steps"][number]

/** What is answered there. */
type LastRun = EndingJson & { readonly report: Report | null }

const outcomes: Readonly<Record<Step["outcome"], string>> = {
  completed: "completed",
  timed_out: "timed out",
  failed: "failed",
  open: "still open"
}

const exits: Readonly<Record<number, string>> = { 0: "clean", 1: "failed", 2: "not configured", 3: "forced" }

const limitOf = (millis: number | null): string => (millis === null ? "no limit" : Format.duration(millis))

/** A bar on the line of time, which ends with the stop. */
const bar = (from: number, millis: number, total: number, className: string) => {
  const made = make("i", {
    class: className,
    title: `from ${Format.duration(from)}, ${Format.duration(millis)}`
  })
  const scale = total > 0 ? 100 / total : 0
  made.style.left = `${Math.min(99.5, from * scale)}%`
  made.style.width = `${Math.min(100 - from * scale, millis * scale)}%`
  return make("td", { class: "track" }, [made])
}

/** A row with the roles that a phone's style would take from it. */
const rowOf = (name: HTMLElement, scope: string, cells: ReadonlyArray<HTMLElement>) => {
  const row = make("tr", {}, [name, ...cells])
  row.setAttribute("role", "row")
  name.setAttribute("role", "rowheader")
  name.setAttribute("scope", scope)
  for (const cell of cells) cell.setAttribute("role", "cell")
  return row
}

const stepRow = (step: Step, total: number) => {
  const error = step.error?.split("\n")[0]
  const outcome = outcomes[step.outcome]
  const row = rowOf(make("th", { text: step.name }), "row", [
    bar(step.startMillis, step.durationMillis, total, step.kind),
    make("td", { class: "num", text: Format.duration(step.durationMillis) }),
    make("td", { class: "limit", text: `of ${limitOf(step.limitMillis)}` }),
    make("td", { class: "outcome", text: error === undefined ? outcome : `${outcome}: ${error}` })
  ])
  row.className = "step"
  row.dataset.outcome = step.outcome
  return row
}

const phaseRow = (phase: string, from: number, millis: number, total: number) => {
  const row = rowOf(make("th", { text: phase }), "rowgroup", [
    bar(from, millis, total, "band"),
    make("td", { class: "num", text: Format.duration(millis) }),
    make("td", { class: "limit" }),
    make("td")
  ])
  row.className = "phase"
  return row
}

/** A step between marks on the line of time that gives about five of them: 1, 2 or 5 times a power of ten. */
const markEvery = (total: number): number => {
  const rough = total / 5
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1e-3)))
  return power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10)
}

const axis = (total: number) => {
  const every = markEvery(total)
  const marks = Array.from({ length: Math.floor(total / every) + 1 }, (_, i) => {
    const mark = make("span", { text: i === 0 ? "0" : Format.duration(i * every) })
    mark.style.left = `${(100 * i * every) / total}%`
    if (i * every > total * 0.9) mark.classList.add("at-end")
    return mark
  })
  byId("axis").replaceChildren(...marks)
  byId("waterfall").style.setProperty("--every", `${(100 * every) / total}%`)
}

/** The steps of a phase: quiesces begin when it drains, releases and hooks when it releases. */
const stepsIn = ({ steps }: Report, phase: string) => {
  if (phase === "draining") return steps.filter(({ kind }) => kind === "quiesce")
  return phase === "releasing" ? steps.filter(({ kind }) => kind !== "quiesce") : []
}

const waterfall = (report: Report) => {
  const table = byId<HTMLTableElement>("waterfall")
  const total = report.durationMillis
  for (const body of table.querySelectorAll("tbody")) body.remove()
  report.phases.forEach(({ phase, startMillis }, i) => {
    const next = report.phases[i + 1]
    if (next === undefined) return
    const millis = next.startMillis - startMillis
    const steps = stepsIn(report, phase).map((step) => stepRow(step, total))
    const group = make("tbody", {}, [phaseRow(phase, startMillis, millis, total), ...steps])
    group.setAttribute("role", "rowgroup")
    table.append(group)
  })
  axis(total)
  table.hidden = false
}

const notesOf = (report: Report): ReadonlyArray<string> => [
  ...Object.entries(report.drains).map(
    ([server, { connectionsAtStart, drained, interrupted, late, requestsAtStart }]) =>
      `${server}: ${Format.plural(requestsAtStart, "request")} on ${Format.plural(connectionsAtStart, "connection")} when the drain began, ` +
      `${drained} answered, ${interrupted} interrupted, ${late} too late`
  ),
  ...report.acquisitionsGivenUp.map((name) => `given up while starting: ${name}`),
  ...(report.forcedOpen === undefined
    ? []
    : [`forced, still open: ${report.forcedOpen.join(", ") || "something unnamed"}`])
]

const notes = (lines: ReadonlyArray<string>) =>
  byId("last-stop-notes").replaceChildren(...lines.map((text) => make("li", { text })))

/** Writes an answer. */
export const show = (answer: unknown): void => {
  const last = answer as LastRun
  byId("waterfall").hidden = true
  byId("last-stop").dataset.outcome = last.outcome
  const summary = byId("last-stop-summary")
  notes([])
  sayIn(
    "last-stop-took",
    last.outcome === "stopped" ? `Stopped in ${Format.duration(last.durationMillis)}` : ""
  )
  switch (last.outcome) {
    case "none":
      sayIn("last-stop-when", "")
      return say(
        summary,
        "Nothing is known of a run before this one. Stop the service and start it again: its stop is drawn here."
      )
    case "stopped": {
      sayIn("last-stop-when", Format.moment(last.endedAt))
      const whole = last.report === null ? "" : `of ${limitOf(last.report.wholeMillis)} · `
      const cut =
        last.requestsInterrupted === 0
          ? "no request cut"
          : `${Format.plural(last.requestsInterrupted, "request")} cut`
      byId("last-stop").dataset.exit = String(last.exitCode)
      say(
        summary,
        `${whole}${last.reason} · ${cut} · exit code ${last.exitCode}, ${exits[last.exitCode] ?? "unknown"}`
      )
      if (last.report === null) return
      waterfall(last.report)
      return notes(notesOf(last.report))
    }
    case "crashed":
      sayIn("last-stop-when", Format.moment(last.crashedBefore))
      return say(
        summary,
        `The last run crashed between ${Format.clock(Date.parse(last.lastSeenAt))} and ${Format.clock(Date.parse(last.crashedBefore))}: it did not get to say goodbye.`
      )
    case "killed":
      sayIn("last-stop-when", Format.moment(last.killedAt))
      say(summary, `The last run was killed by its watchdog, while ${last.phase ?? "stopping"}.`)
      return notes([
        ...last.running.map((step) => `had not ended: ${step}`),
        ...last.keepsAlive.map((what) => `kept the process alive: ${what}`),
        ...last.blockedAt.map((where) => `the event loop was blocked at ${where}`)
      ])
    case "unreadable":
      sayIn("last-stop-when", "")
      return say(summary, `The record of the last run cannot be read: ${last.reason}.`)
  }
}
