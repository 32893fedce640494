/**
 * What the hub needs to know of events: where they are kept, so that a client that was away gets what it missed.
 *
 * @module
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** An event. */
export interface Event {
  /** Its place in the order of all events: strictly rising, the same on every instance, below 2^53. */
  readonly id: number
  /** The channels that carry it. A client that has several of them gets it once, under the first. */
  readonly channels: ReadonlyArray<string>
  /** What kind of event it is. */
  readonly type: string
  /** What there is to say, fit for JSON. */
  readonly payload: unknown
}

/** The log could not be read. */
export class EventLogError extends Data.TaggedError("EventLogError")<{
  /** Why. */
  readonly cause: unknown
}> {}

/** The log. All of it can fail with {@link EventLogError}, and may be interrupted at any time. */
export interface Shape {
  /** At most `limit` events with a higher id, ascending. */
  readonly readAfter: (id: number, limit: number) => Effect.Effect<ReadonlyArray<Event>, EventLogError>
  /** The highest id that was given away: every later event has a higher one. 0 when there was none. */
  readonly head: Effect.Effect<number, EventLogError>
  /**
   * Every event with this id or a higher one is still kept. 0 when nothing was ever removed. The lowest id that is kept will always do, and where none is, the one
   * after {@link head}.
   */
  readonly oldest: Effect.Effect<number, EventLogError>
  /** Whether every event after `id` is at hand, so that none of them can have been removed; then {@link oldest} is not asked. Absent, it always is. It must not throw. */
  readonly unsafeHolds?: (id: number) => boolean
}

/** The log that the hub reads from; the service has one over its outbox. */
export class EventLog extends Context.Tag("stellar-insights/realtime/EventLog")<EventLog, Shape>() {}

/** A log in memory, which keeps the last `capacity` events. */
export interface Memory extends Shape {
  /** Adds events, whose ids must rise. They are not published: that is the caller's next step. */
  readonly append: (events: ReadonlyArray<Event>) => Effect.Effect<void>
}

/** The log of {@link layerMemory}, for whoever appends to it. */
export class MemoryLog extends Context.Tag("stellar-insights/realtime/MemoryLog")<MemoryLog, Memory>() {}

/** A log in memory: for tests, and for services whose events do not outlive them. */
export const makeMemory = (capacity: number): Effect.Effect<Memory> =>
  Effect.sync(() => {
    const kept: Array<Event> = []
    let head = 0
    let oldest = 0
    return {
      append: (events) =>
        Effect.sync(() => {
          kept.push(...events)
          head = kept.at(-1)?.id ?? head
          const removed = kept.splice(0, Math.max(0, kept.length - capacity)).at(-1)
          if (removed !== undefined) oldest = removed.id + 1
        }),
      readAfter: (id, limit) =>
        Effect.sync(() => {
          const first = kept.findIndex((event) => event.id > id)
          return first < 0 ? [] : kept.slice(first, first + limit)
        }),
      head: Effect.sync(() => head),
      oldest: Effect.sync(() => oldest)
    }
  })

/** {@link makeMemory} as a layer. */
export const layerMemory = (capacity: number): Layer.Layer<EventLog | MemoryLog> =>
  Layer.effectContext(
    Effect.map(makeMemory(capacity), (log) =>
      Context.make(EventLog, EventLog.of(log)).pipe(Context.add(MemoryLog, log))
    )
  )
