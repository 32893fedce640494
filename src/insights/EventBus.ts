/**
 * Events in this process, in the order of their ids, for whoever subscribes.
 *
 * A subscriber that is slow holds up nobody: it has room for some thousand events, and loses the oldest beyond it. It sees that by the ids, and reads what it lost
 * from the outbox, where everything still is.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import type * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { Event } from "./Outbox.js"

/** The bus. */
export interface Shape {
  /** Tells every subscriber. Never waits, never fails. */
  readonly publish: (events: ReadonlyArray<Event>) => Effect.Effect<void>
  /** What is published from now on, until the scope closes. */
  readonly subscribe: Effect.Effect<Queue.Dequeue<Event>, never, Scope.Scope>
}

/** The bus of the service. */
export class EventBus extends Context.Tag("stellar-insights/insights/EventBus")<EventBus, Shape>() {}

/** Events that a subscriber may be behind. */
export const capacity = 4096

/** A bus, open until its scope closes. */
export const layer: Layer.Layer<EventBus> = Layer.scoped(
  EventBus,
  Effect.acquireRelease(PubSub.sliding<Event>(capacity), PubSub.shutdown).pipe(
    Effect.map((pubsub) => ({
      publish: (events: ReadonlyArray<Event>) => Effect.asVoid(pubsub.publishAll(events)),
      subscribe: pubsub.subscribe
    }))
  )
)
