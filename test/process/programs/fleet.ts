/**
 * Many WebSocket clients in a process of their own, so that neither the server nor the runner shares its event loop with them. Each resumes its session whenever its
 * connection has ended, and keeps account: of the events that it saw, of what it sent and of what was answered.
 */
import { WebSocket } from "ws"
import type { Ask, Compared, Counts, Settings } from "../../support/Fleet.js"

const {
  channelSets,
  clients: count,
  messageMillis,
  saveMillis,
  spreadMillis,
  ...settings
} = JSON.parse(process.env.FLEET!) as Settings
let url = settings.url

const problems: Array<string> = []
let found = 0
const round = { told: 0, byes: 0, whole: 0, abrupt: 0, refused: 0, busy: 0, resumed: 0, forgotten: 0 }
let opened: Array<number> = []
let hints: Array<number> = []
let unsavedMillis = 0
const waits: Array<number> = []
let events = 0
let messages = 0

interface Said {
  readonly op: string
  readonly session: string
  readonly token: string
  readonly resumed: boolean
  readonly channels: ReadonlyArray<string>
  readonly total: number
  readonly lastEventId: number
  readonly reconnectAfterMs: number
  readonly code: string
}

const eventStart = '{"op":"event","id":'
/** The id of an event, without reading the rest of it; none when it is another message. */
const idOf = (data: Buffer): number | undefined => {
  if (data.length < 30 || data.toString("latin1", 0, eventStart.length) !== eventStart) return undefined
  let id = 0
  for (let at = eventStart.length; data[at]! >= 48 && data[at]! <= 57; at++) id = id * 10 + data[at]! - 48
  return id
}

class Client {
  readonly ids: Array<number> = []
  start = -1
  last = -1
  phase: "away" | "connecting" | "greeted" | "live" = "away"
  /** Whether it was live when it was said goodbye to, so that it must have seen everything. */
  isWhole = false
  /** How many of its ids were found right, and where in the expected ones the first of them is. */
  checked = 0
  from = -1
  private ws: WebSocket | undefined = undefined
  private session = ""
  private token = ""
  private fresh = { session: "", token: "" }
  /** Messages of the session that were answered, as far as is known. */
  private total = 0
  /** What the server must still know of that after a crash. */
  private least = 0
  /** Sent on this connection and not answered yet; sent on earlier ones that were cut. */
  private inFlight = 0
  private lost = 0
  /** When what is in flight was sent: answers come in its order. */
  private sentAt: Array<number> = []
  private answers: Array<readonly [at: number, total: number]> = []
  private cutAt = 0
  private begunAt = 0
  private told: number | undefined = undefined
  private isBid = false
  private attempts = 0
  readonly name: string
  readonly channels: ReadonlyArray<string>

  constructor(name: string, channels: ReadonlyArray<string>) {
    this.name = name
    this.channels = channels
  }

  private wrong(what: string): void {
    found++
    if (problems.length < 20) problems.push(`${this.name} (${this.channels}): ${what}`)
  }

