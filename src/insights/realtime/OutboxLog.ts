/** The hub's event log: the outbox, which is the same for every process on the database. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as EventLog from "../../realtime/EventLog.js"
import * as Outbox from "../Outbox.js"
import * as ChannelNames from "./ChannelNames.js"
import { RecentEvents } from "./RecentEvents.js"

/** Events that are kept in memory: some ten ledgers of the public network. */
const capacity = 8192

/** What the broadcaster tells the log, so that it need not be read again. */
export interface Shape {
  /** These are all events of the outbox after `id`, up to the last of them. */
  readonly remember: (id: number, events: ReadonlyArray<EventLog.Event>) => Effect.Effect<void>
}

/** The memory of the log. */
export class OutboxLog extends Context.Tag("stellar-insights/insights/realtime/OutboxLog")<
  OutboxLog,
  Shape
>() {}

const make = Effect.gen(function* () {
  const outbox = yield* Outbox.Outbox
  const recent = new RecentEvents(capacity)
  // Of many who ask for the same, one reads; the others find it done.
  const lock = yield* Effect.makeSemaphore(1)
  const failed = (cause: unknown) => new EventLog.EventLogError({ cause })

  const read = (id: number, limit: number) =>
    Effect.suspend(() => {
      const known = recent.read(id, limit)
      if (known !== undefined) return Effect.succeed(known)
      return Effect.map(Effect.mapError(outbox.readAfter(id, limit), failed), (found) => {
        const events = found.map(ChannelNames.toEvent)
        recent.add(id, events)
        return events
      })
    }).pipe(lock.withPermits(1))

  const log = EventLog.EventLog.of({
    readAfter: Effect.fn("OutboxLog.readAfter")((id, limit) => {
      const known = recent.read(id, limit)
      return known === undefined ? read(id, limit) : Effect.succeed(known)
    }),
    head: Effect.mapError(outbox.head, failed),
    oldest: Effect.mapError(outbox.oldest, failed),
    unsafeHolds: (id) => recent.holds(id)
  })
  return Context.make(EventLog.EventLog, log).pipe(
    Context.add(OutboxLog, {
      remember: (id, events) => Effect.sync(() => recent.add(id, events))
    })
  )
})

/** The log over the outbox. */
export const layer: Layer.Layer<EventLog.EventLog | OutboxLog, never, Outbox.Outbox> =
  Layer.effectContext(make)
