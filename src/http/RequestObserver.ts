/**
 * Everything that was asked, as it ended: the one place from which metrics and the access log take it.
 *
 * It is seen where connections are, so that what no app ever saw counts as well: what the parser or a limit refused, what was cut by a stop, and whose client has left.
 * Connections that another protocol takes over are not seen.
 *
 * @module
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Http from "node:http"
import type * as Net from "node:net"

/** How it ended. */
export type Outcome =
  /** With a whole answer, whichever its status is. */
  | "answered"
  /** It was cut at a limit of a stop, with a 503 or without a word. */
  | "interrupted"
  /** The connection broke before the answer was out: mostly, the client has left. */
  | "aborted"

/** One request, after its end. */
export interface Observed {
  /** In capitals; empty where it did not become a request. */
  readonly method: string
  /** Without the query; empty where it did not become a request. */
  readonly path: string
  /** The pattern of the route that took it, such as `/api/ledgers/:sequence`; undefined where none did. */
  readonly route: string | undefined
  /** The status that was sent; 0 where none was. */
  readonly status: number
  /** How it ended. */
  readonly outcome: Outcome
  /** From its head to the end of the answer, in milliseconds with fractions. */
  readonly durationMillis: number
  /** What was written to the connection for it, heads included, in bytes. */
  readonly bytes: number
  /** Its name, see `RequestId`. */
  readonly id: string
  /** The request; undefined where it did not become one. */
  readonly request: Http.IncomingMessage | undefined
  /** The connection that it came on. */
  readonly socket: Net.Socket
}

/** The service. */
export interface Shape {
  /** Has `see` called with every request that ends while the scope is open, in the midst of the server's work: it must be quick, and not throw. Never fails. */
  readonly add: (see: (observed: Observed) => void) => Effect.Effect<void, never, Scope.Scope>
  /** For the server: whom to tell. The array is always the same one. */
  readonly unsafeListeners: ReadonlyArray<(observed: Observed) => void>
}

/** Who observes requests. */
export class RequestObserver extends Context.Tag("stellar-insights/http/RequestObserver")<
  RequestObserver,
  Shape
>() {}

/** Nobody yet. */
export const make: Effect.Effect<Shape> = Effect.sync(() => {
  const listeners: Array<(observed: Observed) => void> = []
  return {
    unsafeListeners: listeners,
    add: (see) =>
      Effect.acquireRelease(
        Effect.sync(() => void listeners.push(see)),
        () => Effect.sync(() => void listeners.splice(listeners.indexOf(see), 1))
      )
  }
})

/** The service as a layer: one within a build, shared by all servers in it. */
export const layer: Layer.Layer<RequestObserver> = Layer.effect(RequestObserver, make)
