/**
 * Tells those who wait for a lease that it was given back.
 *
 * It is only about being quick. Whoever waits looks by itself from time to time, so a word that is lost costs a moment and nothing else; and it is the database
 * that says who gets the lease, so a word too many costs a look.
 *
 * @module
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"

/** The messenger. */
export interface Shape {
  /** Says that the lease of this name is free, to every process that listens. Never fails; interrupting it is free. */
  readonly notify: (name: string) => Effect.Effect<void>
  /**
   * Listens for as long as the scope is open. The effect that it gives ends when the lease has been said to be free since that effect last ended, at once when that
   * was so already, so nothing is missed between looking and waiting. It never fails, also when the connection does, and interrupting it is free.
   */
  readonly listen: (name: string) => Effect.Effect<Effect.Effect<void>, never, Scope.Scope>
}

/** How processes wake each other. */
export class Wake extends Context.Tag("stellar-insights/lease/Wake")<Wake, Shape>() {}

/** Nobody is told anything: those who wait look by themselves. */
export const none: Shape = { notify: () => Effect.void, listen: () => Effect.succeed(Effect.never) }

/** {@link none} as a layer. */
export const layerNone: Layer.Layer<Wake> = Layer.succeed(Wake, none)

/** Within one process: for services that share it, and for tests. */
export const makeMemory: Effect.Effect<Shape> = Effect.sync(() => {
  const listeners = new Set<{ readonly name: string; readonly word: Queue.Queue<void> }>()
  return {
    notify: (name) =>
      Effect.suspend(() =>
        Effect.forEach([...listeners], (one) => (one.name === name ? one.word.offer(void 0) : Effect.void), {
          discard: true
        })
      ),
    listen: (name) =>
      Effect.map(
        Effect.acquireRelease(
          Effect.map(Queue.sliding<void>(1), (word) => {
            const listener = { name, word }
            listeners.add(listener)
            return listener
          }),
          (listener) => Effect.sync(() => listeners.delete(listener))
        ),
        ({ word }) => word.take
      )
  }
})

/** {@link makeMemory} as a layer. */
export const layerMemory: Layer.Layer<Wake> = Layer.effect(Wake, makeMemory)
