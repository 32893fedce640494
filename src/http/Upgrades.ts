/**
 * Who takes a connection over when a client asks for another protocol on it. Whoever speaks one registers for a path, for as long as its
 * scope is open; from then on the socket is theirs, to tell and to close.
 *
 * @module
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Http from "node:http"
import type { Duplex } from "node:stream"

/** Takes a socket over. It must not throw; `head` is what the client sent beyond the request already. */
export type Handler = (request: Http.IncomingMessage, socket: Duplex, head: Buffer) => void

/** The registry. */
export interface Shape {
  /** Sends upgrades of `path` (without query) to `handler` while the scope is open. A later registration of the same path goes first. Never fails. */
  readonly register: (path: string, handler: Handler) => Effect.Effect<void, never, Scope.Scope>
  /** Who is registered for a path. For the server. */
  readonly unsafeFind: (path: string) => Handler | undefined
}

/** Handlers of upgrades, by path. */
export class Upgrades extends Context.Tag("stellar-insights/http/Upgrades")<Upgrades, Shape>() {}

/** A registry with nobody in it. */
export const make: Effect.Effect<Shape> = Effect.sync(() => {
  const handlers: Array<{ readonly path: string; readonly handler: Handler }> = []
  return {
    register: (path, handler) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const entry = { path, handler }
          handlers.push(entry)
          return entry
        }),
        (entry) => Effect.sync(() => handlers.splice(handlers.indexOf(entry), 1))
      ).pipe(Effect.asVoid),
    unsafeFind: (path) => handlers.findLast((entry) => entry.path === path)?.handler
  }
})

/** The registry as a layer: one within a build, shared with the server. */
export const layer: Layer.Layer<Upgrades> = Layer.effect(Upgrades, make)
