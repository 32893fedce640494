/**
 * How much a server has in hand, for metrics and for whoever must know before it lets go of something.
 *
 * @module
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Connections } from "./Connections.js"

/** The numbers as of one moment. Counts are since the server opened. */
export interface Numbers {
  /** Requests being answered now. */
  readonly requests: number
  /** Connections open now, upgraded ones apart. */
  readonly connections: number
  /** Sockets that speak another protocol now. */
  readonly upgraded: number
  /** Connections accepted. */
  readonly accepted: number
  /** Requests answered whole. */
  readonly answered: number
  /** Requests refused because the service was stopping. */
  readonly refused: number
  /** Requests cut at a limit. */
  readonly interrupted: number
  /** Connections on which bytes arrived after our side was closed. */
  readonly late: number
}

/** The service. */
export interface Shape {
  /** The numbers as of now; all zero before a server is opened. Never fails. */
  readonly numbers: Effect.Effect<Numbers>
  /** As {@link numbers}, for callbacks outside Effect. */
  readonly unsafeNumbers: () => Numbers
  /** For the server: whose numbers these are. */
  readonly unsafeAttach: (connections: Connections) => void
}

/** What the HTTP server has in hand. */
export class InFlight extends Context.Tag("stellar-insights/http/InFlight")<InFlight, Shape>() {}

/** Numbers of a server that is yet to be opened. */
export const make: Effect.Effect<Shape> = Effect.sync(() => {
  let connections: Connections | undefined
  const unsafeNumbers = (): Numbers => ({
    requests: connections?.requests ?? 0,
    connections: connections?.open.size ?? 0,
    upgraded: connections?.upgraded ?? 0,
    accepted: connections?.accepted ?? 0,
    answered: connections?.answered ?? 0,
    refused: connections?.refused ?? 0,
    interrupted: connections?.interrupted ?? 0,
    late: connections?.late ?? 0
  })
  return {
    unsafeNumbers,
    numbers: Effect.sync(unsafeNumbers),
    unsafeAttach: (attached) => {
      connections = attached
    }
  }
})

/** The service as a layer: one within a build, shared with the server. */
export const layer: Layer.Layer<InFlight> = Layer.effect(InFlight, make)
