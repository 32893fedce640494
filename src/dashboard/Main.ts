/** The dashboard: asks the service how it is, listens to what happens, and writes both into the page. */
import type { Client, Event } from "../client/index.js"
import type { NetworkOverview } from "../insights/api/Network.js"
import * as Asking from "./Asking.js"
import * as CacheStats from "./CacheStats.js"
import * as Corridors from "./Corridors.js"
import { byId, sayIn } from "./Dom.js"
import * as Format from "./Format.js"
import * as Health from "./Health.js"
import * as Journal from "./Journal.js"
import * as LastStop from "./LastStop.js"
import * as Ledgers from "./Ledgers.js"
import * as Live from "./Live.js"
import * as Payments from "./Payments.js"
import * as Tasks from "./Tasks.js"
import * as Time from "./Time.js"
import * as Token from "./Token.js"
import * as Version from "./Version.js"

let view: Health.View = { is: "unknown" }
let line: Live.Line = { kind: "connecting", text: "", nextAt: undefined }
let answeredAt: number | undefined
let client: Client | undefined
/** Writes another text in the place of what the journal last said of the connection. */
let amend: ((text: string) => void) | undefined

/** What has changed since it was last written. */
let isStale = false

const isHere = () => view.is === "answered" || view.is === "unknown"

/** Events come by the hundred: they are written together, at most so often (milliseconds). */
const renderEveryMs = 250

const changed = (): void => {
  if (isStale) return
  isStale = true
  Time.later(renderEveryMs, () => {
    isStale = false
    if (document.hidden) return
    Ledgers.render()
    Payments.render()
    sayIn("figure-ledger", Ledgers.last() === 0 ? Format.nothing : Format.count(Ledgers.last()))
  })
}

const become = (next: Health.View): void => {
  const before = view
  view = next
  Health.show(view)
  if (before.is !== "away" && next.is === "away") Journal.note("The service does not answer.", "bad")
  if (before.is === "away" && next.is === "answered") {
    Journal.note(`The service answers again, after ${Format.duration(Time.now() - before.since)}.`, "good")
    for (const ask of others) ask()
    // Whoever was told when to come back keeps to it; nobody else need wait for a service that is there.
    if (client?.state.status === "waiting" && client.state.failures > 0) client.reconnect()
  }
}

/** What `/health` said of the last run when its waterfall was drawn. */
let drawn: string | undefined

const readLastStop = async (told: string): Promise<void> => {
  const answer = await Asking.get(LastStop.path)
  // What did not come is asked for again, after the next answer about health.
  if (!answer.ok) return
  LastStop.show(answer.value)
  drawn = told
}

const askHealth = Asking.repeat({
  path: Health.path,
  everyMs: 2500,
  onAnswer: (value) => {
    const answer = value as Health.Answer
    answeredAt = Time.now()
    become({ is: "answered", answer })
    Health.figures(answer)
    // Another last run: another process answers.
    const told = JSON.stringify(answer.lastRun ?? null)
    if (told !== drawn) void readLastStop(told)
  },
  // A refusal is an answer as well: too many questions, or a proxy without a service behind it.
  onFailure: (status) => {
    if (status !== 429) become({ is: "away", since: view.is === "away" ? view.since : Time.now() })
  }
})

const network = (value: unknown): void => {
  const { closeInterval, payments, successRate, transactions } = value as typeof NetworkOverview.Encoded
  sayIn("figure-interval", closeInterval === null ? Format.nothing : `${closeInterval.toFixed(1)} s`)
  sayIn("figure-transactions", Format.count(transactions))
  sayIn("figure-transactions-note", `${Format.percent(successRate)} successful, last hour`)
  sayIn("figure-payments", Format.count(payments))
}

const ask = (
  path: string,
  everyMs: number,
  onAnswer: (value: unknown) => void,
  isDue: () => boolean = isHere
) => Asking.repeat({ path, everyMs, isDue, onAnswer })

const askLedgers = ask(
  "/api/ledgers?limit=72",
  5000,
  (value) => (Ledgers.read(value), changed()),
  () => isHere() && line.kind !== "live"
)

