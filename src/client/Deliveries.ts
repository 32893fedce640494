/**
 * What waits for loops over a client. A loop that is slow has the server wait rather than the page's memory fill: everything is in the server's log.
 *
 * @module
 */
import type { Item } from "./Options.js"

/** An item, and the last event before it. */
interface Entry {
  readonly item: Item
  readonly before: number
}

interface Loop {
  readonly entries: Array<Entry>
  /** The last event before the item that the loop works on. */
  inHand: number | undefined
  /** Called when something has come, or the end. */
  wake: (() => void) | undefined
}

/** The loops over one client. */
export class Deliveries {
  private readonly loops = new Set<Loop>()
  private over: { readonly error?: Error } | undefined = undefined
  private readonly most: number
  private readonly roomAgain: () => void
  private wasFull = false

  /** At most about `most` items wait; `roomAgain` is called when half of that is free after {@link isFull} was found to be true. */
  constructor(most: number, roomAgain: () => void) {
    this.most = most
    this.roomAgain = roomAgain
  }

  /** Whether no more should come for now. */
  get isFull(): boolean {
    for (const { entries } of this.loops) if (entries.length >= this.most) return (this.wasFull = true)
    return false
  }

  /** Hands an item to all loops. */
  push(item: Item, before: number): void {
    for (const loop of this.loops) {
      loop.entries.push({ item, before })
      loop.wake?.()
    }
  }

  /** The last event that all loops are done with, of those up to `received`. */
  dealtWith(received: number): number {
    let last = received
    for (const { entries, inHand } of this.loops) {
      last = Math.min(last, inHand ?? entries[0]?.before ?? received)
    }
    return last
  }

  /** Ends all loops after what waits for them, with an error when there is one. */
  end(error?: Error): void {
    this.over = error === undefined ? {} : { error }
    for (const { wake } of this.loops) wake?.()
  }

  /** Loops go on: the client connects again. */
  begin(): void {
    this.over = undefined
  }

  /** A new loop. */
  async *iterate(): AsyncGenerator<Item, void, void> {
    const loop: Loop = { entries: [], inHand: undefined, wake: undefined }
    this.loops.add(loop)
    try {
      for (;;) {
        const entry = loop.entries.shift()
        if (entry === undefined) {
          if (this.over?.error !== undefined) throw this.over.error
          if (this.over !== undefined) return
          await new Promise<void>((resolve) => {
            loop.wake = resolve
          })
          continue
        }
        loop.inHand = entry.before
        this.look()
        yield entry.item
        loop.inHand = undefined
      }
    } finally {
      this.loops.delete(loop)
      this.look()
    }
  }

  private look(): void {
    if (!this.wasFull) return
    for (const { entries } of this.loops) if (entries.length > this.most / 2) return
    this.wasFull = false
    this.roomAgain()
  }
}
