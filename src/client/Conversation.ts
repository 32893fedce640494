/**
 * What the client says, over all its connections, and what it makes of the answers: which event was the last, which channels the server knows of, what is
 * still to be asked for.
 *
 * There is at most one request about channels at a time. When it is answered, what is wanted is compared with what there is, and the difference is asked
 * for next: so it does not matter in which moment somebody changes his mind, or what was lost with a connection.
 *
 * Whatever may have left out an event is followed by a `resume` after the last event that was received, on a new connection as on an old one. Until that is
 * answered nothing counts: neither events, which come again, nor the ids in the greeting and in confirmations, which tell where the server is and not
 * where we are.
 *
 * @module
 */
import type * as Protocol from "../realtime/Protocol.js"
import * as Incoming from "./Incoming.js"
import type { Item, Refusal, ResumeState } from "./Options.js"
import type { Schedule } from "./Timers.js"

/** How long to be quiet when the server says that there were too many messages, in milliseconds. */
const quietMs = 1000

/** Channels that a `resume` may name. */
const mostChannels = 1000

/** What a conversation is made of. */
export interface Parts {
  readonly session: ResumeState | undefined
  readonly lastEventId: number | undefined
  readonly channels: Iterable<string>
  readonly schedule: Schedule
  /** Whether nothing more should come for now. */
  readonly isFull: () => boolean
  /** An item for the application, and the last event before it. */
  readonly deliver: (item: Item, before: number) => void
  /** Something was not done. */
  readonly refused: (refusal: Refusal) => void
  /** What is wanted comes from now on: told once a connection. */
  readonly opened: (session: string, resumed: boolean) => void
}

type Connected = typeof Protocol.Connected.Type
type Request = Extract<Protocol.ClientMessage, { readonly channels?: unknown }>

/** What is known of one connection. */
interface Line {
  readonly send: (message: Protocol.ClientMessage) => void
  /** The server's first word, once it has come. */
  greeting: Connected | undefined
  /** Whether what comes counts: it goes on where we are. */
  isInStep: boolean
  /** The request that was not answered yet. */
  asked: Request | undefined
  /** Channels that the server has for us. */
  confirmed: ReadonlySet<string>
  isOpen: boolean
  /** Calls off what is to be done later. */
  callOff: (() => void) | undefined
}

/** The conversation of one client. What it is given to call must not throw. */
export class Conversation {
  private readonly parts: Parts
  private readonly wanted = new Set<string>()
  private token: string | undefined
  private received: number | undefined
  private line: Line | undefined = undefined
  private isDue = false

  constructor(parts: Parts) {
    this.parts = parts
    this.token = parts.session?.token
    this.received = parts.lastEventId ?? parts.session?.lastEventId
    // What a page has kept may be anything.
    if (this.received !== undefined && !Incoming.isId(this.received)) {
      throw new RangeError(`lastEventId is a whole number from 0 on, not ${JSON.stringify(this.received)}`)
    }
    if (this.token !== undefined && !/^.{1,200}$/.test(this.token)) {
      throw new RangeError("the token of a session has 1 to 200 characters")
    }
    this.want(parts.channels)
  }

  /** Channels that are wanted. */
  get channels(): ReadonlyArray<string> {
    return [...this.wanted]
  }

  /** Throws a `RangeError`, and wants none of them, when not all can be asked for. */
  want(channels: Iterable<string>): void {
    const all = new Set(this.wanted)
    for (const channel of channels) {
      if (!/^[\x21-\x7e]{1,200}$/.test(channel)) {
        const rule = "a channel's name has 1 to 200 printable ASCII characters, without spaces"
        throw new RangeError(`${rule}; this one has not: ${JSON.stringify(channel)}`)
      }
      all.add(channel)
    }
    if (all.size > mostChannels) throw new RangeError(`${all.size} channels: ${mostChannels} are allowed`)
    for (const channel of all) this.wanted.add(channel)
    this.askSoon()
  }

  /** Wants these no more. */
  drop(channels: Iterable<string>): void {
    for (const channel of channels) this.wanted.delete(channel)
    this.askSoon()
  }

  /** What to go on with. Of the last event that was received `dealtWith` makes the last one that is done. */
  resumeState(dealtWith: (received: number) => number): ResumeState | undefined {
    if (this.received === undefined) return undefined
    const token = this.token === undefined ? {} : { token: this.token }
    return { ...token, lastEventId: dealtWith(this.received), channels: this.channels }
  }

  /** Leaves the session to whoever has it now. */
  leaveSession(): void {
    this.token = undefined
  }

  /** There is a connection, over which messages may be sent. */
  begin(send: Line["send"]): void {
    this.line = {
      send,
      greeting: undefined,
      isInStep: false,
      asked: undefined,
      confirmed: new Set(),
      isOpen: false,
      callOff: undefined
    }
    // Who knows where to go on need not wait for the greeting.
    this.ask()
  }

  /** The connection has ended. */
  end(): void {
    this.line?.callOff?.()
    this.line = undefined
  }

