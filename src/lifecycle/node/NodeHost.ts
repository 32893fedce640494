/**
 * A Node process as the host of a service.
 *
 * @module
 */
import { writeSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ExitCode from "../ExitCode.js"
import * as Host from "../Host.js"
import * as ActiveResources from "./ActiveResources.js"
import * as Signals from "./Signals.js"

/** How long a handle that nobody owns may keep the process alive after the run is over, in milliseconds. */
const leakGraceMillis = 500

/** The same after a stop that was forced: somebody waits, and what hung has most likely left a handle behind. */
const forcedLeakGraceMillis = 50

/** Turns of the event loop in which handles that were closed last disappear. */
const closingTurns = 3

/** Lets the event loop turn. */
const turns = (count: number): Effect.Effect<void> =>
  Effect.async((resume) => {
    const turn = (left: number) => (left === 0 ? resume(Effect.void) : setImmediate(turn, left - 1))
    turn(count)
  })

/** Says what is still open when the process exits although nobody should hold anything any more. */
const tellLeaks = (code: number): void => {
  const left = ActiveResources.list()
  if (left.length === 0) return
  try {
    // Not through a stream: those end with the process before they have said it.
    writeSync(
      2,
      `lifecycle: the run is over but something was left open: ${left.join(", ")}; the process exits with code ${code}\n`
    )
  } catch {
    // A stderr that is closed or full keeps nobody here.
  }
}

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
      Effect.zipRight(
        turns(closingTurns),
        Effect.sync(() => {
          process.exitCode = code
          // Whoever ends the process may name another code (runMain says 0 after an interruption): the run's own is the last word.
          process.prependListener("exit", () => {
            process.exitCode = code
            tellLeaks(code)
          })
          // Does not keep the process alive, but ends it when something else does.
          setTimeout(
            () => process.exit(code),
            code === ExitCode.forced ? forcedLeakGraceMillis : leakGraceMillis
          ).unref()
        })
      )
  }))

/** A host that begins to listen when it is built: for a program that has no entry of its own. */
export const layerNow: Layer.Layer<Host.Host> = Layer.suspend(() => layer(Signals.capture()))
