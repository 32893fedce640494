/**
 * A stretch of the event log in memory, without a hole: when a thousand clients come back at once, they want the same few hundred events.
 */
import type { Event } from "../../realtime/EventLog.js"

/** The first place in `events` with an id above `id`. */
const firstAfter = (events: ReadonlyArray<Event>, id: number): number => {
  let [low, high] = [0, events.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (events[middle]!.id > id) high = middle
    else low = middle + 1
  }
  return low
}

/** The stretch: every event of the log above `after`, up to the last one in it. */
export class RecentEvents {
  private after = Number.POSITIVE_INFINITY
  private events: ReadonlyArray<Event> = []
  private readonly capacity: number

  /** At most `capacity` events are kept, the newest. */
  constructor(capacity: number) {
    this.capacity = capacity
  }

  /** The last event in it; none when it is empty. */
  get last(): number | undefined {
    return this.events.at(-1)?.id
  }

  /** Whether the event with this id, or one before it, is in it, and so are all that follow. */
  holds(id: number): boolean {
    const first = this.events[0]
    return first !== undefined && first.id <= id
  }

  /** At most `limit` events after `id`; undefined when that is not known here. It is never an empty list. */
  read(id: number, limit: number): ReadonlyArray<Event> | undefined {
    const { last } = this
    if (id < this.after || last === undefined || id >= last) return undefined
    const from = firstAfter(this.events, id)
    return this.events.slice(from, from + limit)
  }

  /** Takes in what the log had after `id`, with nothing left out between: it continues the stretch or precedes it, else it is the new stretch when it is newer. */
  add(id: number, found: ReadonlyArray<Event>): void {
    const end = found.at(-1)?.id
    if (end === undefined) return
    const { last } = this
    if (last === undefined || (id > last && end > last)) {
      this.set(id, found)
    } else if (id >= this.after) {
      if (end > last) this.set(this.after, [...this.events, ...found.slice(firstAfter(found, last))])
    } else if (end >= this.after && found.length + this.events.length <= this.capacity) {
      this.set(id, [...found.slice(0, firstAfter(found, this.after)), ...this.events])
    }
  }

  private set(after: number, events: ReadonlyArray<Event>): void {
    const excess = Math.max(0, events.length - this.capacity)
    this.after = excess === 0 ? after : events[excess - 1]!.id
    this.events = excess === 0 ? events : events.slice(excess)
  }
}
