/** One connection: what it has asked for, what is known of its peer, and how it ends. */
import type { Duplex } from "node:stream"
import type { Group } from "./Channels.js"
import type { LiveSession } from "./LiveSession.js"
import { type Limits, Outbound } from "./Outbound.js"
import * as Frame from "./Frame.js"
import type { PartingSocket } from "./PartingSocket.js"
import * as Protocol from "./Protocol.js"

/** A connection of the hub. */
export class Client extends Outbound {
  readonly ws: PartingSocket
  /** Where it comes from, as connections are counted. */
  readonly address: string
  session: LiveSession
  /** Those who have the same channels and get live events; none while it has no channels, or is catching up. */
  group: Group | undefined = undefined
  /** While it has seen more than the hub has published: the last event that it knows of. */
  ahead = 0
  /** Pings since it was last heard. */
  missed = 0
  /** Refusals in a row. */
  strikes = 0
  /** Messages over the rate, less those within it since. */
  overs = 0
  /** Messages that it may still send at once, as of {@link refilledAt}. */
  allowance: number
  /** When that was counted, in milliseconds by the clock. */
  refilledAt: number
  /** Whether a message is being handled that takes its time; what arrives meanwhile waits in {@link inbox}. */
  busy = false
  inbox: Array<string> | undefined = undefined
  /** Whether its messages count: neither side has begun to close. */
  isOpen = true

  constructor(options: {
    readonly ws: PartingSocket
    readonly socket: Duplex
    readonly address: string
    readonly session: LiveSession
    readonly limits: Limits
    readonly allowance: number
    readonly now: number
  }) {
    super(options.socket, options.limits)
    this.ws = options.ws
    this.address = options.address
    this.session = options.session
    this.allowance = options.allowance
    this.refilledAt = options.now
  }

  /** Whether anything may still be sent: nothing follows a close frame, whoever sent the first one. */
  private get isHeard(): boolean {
    return this.isOpen && this.ws.readyState === 1
  }

  /** Sends a message of the protocol that is no event. */
  say(message: Protocol.ServerMessage): void {
    this.answer(Frame.message(message))
  }

  /** Sends frames that are no events. */
  override answer(frames: Buffer): void {
    if (this.isHeard) super.answer(frames)
  }

  /** Sends live events, or those of a replay. */
  override events(frames: Buffer, first: number, last: number): void {
    if (!this.isHeard) return
    this.session.lastEventId = last
    super.events(frames, first, last)
  }

  /** Begins to close: what it still sends is not handled. */
  close(code: number, reason = ""): void {
    if (!this.isOpen) return
    if (this.isHeard) this.flush()
    this.isOpen = false
    this.inbox = undefined
    this.ws.close(code, reason)
    this.listen()
  }

  /** As {@link close}, with last words that end in a close frame. */
  bye(words: Buffer): void {
    if (!this.isOpen) return
    const { isHeard } = this
    this.isOpen = false
    this.inbox = undefined
    if (isHeard) {
      this.flush(words)
      this.ws.part(this.socket)
    } else {
      this.ws.close(Protocol.CloseCode.goingAway)
    }
    this.listen()
  }

  /** It is gone. */
  gone(): void {
    this.isOpen = false
    this.inbox = undefined
    this.abandon()
  }

  /** Reads on, if a message in hand had held that up: the peer's close frame is awaited. */
  private listen(): void {
    if (this.ws.isPaused) this.ws.resume()
  }

  protected override overflow(): void {
    this.abandon()
    this.close(Protocol.CloseCode.tryAgainLater, "the client reads too slowly")
  }
}
