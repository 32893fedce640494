/** A Node process as the host of a service. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Host from "../Host.js"
import * as Signals from "./Signals.js"

/** How long a handle that nobody owns may keep the process alive after the run is over, in milliseconds. */
const leakGraceMillis = 500

/** A host over signals that were captured earlier, by the entry. */
export const layer = (captured: Signals.Captured): Layer.Layer<Host.Host> =>
  Layer.sync(Host.Host, () => ({
    listen: (onStop) =>
      Effect.sync(() => {
        captured.listen((signal) => onStop({ _tag: "Signal", signal }))
        for (const origin of ["uncaughtException", "unhandledRejection"] as const) {
          process.on(origin, (error: unknown) => onStop({ _tag: "Uncaught", origin, error }))
        }
      }),
    leave: (code) =>
      Effect.sync(() => {
        process.exitCode = code
        // Whoever ends the process may name another code (runMain says 0 after an interruption): the run's own is the last word.
        process.prependListener("exit", () => {
          process.exitCode = code
        })
        // Does not keep the process alive, but ends it when something else does.
        setTimeout(() => process.exit(code), leakGraceMillis).unref()
      })
  }))

/** A host that begins to listen when it is built: for a program that has no entry of its own. */
export const layerNow: Layer.Layer<Host.Host> = Layer.suspend(() => layer(Signals.capture()))
