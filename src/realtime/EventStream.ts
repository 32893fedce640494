/**
 * One client of server-sent events: what is on its way to it, bounded. Whoever writes the response takes as fast as the client reads; what waits too
 * long is dropped, the oldest first, and a gap is told in its place, or the stream ends.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
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
  /** Heartbeats since something was taken. */
  private missed = 0
  /** Whether what was taken last is still being written. */
  private isWriting = false
  private wake: (() => void) | undefined = undefined
  private waiting: Array<() => void> = []

  constructor(channels: ReadonlyArray<string>, limits: Limits) {
    this.session = { channels }
    this.limits = limits
  }

  /** Everything that waits, as soon as something does; ends when nothing can come any more. */
  private readonly take: Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<never>> = Effect.suspend(() => {
    this.wake = undefined
    this.missed = 0
    const texts = this.drain()
    this.isWriting = texts.length > 0
    if (this.isWriting) return Effect.succeed(Chunk.unsafeFromArray(texts))
    if (!this.isOpen) return Effect.fail(Option.none())
    this.release()
    return Effect.async<void>((resume) => {
      this.wake = () => resume(Effect.void)
      // Those who were waiting for room may have used it already.
      if (this.queue.length > 0 || !this.isOpen) this.wake()
      return Effect.sync(() => (this.wake = undefined))
    }).pipe(Effect.zipRight(this.take))
  })

  /** What is written to the client, for one reader. */
  readonly bytes: Stream.Stream<Uint8Array> = Stream.repeatEffectChunkOption(this.take)

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

  /** Calls `then` as soon as everything has been written, or the stream is over. */
  whenClear(then: () => void): void {
    if (!this.isOpen || (this.queue.length === 0 && !this.isWriting)) then()
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
    this.isOpen = false
    this.release()
  }

  /** It is over: what waits is for nobody. */
  abandon(): void {
    this.isOpen = false
    this.queue = []
    this.queued = 0
    this.dropped = undefined
    this.wake?.()
    this.release()
  }

  private push(entry: Entry): void {
    if (!this.isOpen) return
    this.queue.push(entry)
    this.queued += entry.text.length
    if (this.wake !== undefined) this.wake()
    else if (this.isWriting && this.queued > this.limits.queue) this.makeRoom()
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
