/**
 * Tells the delivery in this process that there may be something to deliver. Another process rings no bell here; for that the delivery looks by itself.
 *
 * @module
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"

/** The bell. */
export interface Shape {
  /** Rings. Once or often is the same until it is heard. Never fails. */
  readonly ring: Effect.Effect<void>
  /** Ends when it was rung since it was last heard. Interrupting it is free. */
  readonly heard: Effect.Effect<void>
}

/** The bell of the service. */
export class Bell extends Context.Tag("stellar-insights/webhooks/Bell")<Bell, Shape>() {}

/** A bell that nobody has rung. One at a time can listen. */
export const make: Effect.Effect<Shape> = Effect.map(Queue.sliding<void>(1), (queue) => ({
  ring: Effect.asVoid(Queue.offer(queue, undefined)),
  heard: Queue.take(queue)
}))

/** A bell. */
export const layer: Layer.Layer<Bell> = Layer.effect(Bell, make)