  connect(): void {
    this.phase = "connecting"
    this.told = undefined
    this.isBid = false
    this.isWhole = false
    this.inFlight = 0
    this.sentAt = []
    const ws = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout: 20_000 })
    this.ws = ws
    let isOpen = false
    ws.on("open", () => {
      isOpen = true
      this.attempts = 0
      opened.push(Date.now())
    })
    ws.on("error", () => {})
    ws.on("unexpected-response", (_, response) => {
      if (response.statusCode === 503) round.busy++
      else this.wrong(`the upgrade was answered with ${response.statusCode}`)
      response.resume()
      ws.terminate()
    })
    ws.on("message", (data: Buffer) => {
      const id = idOf(data)
      if (id !== undefined) this.event(id)
      else this.hear(JSON.parse(data.toString()) as Said)
    })
    ws.on("close", (code) => (isOpen ? this.closed(code) : this.refused()))
  }

  private event(id: number): void {
    events++
    if (this.isBid) this.wrong(`event ${id} after bye`)
    if (this.phase !== "live") this.wrong(`event ${id} before the resume was answered`)
    if (id <= this.last) this.wrong(`event ${id} after ${this.last}`)
    this.last = id
    this.ids.push(id)
  }

  private hear(said: Said): void {
    if (this.isBid) this.wrong(`${said.op} after bye`)
    switch (said.op) {
      case "connected":
        return this.phase === "connecting" ? this.greeted(said) : this.resumed(said)
      case "subscription_confirm": {
        if (said.lastEventId < this.last) this.wrong(`confirmed at ${said.lastEventId} after ${this.last}`)
        // It has everything up to there, so there it would go on.
        this.last = said.lastEventId
        if (this.start < 0) this.start = said.lastEventId
        this.phase = "live"
        return this.answered(said)
      }
      case "pong":
        return this.answered(said)
      case "server_shutdown": {
        if (this.told !== undefined) this.wrong("told twice that the server stops")
        if (!(said.reconnectAfterMs >= 0 && said.reconnectAfterMs <= spreadMillis))
          this.wrong(`asked to come back after ${said.reconnectAfterMs} ms`)
        this.told = said.reconnectAfterMs
        hints.push(said.reconnectAfterMs)
        round.told++
        return
      }
      case "bye": {
        this.isBid = true
        round.byes++
        if (this.told === undefined) this.wrong("bye without server_shutdown")
        // A message that was never read is neither counted nor answered. Before the resume was answered this is a session without any.
        const expected = this.phase === "live" ? this.total : 0
        if (said.total !== expected) this.wrong(`bye says ${said.total} messages, answered were ${expected}`)
        if (this.phase !== "live") return
        this.isWhole = true
        round.whole++
        this.least = this.total
        return
      }
      default:
        return this.wrong(`the server says ${JSON.stringify(said)}`)
    }
  }

  private greeted(said: Said): void {
    this.phase = "greeted"
    if (said.resumed || said.total !== 0) this.wrong(`greeted with ${JSON.stringify(said)}`)
    this.fresh = { session: said.session, token: said.token }
    if (this.token === "") {
      this.begin(0)
      this.send({ op: "subscribe", channels: this.channels })
    } else {
      const { channels, last, token } = this
      this.send({ op: "resume", token, lastEventId: last, channels })
      // It waits behind the resume, and counts in the session that is resumed.
      if (Math.random() < 0.3) this.send({ op: "ping" })
    }
  }

  private begin(total: number): void {
    this.session = this.fresh.session
    this.token = this.fresh.token
    this.total = total
    // Nothing of a session that begins is saved yet, also where the message that began it counts in it already.
    this.least = 0
    this.lost = 0
    this.begunAt = Date.now()
    this.answers = []
  }

  private resumed(said: Said): void {
    if (this.phase !== "greeted") this.wrong("resumed twice")
    this.phase = "live"
    this.inFlight--
    this.sentAt.shift()
    if (said.lastEventId !== this.last) this.wrong(`asked for ${this.last}, resumed at ${said.lastEventId}`)
    if (said.channels.join() !== this.channels.join()) this.wrong(`resumed with channels ${said.channels}`)
    if (!said.resumed) {
      // A crash may come before a session was saved for the first time.
      round.forgotten++
      const age = this.cutAt - this.begunAt
      if (this.least > 0 || age > saveMillis) this.wrong(`a session of ${age} ms is not known any more`)
      this.begin(said.total)
      return
    }
    round.resumed++
    if (said.session !== this.session) this.wrong(`session ${this.session} became ${said.session}`)
    const stored = said.total - 1
    if (stored < this.least) this.wrong(`${stored} messages are counted, at least ${this.least} were saved`)
    if (stored > this.total + this.lost)
      this.wrong(`${stored} messages are counted, ${this.total + this.lost} sent`)
    const uncounted = this.answers.find(([, total]) => total > stored)
    if (uncounted !== undefined) unsavedMillis = Math.max(unsavedMillis, this.cutAt - uncounted[0])
    this.answers = []
    this.total = said.total
    this.least = stored
    this.lost = 0
  }

  private answered(said: Said): void {
    if (this.phase !== "live") this.wrong(`${said.op} before the resume was answered`)
    if (--this.inFlight < 0) this.wrong(`${said.op} without a question`)
    const now = Date.now()
    const sent = this.sentAt.shift()
    if (sent !== undefined) waits.push(now - sent)
    this.answers.push([now, ++this.total])
    if (this.answers.length > 100) this.answers.shift()
  }

  private closed(code: number): void {
    if (this.isBid) {
      if (code !== 1001) this.wrong(`closed with ${code} after bye`)
      this.away(this.told ?? 0)
      return
    }
    round.abrupt++
    if (code !== 1006) this.wrong(`closed with ${code}`)
    if (this.phase === "live") {
      this.cutAt = Date.now()
      for (const [at, total] of this.answers) if (at < this.cutAt - saveMillis) this.least = total
    }
    this.lost += this.inFlight
    this.backOff()
  }

  private refused(): void {
    round.refused++
    this.backOff()
  }

  private backOff(): void {
    const most = Math.min(2000, 200 * 2 ** Math.min(10, this.attempts++))
    this.away(most * (0.25 + 0.75 * Math.random()))
  }

  private away(millis: number): void {
    this.phase = "away"
    this.ws = undefined
    setTimeout(() => this.connect(), millis)
  }

  private send(message: object): void {
    this.inFlight++
    this.sentAt.push(Date.now())
    messages++
    this.ws!.send(JSON.stringify(message))
  }

  /** Says something, as clients do now and then. */
  speak(): void {
    if (this.phase !== "live" || this.isBid) return
    this.send(Math.random() < 0.25 ? { op: "subscribe", channels: this.channels } : { op: "ping" })
  }

  /** Compares what it saw with what it should have seen. */
  compare(expected: ReadonlyArray<number>): "right" | "short" | "wrong" {
    if (this.from < 0) this.from = expected.findIndex((id) => id > this.start)
    if (this.from < 0) return this.ids.length === 0 ? "right" : "wrong"
    for (; this.checked < this.ids.length; this.checked++) {
      const should = expected[this.from + this.checked]
      if (this.ids[this.checked] === should) continue
      this.wrong(`saw ${this.ids[this.checked]} where the outbox has ${should}`)
      return "wrong"
    }
    const missing = expected.length - this.from - this.checked
    if (missing > 0 && this.isWhole)
      this.wrong(`said goodbye to after ${this.last}, ${missing} events before the end of the outbox`)
    return missing > 0 ? "short" : "right"
  }
}

