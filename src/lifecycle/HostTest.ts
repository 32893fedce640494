/**
 * A host for tests: signals are sent by the test, and the exit code is what it can read afterwards.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Host from "./Host.js"
import type { Signal, StopReason } from "./StopReason.js"

/** One made-up process. */
export interface HostTest {
  /** To be provided to `Launch.launch`. */
  readonly layer: Layer.Layer<Host.Host>
  /** Sends a signal, as the operating system would. Before the launch listens it is kept, as an entry that captured it would. */
  readonly signal: (signal?: Signal) => Effect.Effect<void>
  /** Any other word that reaches a process: an exception that nothing caught. */
  readonly tell: (reason: StopReason) => Effect.Effect<void>
  /** The exit codes that the process was told to end with: one, once the run is over. */
  readonly exitCodes: ReadonlyArray<number>
}

/** A made-up process. SIGTERM is what it sends unless told otherwise. */
export const make: Effect.Effect<HostTest> = Effect.sync(() => {
  const exitCodes: Array<number> = []
  const early: Array<StopReason> = []
  let listener: ((reason: StopReason) => void) | undefined
  const tell = (reason: StopReason) =>
    Effect.sync(() => {
      if (listener === undefined) early.push(reason)
      else listener(reason)
    })
  return {
    layer: Layer.succeed(Host.Host, {
      listen: (onStop) =>
        Effect.sync(() => {
          listener = onStop
          for (const reason of early) onStop(reason)
        }),
      leave: (code) => Effect.sync(() => void exitCodes.push(code))
    }),
    signal: (signal = "SIGTERM") => tell({ _tag: "Signal", signal }),
    tell,
    exitCodes
  }
})
