/**
 * One client of server-sent events: what is on its way to it, bounded. Its response reads as fast as the client does; of what waits too long the oldest is
 * dropped, and a gap is told in its place, or the stream ends.
 *
 * It is one of node's streams, not one of Effect's: with those each client took 12 KB more, and each burst four times the work.
 */
import { Readable } from "node:stream"
import type { Group } from "./Channels.js"
import * as EventText from "./EventText.js"
import * as Heartbeat from "./Heartbeat.js"
import type { Limits } from "./Outbound.js"
import type * as Protocol from "./Protocol.js"
import type { Listener } from "./Replay.js"

/** What waits. Events know their ids; what is no event has none, and is never dropped. */
interface Entry {
  readonly text: Buffer
  /** The first and the last id in it; 0 for what is no event. */
  readonly first: number
  readonly last: number
}

/** A stream of events. */
export class EventStream implements Listener {
  group: Group | undefined = undefined
  ahead = 0
  readonly session: { readonly channels: ReadonlyArray<string> }
  /** Whether anything may still be added. */
  isOpen = true
  /** Bytes that wait here. */
  queued = 0
  private readonly limits: Limits
  private queue: Array<Entry> = []
  private dropped: { readonly from: number; readonly to: number } | undefined = undefined
  /** Heartbeats since the response asked for more. */
  private missed = 0
  /** Whether the response has asked for more, and nothing waits. */
  private isWanted = false
  private waiting: Array<() => void> = []

  /** What the response is made of. */
  readonly body: Readable

  constructor(channels: ReadonlyArray<string>, limits: Limits) {
    this.session = { channels }
    this.limits = limits
    this.body = new Readable({ highWaterMark: 1, read: () => this.give() })
  }

  /** Sends what is no event. */
  answer(text: Buffer): void {
    this.push({ text, first: 0, last: 0 })
  }

  /** Sends events with ids from `first` to `last`. */
  events(text: Buffer, first: number, last: number): void {
    this.push({ text, first, last })
  }

  /** Tells of a gap. */
  say(gap: typeof Protocol.Gap.Type): void {
    this.answer(EventText.gap(gap))
  }

  /** Calls `then` as soon as the response has room for more, or the stream is over. */
  whenClear(then: () => void): void {
    if (!this.isOpen || this.isWanted) then()
    else this.waiting.push(then)
  }

  /**
   * A heartbeat, for those who have taken everything. False when nothing was taken for longer than may be: nobody reads. `position` is the last event that was
   * published.
   */
  beat(position: number): boolean {
    if (this.queue.length > 0) return ++this.missed <= Heartbeat.mostMissed
    const has = this.group === undefined ? this.ahead : position
    this.answer(EventText.heartbeat(has > 0 ? has : undefined))
    return true
  }

  /** Sends the last words; the stream ends when everything has been taken. */
  end(words: Buffer): void {
    this.answer(words)
    this.close()
  }

  /** It is over: what waits is for nobody. */
  abandon(): void {
    this.queue = []
    this.queued = 0
    this.dropped = undefined
    this.close()
  }

  private close(): void {
    this.isOpen = false
    if (this.isWanted) this.give()
    this.release()
  }

  private push(entry: Entry): void {
    if (!this.isOpen) return
    if (this.isWanted) {
      this.isWanted = false
      this.body.push(entry.text)
      return
    }
    this.queue.push(entry)
    this.queued += entry.text.length
    // While it is not paused, the response asks for more before this turn is over.
    if (this.queued > this.limits.queue && this.body.isPaused()) this.makeRoom()
  }

  /** The response asks for more. */
  private give(): void {
    this.missed = 0
    this.isWanted = false
    const texts = this.drain()
    for (const text of texts) this.body.push(text)
    if (texts.length > 0) return
    if (!this.isOpen) return void this.body.push(null)
    this.isWanted = true
    this.release()
  }

  private makeRoom(): void {
    if (this.limits.slowClients === "close") return this.abandon()
    let at = 0
    while (this.queued > this.limits.queue) {
      while (this.queue[at]?.last === 0) at++
      const oldest = this.queue[at]
      // The newest stays, however long it is: the client ends with what is the case now.
      if (oldest === undefined || at === this.queue.length - 1) return
      this.queue.splice(at, 1)
      this.queued -= oldest.text.length
      this.dropped = { from: this.dropped?.from ?? oldest.first - 1, to: oldest.last }
    }
  }

  private drain(): Array<Uint8Array> {
    const texts = this.queue.map(({ text }) => text)
    if (this.dropped !== undefined) {
      const message = "events came faster than this client reads: come back after the id in from to get them"
      texts.unshift(EventText.gap({ ...this.dropped, reason: "slow", message }))
      this.dropped = undefined
    }
    this.queue = []
    this.queued = 0
    return texts
  }

  private release(): void {
    const { waiting } = this
    this.waiting = []
    for (const then of waiting) then()
  }
}
