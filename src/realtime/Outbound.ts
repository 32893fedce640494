/**
 * What is on its way to one client, bounded: what the socket does not take at once waits here, and when too much waits, the oldest events are
 * dropped and a gap is told in their place, or the client is closed.
 */
import type { Duplex } from "node:stream"
import * as Frame from "./Frame.js"
import type { SlowClients } from "./HubConfig.js"

/** What all clients of a hub have in common. */
export interface Limits {
  /** Bytes that may wait for one client. */
  readonly queue: number
  /** What becomes of a client whose queue is full. */
  readonly slowClients: SlowClients
}

/** Frames that wait. Events know their ids; an answer to the client has none, and is never dropped. */
interface Entry {
  readonly frames: Buffer
  /** The first and the last id in it; 0 for what is no event. */
  readonly first: number
  readonly last: number
}

/** Where events were dropped. */
interface Dropped {
  /** The last id before them. */
  readonly from: number
  /** The last one of them. */
  readonly to: number
}

/** The way out. */
export abstract class Outbound {
  /** Bytes that wait here; what the socket has taken already is not among them. */
  queued = 0
  /** How often something was dropped. */
  drops = 0
  readonly socket: Duplex
  private readonly limits: Limits
  private queue: Array<Entry> | undefined = undefined
  private dropped: Dropped | undefined = undefined
  private waiting: Array<() => void> | undefined = undefined
  private awaitsDrain = false

  constructor(socket: Duplex, limits: Limits) {
    this.socket = socket
    this.limits = limits
  }

  /** More waits than may, and nothing that could be dropped. */
  protected abstract overflow(): void

  /** Whether everything has been handed to the socket. */
  get isClear(): boolean {
    return this.queue === undefined && !this.socket.writableNeedDrain
  }

  /** Sends what is no event: it waits behind what waits already, and is not dropped. */
  answer(frame: Buffer): void {
    this.push(frame, 0, 0)
  }

  /** Sends events with ids from `first` to `last`. */
  events(frames: Buffer, first: number, last: number): void {
    this.push(frames, first, last)
  }

  /** Calls `then` as soon as everything has been handed to the socket and it has room for more, or the client is gone. */
  whenClear(then: () => void): void {
    if (this.isClear || this.socket.destroyed) return then()
    this.waiting ??= []
    this.waiting.push(then)
    this.onceDrained()
  }

  /** Hands everything to the socket, whatever it has room for, and `last` after it. */
  flush(last?: Buffer): void {
    const { queue, socket } = this
    if (queue !== undefined || this.dropped !== undefined) {
      this.queue = undefined
      this.queued = 0
      this.tellGap()
      if (queue !== undefined) for (const entry of queue) socket.write(entry.frames)
    }
    if (last !== undefined) socket.write(last)
  }

  /** The client is gone: nobody has to wait for it. */
  protected abandon(): void {
    this.queue = undefined
    this.queued = 0
    this.release()
  }

  private push(frames: Buffer, first: number, last: number): void {
    if (this.queue === undefined) {
      if (!this.socket.writableNeedDrain) return void this.socket.write(frames)
      this.queue = []
      this.onceDrained()
    }
    this.queue.push({ frames, first, last })
    this.queued += frames.length
    if (this.queued > this.limits.queue) this.makeRoom(this.queue)
  }

  private makeRoom(queue: Array<Entry>): void {
    if (this.limits.slowClients === "close") return this.overflow()
    let at = 0
    while (this.queued > this.limits.queue) {
      while (at < queue.length && queue[at]!.last === 0) at++
      const oldest = queue[at]
      if (oldest === undefined) return this.overflow()
      queue.splice(at, 1)
      this.queued -= oldest.frames.length
      this.dropped = { from: this.dropped?.from ?? oldest.first - 1, to: oldest.last }
      this.drops++
    }
  }

  private onceDrained(): void {
    if (this.awaitsDrain) return
    this.awaitsDrain = true
    this.socket.once("drain", () => {
      this.awaitsDrain = false
      this.drain()
    })
  }

  private drain(): void {
    const { queue, socket } = this
    if (socket.destroyed) return
    if (queue !== undefined) {
      socket.cork()
      this.tellGap()
      let sent = 0
      while (sent < queue.length && !socket.writableNeedDrain) {
        const { frames } = queue[sent++]!
        this.queued -= frames.length
        socket.write(frames)
      }
      queue.splice(0, sent)
      if (queue.length === 0 && this.queue === queue) this.queue = undefined
      socket.uncork()
    }
    if (this.isClear) this.release()
    else this.onceDrained()
  }

  private tellGap(): void {
    if (this.dropped === undefined) return
    const { from, to } = this.dropped
    this.dropped = undefined
    const message = "events came faster than this client reads: resume with the id in from to get them"
    this.socket.write(Frame.message({ op: "gap", from, to, reason: "slow", message }))
  }

  private release(): void {
    const { waiting } = this
    this.waiting = undefined
    if (waiting !== undefined) for (const then of waiting) then()
  }
}