  /** The server has said something. */
  hear(message: Protocol.ServerMessage): void {
    const { line } = this
    if (line === undefined) return
    switch (message.op) {
      case "connected":
        return line.greeting === undefined ? this.greeted(line, message) : this.resumed(line, message)
      case "subscription_confirm": {
        line.confirmed = new Set(message.channels)
        if (line.asked?.op !== "resume") line.asked = undefined
        if (line.isInStep) this.received = Math.max(this.received ?? 0, message.lastEventId)
        this.open(line)
        return this.ask()
      }
      case "event": {
        if (line.isInStep && message.id > (this.received ?? -1)) this.deliver(line, message, message.id)
        return
      }
      case "pong": {
        // A channel on which nothing happens would be resumed from long ago otherwise, where the log may not reach any more.
        if (line.isInStep) this.received = Math.max(this.received ?? 0, message.lastEventId ?? 0)
        return
      }
      case "gap":
        return this.missing(line, message)
      case "error":
        return this.refused(line, message)
    }
  }

  /** Asks for what is wanted and not had, if now is the time. */
  ask(): void {
    const { line, received, wanted } = this
    if (line === undefined || line.asked !== undefined) return
    const channels = [...wanted]
    if (!line.isInStep) {
      const token = this.token ?? line.greeting?.token
      if (token === undefined || received === undefined || channels.length === 0 || this.parts.isFull())
        return
      return this.request(line, { op: "resume", token, lastEventId: received, channels })
    }
    const missing = channels.filter((channel) => !line.confirmed.has(channel))
    if (missing.length > 0) return this.request(line, { op: "subscribe", channels: missing })
    const surplus = [...line.confirmed].filter((channel) => !wanted.has(channel))
    if (surplus.length > 0) return this.request(line, { op: "unsubscribe", channels: surplus })
  }

  /** Once for all that is said in one turn. */
  private askSoon(): void {
    if (this.isDue) return
    this.isDue = true
    queueMicrotask(() => {
      this.isDue = false
      this.ask()
    })
  }

  private request(line: Line, message: Request): void {
    line.asked = message
    line.send(message)
  }

  private open(line: Line, resumed = false): void {
    if (line.isOpen) return
    line.isOpen = true
    this.parts.opened(line.greeting?.session ?? "", resumed)
  }

  private greeted(line: Line, greeting: Connected): void {
    line.greeting = greeting
    if (line.asked !== undefined) return
    const { received, wanted } = this
    // We begin where the server is, when we have been nowhere, or want nothing of what was. Not when it is behind us: it may have another database.
    if (received === undefined || (wanted.size === 0 && greeting.lastEventId >= received)) {
      this.received = greeting.lastEventId
      this.token = greeting.token
      line.isInStep = true
    }
    if (wanted.size === 0) this.open(line)
    this.ask()
  }

  private resumed(line: Line, answer: Connected): void {
    line.asked = undefined
    line.confirmed = new Set(answer.channels)
    this.token = answer.token
    line.greeting = answer
    line.isInStep = answer.lastEventId <= (this.received ?? 0)
    this.open(line, answer.resumed)
    this.ask()
  }

  private deliver(line: Line, item: Item, received: number): void {
    const before = this.received ?? 0
    this.received = received
    this.parts.deliver(item, before)
    // What comes now is left to come again: the log has it, memory is for what is worked on.
    if (this.parts.isFull()) line.isInStep = false
  }

  private missing(line: Line, gap: typeof Protocol.Gap.Type): void {
    if (!line.isInStep) return
    if (gap.reason === "slow") {
      line.isInStep = false
      return this.ask()
    }
    // In another database ids begin anew.
    this.deliver(line, gap, gap.reason === "ahead" ? gap.from : Math.max(this.received ?? 0, gap.to))
  }

  private refused(line: Line, { channel, code, message }: typeof Protocol.Refused.Type): void {
    const { asked } = line
    if (code === "too_many_messages") {
      // Which one was not handled is not said; asking twice does no harm.
      line.callOff ??= this.parts.schedule(quietMs, () => {
        line.callOff = undefined
        line.asked = undefined
        this.ask()
      })
      return
    }
    const isOurs = code === "malformed" || code === "unknown_channel" || code === "too_many_channels"
    if (!isOurs || asked === undefined) return this.parts.refused({ code, message, channels: [] })
    line.asked = undefined
    const all = asked.channels ?? []
    if (asked.op === "unsubscribe") {
      line.confirmed = new Set([...line.confirmed].filter((channel) => !all.includes(channel)))
      return this.parts.refused({ code, message, channels: [] })
    }
    const channels = channel !== undefined && all.includes(channel) ? [channel] : all
    for (const one of channels) this.wanted.delete(one)
    this.parts.refused({ code, message, channels })
    if (this.wanted.size === 0) this.open(line)
    // The server closes after three refusals in a row. One that is handled in between says that we have understood.
    line.send({ op: "ping" })
    this.ask()
  }
}
