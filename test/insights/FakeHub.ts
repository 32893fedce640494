/** A hub without clients, which notes what it is told. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as EventLog from "../../src/realtime/EventLog.js"
import * as Hub from "../../src/realtime/Hub.js"

/** A hub at `position`, which does `before` each time that it publishes. */
export const make = (position: number, before: Effect.Effect<void> = Effect.void) =>
  Effect.sync(() => {
    const published: Array<EventLog.Event> = []
    const notices: Array<object> = []
    const hub: Partial<Hub.Shape> = {
      publish: (events) =>
        Effect.zipRight(
          before,
          Effect.sync(() => void published.push(...events))
        ),
      position: Effect.sync(() => published.at(-1)?.id ?? position),
      notice: (notice, options) =>
        Effect.sync(() => {
          notices.push({ ...notice, ...options })
          return 0
        })
    }
    // What is left out is for others than publishers.
    return { published, notices, layer: Layer.succeed(Hub.Hub, hub as Hub.Shape) }
  })
