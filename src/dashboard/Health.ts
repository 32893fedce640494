/** Phase and readiness, and what the page says of them while it cannot ask. */
import type { Status as IngestionStatus } from "../insights/IngestionStatus.js"
import type { EndingJson } from "../lifecycle/LastRunLog.js"
import type { Phase } from "../lifecycle/Phase.js"
import { byId, make, say, sayIn } from "./Dom.js"
import * as Format from "./Format.js"
import * as Time from "./Time.js"

/** Where it is asked for. */
export const path = "/health"

/** What `/health` says, as far as the page shows it. Sections are there when their layers are. */
export interface Answer {
  readonly status: string
  readonly phase: Phase
  readonly reasons: ReadonlyArray<{ readonly name: string; readonly reason: string }>
  readonly lastRun?: EndingJson
  readonly ingestion?: IngestionStatus
  readonly leases?: ReadonlyArray<{
    readonly name: string
    readonly state: string
    readonly holder: string | null
  }>
  readonly realtime?: { readonly connections: number; readonly streams: number }
}

/** How the service is, as far as the page can know. */
export type View =
  | { readonly is: "unknown" }
  | { readonly is: "answered"; readonly answer: Answer }
  /** It has told its clients that it stops, and has not been asked since. */
  | { readonly is: "stopping" }
  /** It does not answer, since then (milliseconds since 1970). */
  | { readonly is: "away"; readonly since: number }

const titles: Readonly<Record<Phase, string>> = {
  starting: "Starting",
  ready: "Ready",
  announcing: "Stopping",
  draining: "Stopping",
  releasing: "Stopping",
  stopped: "Stopped"
}

const said: Readonly<Record<Phase, string>> = {
  starting: "It is coming up.",
  ready: "It takes requests; readiness waits for nothing.",
  announcing: "It still takes requests, and tells load balancers to look elsewhere.",
  draining: "It takes no new work, and finishes what is in hand.",
  releasing: "It lets go of what it has opened, in reverse order.",
  stopped: "It has let go of everything."
}

const parts = (view: View) => {
  switch (view.is) {
    case "unknown":
      return { title: "Connecting", text: "Asking the service how it is.", phase: undefined, kind: "away" }
    case "stopping":
      return { title: "Stopping", text: said.draining, phase: "draining", kind: "stopping" }
    case "away":
      return {
        title: "Away",
        text: `The service does not answer since ${Format.clock(view.since)}. What is shown is from before; it goes on here as soon as it is back.`,
        phase: undefined,
        kind: "away"
      }
    case "answered": {
      const { phase, reasons } = view.answer
      const isWaiting = phase === "ready" && reasons.length > 0
      return {
        title: isWaiting ? "Not ready" : titles[phase],
        text: isWaiting ? "It is up, and readiness waits for:" : said[phase],
        phase,
        kind: isWaiting ? "waiting" : phase === "ready" ? "ready" : "stopping"
      }
    }
  }
}

/** Writes it. */
export const show = (view: View): void => {
  const { kind, phase, text, title } = parts(view)
  const reasons = view.is === "answered" && view.answer.phase === "ready" ? view.answer.reasons : []
  sayIn("state", title)
  sayIn("readiness", text)
  document.title = `${title} · Stellar Insights`
  document.documentElement.dataset.state = kind
  const obstacles = byId("obstacles")
  obstacles.hidden = reasons.length === 0
  const lines = reasons.map(({ name, reason }) => `${name}: ${reason}`)
  if ([...obstacles.children].map((line) => line.textContent).join("\n") !== lines.join("\n")) {
    obstacles.replaceChildren(...lines.map((line) => make("li", { text: line })))
  }
  for (const step of byId("phases").children) {
    if ((step as HTMLElement).dataset.phase === phase) step.setAttribute("aria-current", "step")
    else step.removeAttribute("aria-current")
  }
}

const states: Readonly<Record<IngestionStatus["state"], string>> = {
  starting: "starting",
  "catching-up": "catching up",
  "at-tip": "at the tip",
  halted: "halted"
}

/** Writes the figures and the heads that come from it. */
export const figures = ({ ingestion, leases, realtime }: Answer): void => {
  if (realtime !== undefined) {
    sayIn("figure-clients", Format.count(realtime.connections + realtime.streams))
    sayIn(
      "figure-clients-note",
      `${Format.plural(realtime.connections, "socket")}, ${Format.plural(realtime.streams, "stream")}`
    )
  }
  const [lease] = leases ?? []
  if (lease !== undefined) {
    sayIn(
      "leases",
      lease.state === "held"
        ? "run in this process"
        : `${lease.state}; they run in ${lease.holder ?? "no process"}`
    )
  }
  if (ingestion === undefined) return
  sayIn("network", ingestion.network)
  byId("network").title = ingestion.source
  const state = byId("figure-ingestion")
  say(state, states[ingestion.state])
  state.dataset.mark = ingestion.state
  sayIn(
    "figure-ingestion-note",
    ingestion.halt?.message ?? `${Format.count(ingestion.ledgersSinceStart)} ledgers since the start`
  )
  if (ingestion.lastCommitAt !== null) {
    sayIn("figure-ledger-note", `stored ${Format.ago(Time.serverNow() - ingestion.lastCommitAt)}`)
  }
}
