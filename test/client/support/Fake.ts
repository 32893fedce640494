/** A network and a clock that do what a test says. */
import { connect } from "../../../src/client/index.js"
import type {
  Client,
  Close,
  Event,
  Gap,
  Options,
  Refusal,
  ServerMessage,
  Socket,
  State
} from "../../../src/client/index.js"
import type * as Protocol from "../../../src/realtime/Protocol.js"

type Listener = (event: { data: unknown; code: number; reason: string }) => void

/** One side of a WebSocket; the test is the other. */
export class FakeSocket implements Socket {
  readonly url: string
  readonly sent: Array<Protocol.ClientMessage> = []
  closedWith: number | undefined = undefined
  isTerminated = false
  private readonly listeners: Array<readonly [string, Listener]> = []

  constructor(url: string) {
    this.url = url
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Protocol.ClientMessage)
  }

  close(code = 1005): void {
    this.closedWith = code
  }

  terminate(): void {
    this.isTerminated = true
  }

  addEventListener(type: string, listener: Listener): void {
    this.listeners.push([type, listener])
  }

  private tell(type: string, event: { data?: unknown; code?: number; reason?: string } = {}): void {
    for (const [of, listener] of this.listeners) {
      if (of === type) listener({ data: undefined, code: 0, reason: "", ...event })
    }
  }

  opens(): void {
    this.tell("open")
  }

  says(...messages: ReadonlyArray<ServerMessage | Record<string, unknown> | string>): void {
    for (const message of messages) {
      this.tell("message", { data: typeof message === "string" ? message : JSON.stringify(message) })
    }
  }

  ends(code = 1006, reason = ""): void {
    this.tell("close", { code, reason })
  }

  /** Takes what was sent since the last look. */
  asked(): Array<Protocol.ClientMessage> {
    return this.sent.splice(0)
  }

  /** Opens and greets, as the hub does. */
  greets(lastEventId: number, token = "new"): void {
    this.opens()
    this.says(connected(lastEventId, { token }))
  }
}

export const connected = (
  lastEventId: number,
  more: Partial<typeof Protocol.Connected.Type> = {}
): ServerMessage => ({
  op: "connected",
  session: `session of ${more.token ?? "new"}`,
  token: "new",
  resumed: false,
  channels: [],
  total: 0,
  lastEventId,
  ...more
})

export const confirm = (lastEventId: number, ...channels: Array<string>): ServerMessage => ({
  op: "subscription_confirm",
  channels,
  lastEventId
})

export const event = (id: number, channel = "news"): ServerMessage => ({
  op: "event",
  id,
  channel,
  type: "said",
  payload: { n: id }
})

export const gap = (from: number, to: number, reason: Gap["reason"]): ServerMessage => ({
  op: "gap",
  from,
  to,
  reason,
  message: "they are gone"
})

export const refusal = (code: Refusal["code"], message: string, channel?: string) => ({
  op: "error",
  code,
  message,
  ...(channel === undefined ? {} : { channel })
})

/** A client on a network and a clock of its own. Random numbers are one half. */
export const open = (options: Partial<Options> = {}) => {
  const sockets: Array<FakeSocket> = []
  const timers = new Set<{ readonly at: number; readonly run: () => void }>()
  let now = 0
  const seen = {
    ids: [] as Array<number>,
    gaps: [] as Array<readonly [number, number, string]>,
    states: [] as Array<State>,
    refusals: [] as Array<Refusal>,
    notices: [] as Array<string>
  }
  const client: Client = connect({
    url: "ws://here/ws",
    WebSocket: class extends FakeSocket {
      constructor(url: string) {
        super(url)
        sockets.push(this)
      }
    },
    random: () => 0.5,
    schedule: (millis, then) => {
      const timer = { at: now + millis, run: then }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    onEvent: (event: Event) => seen.ids.push(event.id),
    onGap: ({ from, reason, to }) => seen.gaps.push([from, to, reason]),
    onState: (state) => seen.states.push(state),
    onRefusal: (refusal) => seen.refusals.push(refusal),
    onNotice: ({ message }) => seen.notices.push(message),
    ...options
  })
  return {
    client,
    seen,
    sockets,
    timers,
    /** The connection of now. */
    get socket() {
      return sockets.at(-1)!
    },
    /** Time goes by. */
    pass: (millis: number) => {
      const until = now + millis
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at)
        if (next === undefined) break
        timers.delete(next)
        now = next.at
        next.run()
      }
      now = until
    },
    /** Ends the connection; gives the wait that follows, when there is one. */
    cut: (close: Partial<Close> = {}) => {
      sockets.at(-1)!.ends(close.code, close.reason)
      return client.state.status === "waiting" ? client.state.delayMs : undefined
    }
  }
}

/** What a client says to go on. */
export const resume = (lastEventId: number, ...channels: Array<string>): Protocol.ClientMessage => ({
  op: "resume",
  token: "new",
  lastEventId,
  channels
})

/** What was said in one turn is asked for after it. */
export const turn = () => new Promise<void>((resolve) => queueMicrotask(resolve))