const others = [
  askLedgers,
  ask(
    "/api/payments?limit=20",
    5000,
    (value) => (Payments.read(value), changed()),
    () => isHere() && line.kind !== "live"
  ),
  ask(Tasks.path, 2500, (value) => (Tasks.take(value), Tasks.render())),
  ask("/api/network?window=1h", 5000, network),
  ask(CacheStats.path, 5000, CacheStats.show),
  ask(Corridors.path, 10_000, Corridors.show)
]

const notice = (payload: Readonly<Record<string, unknown>>): void => {
  sayIn("notice-title", String(payload.title ?? ""))
  sayIn("notice-message", String(payload.message ?? ""))
  byId("notice").dataset.level = String(payload.level ?? "info")
  byId("notice").hidden = false
  Journal.note(`Notice: ${String(payload.title ?? payload.message ?? "")}`)
}

const happened = (event: Event, came: Live.Came): void => {
  const payload = event.payload as Readonly<Record<string, unknown>>
  switch (event.type) {
    case "ledger_closed":
      return Ledgers.closed(event, came)
    case "new_payment":
      return Payments.happened(event)
    case "notice":
      return notice(payload)
    case "health_alert":
      Journal.note(`Alert: ${String(payload.message ?? payload.status ?? event.channel)}`, "warning")
  }
}

const countdown = (): void => {
  const left = line.nextAt === undefined ? 0 : line.nextAt - Time.now()
  sayIn("countdown", left > 0 ? `Next attempt in ${(left / 1000).toFixed(1)} s.` : "")
}

const kinds: Readonly<Record<Live.Kind, Journal.Kind>> = {
  connecting: "info",
  live: "good",
  stopping: "warning",
  away: "bad",
  closed: "bad"
}

const handlers: Live.Handlers = {
  onEvent: (event, came) => {
    happened(event, came)
    changed()
  },
  onGap: ({ message }) => {
    Journal.note(`Events are missing: ${message}`, "bad")
    askLedgers()
  },
  onOpen: (awayMs) => {
    Token.hide()
    if (awayMs !== undefined) {
      Ledgers.returned()
      void Version.check()
    }
    // What closed before the first event is read; afterwards events are all there is to know.
    void Asking.get("/api/ledgers?limit=72").then(
      (answer) => answer.ok && (Ledgers.read(answer.value), changed())
    )
    askHealth()
  },
  onLine: (next, weight) => {
    line = next
    sayIn("live", next.text)
    byId("live-mark").dataset.kind = next.kind
    byId("reconnect").hidden = next.kind !== "away" && next.kind !== "closed"
    countdown()
    if (weight === "news") amend = Journal.note(next.text, kinds[next.kind])
    if (weight === "amends") amend?.(next.text)
  },
  onStopping: () => {
    become({ is: "stopping" })
    askHealth()
  },
  onRefused: () => {
    askHealth()
    // A service that is ready and takes no WebSocket may want a token.
    if (view.is === "answered" && view.answer.phase === "ready") void askForToken()
  }
}

const askForToken = async (): Promise<void> => {
  if (!(await Token.isRefused()) || client?.state.status === "open") return
  client?.close()
  const text = "The service asks for a token before it tells live events."
  handlers.onLine({ kind: "closed", text, nextAt: undefined }, "news")
  byId("reconnect").hidden = true
  Token.ask()
}

Token.onGiven((token) => {
  client?.close()
  client = Live.open(handlers, token)
})
byId("reconnect").addEventListener("click", () => client?.reconnect())
byId("notice-close").addEventListener("click", () => {
  byId("notice").hidden = true
})
addEventListener("online", () => client?.reconnect())

const tick = (): void => {
  Time.later(1000, tick)
  if (document.hidden) return
  Tasks.render()
  const age = answeredAt === undefined ? undefined : Time.now() - answeredAt
  sayIn("fresh", age === undefined ? "" : `Figures as of ${Format.ago(age)}.`)
}

const count = (): void => {
  Time.later(100, count)
  if (line.nextAt !== undefined && !document.hidden) countdown()
}

client = Live.open(handlers, Token.stored())
tick()
count()