const clients = Array.from(
  { length: count },
  (_, i) => new Client(`client ${process.pid}/${i}`, channelSets[i % channelSets.length]!)
)
const expected = channelSets.map((): Array<number> => [])

let next = 0
const tickMillis = 50
setInterval(() => {
  for (let n = Math.ceil((count * tickMillis) / messageMillis); n > 0; n--) clients[next++ % count]!.speak()
}, tickMillis)

const inPhase = (...phases: ReadonlyArray<Client["phase"]>) =>
  clients.filter(({ phase }) => phases.includes(phase)).length

const answer = (ask: Ask): Counts | Compared | undefined => {
  switch (ask.what) {
    case "connect": {
      // Evenly over the time that is given for it.
      clients.forEach((client, i) => setTimeout(() => client.connect(), (i / count) * ask.millis))
      return undefined
    }
    case "mark": {
      for (const key of Object.keys(round) as Array<keyof typeof round>) round[key] = 0
      opened = []
      hints = []
      waits.length = 0
      return undefined
    }
    case "move": {
      url = ask.url
      return undefined
    }
    case "counts":
      return {
        ...round,
        live: inPhase("live"),
        connected: inPhase("live", "greeted"),
        opened,
        hints,
        unsavedMillis,
        waits,
        events,
        messages,
        problems: found,
        examples: problems
      }
    case "compare": {
      ask.more.forEach((ids, i) => expected[i]!.push(...ids))
      const compared = { right: 0, short: 0, wrong: 0 }
      clients.forEach((client, i) => compared[client.compare(expected[i % channelSets.length]!)]++)
      return compared
    }
  }
}

process.on("message", (ask: Ask) => process.send!({ id: ask.id, answer: answer(ask) }))
process.on("disconnect", () => process.exit(0))
