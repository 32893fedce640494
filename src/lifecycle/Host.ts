/**
 * What a launch needs from the process that it runs in. The one for Node is in `node/NodeHost.ts`; tests have their own.
 *
 * @module
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { StopReason } from "./StopReason.js"

/** The process, as far as a launch is concerned. */
export interface Shape {
  /**
   * Tells `onStop` of every signal, and of every exception that nothing caught, those that came before included, from now until the process ends.
   */
  readonly listen: (onStop: (reason: StopReason) => void) => Effect.Effect<void>
  /** The run is over: the process is to end with `code`, also when something that nobody owns still keeps it alive. */
  readonly leave: (code: number) => Effect.Effect<void>
}

/** The process that hosts the service. */
export class Host extends Context.Tag("stellar-insights/lifecycle/Host")<Host, Shape>() {}

/** A host that hears and does nothing, for a service that is embedded in a program with an end of its own. */
export const layerNoop: Layer.Layer<Host> = Layer.succeed(Host, {
  listen: () => Effect.void,
  leave: () => Effect.void
})
