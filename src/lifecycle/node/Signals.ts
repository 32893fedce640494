/**
 * Signals, heard from the first line of the program on.
 *
 * As PID 1 a signal without a listener is lost, and elsewhere it kills: so the entry calls {@link capture} before it imports anything large. This
 * module must therefore import nothing of Effect. Listeners are prepended and never removed: beside `NodeRuntime.runMain`, which drops its own
 * at the first signal, a second one is still heard.
 *
 * @module
 */
import type { Signal } from "../StopReason.js"

/** Signals since the capture. */
export interface Captured {
  /** Calls `listener` for every signal, those that came before included, in order. */
  readonly listen: (listener: (signal: Signal) => void) => void
}

/**
 * What is listened to. On Windows there are no signals, and Node makes some of what the console says: Ctrl+C is SIGINT (but not in raw mode), Ctrl+Break is SIGBREAK,
 * and a console window that closes is SIGHUP, after which Windows ends the process on its own account within about ten seconds whatever it does:
 * a stop must fit into that. A log-off and a machine that shuts down reach services only through the service manager, so Node makes nothing of them. SIGTERM never
 * comes from outside there, and another process that "sends" one ends this one at once, without a word and with nothing released; it is listened to
 * since a program may emit it itself.
 */
const signals: ReadonlyArray<Signal> =
  process.platform === "win32" ? ["SIGINT", "SIGBREAK", "SIGHUP", "SIGTERM"] : ["SIGTERM", "SIGINT", "SIGHUP"]

/**
 * A terminal sends Ctrl+C to every process of the job, and a runner such as npm passes its own on: one key press arrives twice, or once more for each runner
 * that starts another. So does a SIGTERM that a service manager sends to all processes of a unit. The same signal again within this time, in milliseconds,
 * is such an echo.
 */
const echoMillis = 250

/** How many of them there may be: runners within runners. Whoever sends more in a row means it. */
const echoesAtMost = 3

/** Begins to listen. */
export const capture = (): Captured => {
  const heard: Array<Signal> = []
  const listeners: Array<(signal: Signal) => void> = []
  let first: { readonly signal: Signal; readonly at: number } | undefined
  let echoes = 0
  for (const signal of signals) {
    process.prependListener(signal, () => {
      const now = performance.now()
      if (first === undefined) first = { signal, at: now }
      else if (echoes < echoesAtMost && signal === first.signal && now - first.at < echoMillis) {
        echoes += 1
        return
      }
      heard.push(signal)
      for (const listener of listeners) listener(signal)
    })
  }
  return {
    listen: (listener) => {
      listeners.push(listener)
      for (const signal of heard) listener(signal)
    }
  }
}
