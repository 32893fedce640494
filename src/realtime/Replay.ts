/** What a client missed, out of the log, and then live: nothing left out, nothing twice. */
import * as Effect from "effect/Effect"
import type { Channels, Member } from "./Channels.js"
import type * as EventLog from "./EventLog.js"
import type * as Protocol from "./Protocol.js"

/** Events read at once. */
const page = 500

/** Who gets a replay. */
export interface Listener extends Member {
  /** Whether there is any use in going on. */
  readonly isOpen: boolean
  /** Tells of a gap. */
  say(gap: typeof Protocol.Gap.Type): void
  /** Calls `then` as soon as there is room for more, or nobody there any more. */
  whenClear(then: () => void): void
}

const clear = (client: Listener): Effect.Effect<void> =>
  Effect.async((resume) => client.whenClear(() => resume(Effect.void)))

/**
 * Sends `client` every event of its channels after `lastEventId`, and has it join those who get live events. Where events may be missing a gap says so
 * first. It keeps to the speed at which the client reads, and ends early when the client goes. Fails when the log cannot be read; then nothing can be said of
 * what is missing. Interrupting it leaves the client where it is in the log.
 */
export const run = (
  log: EventLog.Shape,
  channels: Channels,
  client: Listener,
  lastEventId: number
): Effect.Effect<void, EventLog.EventLogError> =>
  Effect.gen(function* () {
    const wanted = new Set(client.session.channels)
    let cursor = lastEventId
    if (cursor > channels.position) {
      const newest = Math.max(yield* log.head, channels.position)
      if (cursor > newest) {
        const message = "there is no such event here: what was missed, if anything, cannot be told"
        client.say({ op: "gap", from: newest, to: cursor, reason: "ahead", message })
        cursor = newest
      }
    }
    while (client.isOpen) {
      const published = channels.position
      // Nothing is published between this look and the joining.
      if (cursor >= published) return channels.join(client, cursor)
      const events = yield* log.readAfter(cursor, page)
      // Asked after reading: what is removed while we read is then known to be missing.
      const oldest = log.unsafeHolds?.(cursor) === true ? 0 : yield* log.oldest
      if (cursor + 1 < oldest) {
        const message = "these events are not kept any more"
        client.say({ op: "gap", from: cursor, to: oldest - 1, reason: "retention", message })
        cursor = oldest - 1
      }
      const frames: Array<Buffer> = []
      let first = 0
      for (const event of events) {
        if (event.id <= cursor) continue
        cursor = event.id
        const frame = channels.kept(event).frameFor(wanted)
        if (frame === undefined) continue
        if (frames.length === 0) first = event.id
        frames.push(frame)
      }
      if (frames.length > 0) client.events(Buffer.concat(frames), first, cursor)
      // What had been published has been read, also where the log has nothing between.
      if (events.length < page) cursor = Math.max(cursor, published)
      if (cursor < channels.position) yield* clear(client)
    }
  })
