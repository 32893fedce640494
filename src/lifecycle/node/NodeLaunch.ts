/** `launch` for a Node process: `NodeRuntime.runMain(NodeLaunch.launch(app))` is a whole program. */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Budget from "../Budget.js"
import * as Launch from "../Launch.js"
import type * as Lifecycle from "../Lifecycle.js"
import type * as ShutdownReport from "../ShutdownReport.js"
import * as NodeHost from "./NodeHost.js"
import type * as Signals from "./Signals.js"

/** As `Launch.Options`, with signals that an entry has captured earlier; without them listening begins with the launch. */
export interface Options extends Launch.Options {
  readonly signals?: Signals.Captured
}

/** Launches `app` in this process: signals stop it, and the exit code is the report's. Never fails. */
export const launch = <A, E>(
  app: Layer.Layer<A, E, Lifecycle.Lifecycle | Budget.Budget>,
  options: Options = {}
): Effect.Effect<ShutdownReport.ShutdownReport> =>
  Effect.provide(
    Launch.launch(app, options),
    options.signals === undefined ? NodeHost.layerNow : NodeHost.layer(options.signals)
  )
