/**
 * Tells systemd of the service's life: `READY=1`, `STOPPING=1`, and a `STATUS=` that says what is being waited for.
 *
 * The notify socket takes datagrams, which Node cannot send over unix sockets. The packages that can (`unix-dgram`, `sd-notify`) are native
 * addons to be compiled at installation, too much for two words; `systemd-notify` is there wherever systemd is. The unit needs `NotifyAccess=all`, since the
 * sender is a child of the service, unless the service runs as root. The option `--no-block` is left out for a reason: with it the child may be gone before
 * systemd has looked up which service it belongs to, and the message is lost; nobody here waits for the child.
 *
 * Messages are sent one after the other, in order; what comes while one is under way is merged, the last status wins. Neither the stop nor the exit waits
 * for them.
 *
 * @module
 */
import { spawn } from "node:child_process"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type * as Lifecycle from "../Lifecycle.js"
import type { LifecycleEvent, Step } from "../LifecycleEvent.js"
import type { Phase } from "../Phase.js"
import * as StopReason from "../StopReason.js"

/** How messages are sent. */
export interface Options {
  /** The program that sends its arguments to the notify socket. Default: `systemd-notify`, from the path. */
  readonly command?: string
}

/** For how long one message may take before its child is killed, in milliseconds: longer than the five seconds that `systemd-notify` itself waits for an answer. */
const messageMillis = 6000

/** Whether there is a socket to notify. */
export const isWanted = (): boolean => (process.env.NOTIFY_SOCKET ?? "") !== ""

/** Sends one message and calls `ended` when that is over, with the reason where it failed. */
const send = (
  command: string,
  assignments: ReadonlyMap<string, string>,
  ended: (error?: string) => void
): void => {
  let over = false
  const end = (error?: string) => {
    if (over) return
    over = true
    clearTimeout(timer)
    ended(error)
  }
  const child = spawn(
    command,
    [...assignments].map(([key, value]) => `${key}=${value}`),
    { stdio: "ignore" }
  )
  const timer = setTimeout(() => child.kill("SIGKILL"), messageMillis).unref()
  child.on("error", (error) => end(error.message))
  child.on("exit", (code, signal) => end(code === 0 ? undefined : `${command} ended with ${code ?? signal}`))
  // Neither the child nor its end may hold the exit up.
  child.unref()
}

/** What systemd shows in the unit's status. */
const status = (phase: Phase, running: ReadonlySet<Step>): string => {
  const names = [...running].map(({ kind, name }) => (kind === "hook" ? `${name} (hook)` : name))
  return names.length === 0 ? phase : `${phase}: waiting for ${names.join(", ")}`
}

/** A subscriber that notifies. Telling it never fails; the first message that cannot be sent is logged at debug. */
export const make = (options: Options = {}): Effect.Effect<Lifecycle.Subscriber> =>
  Effect.gen(function* () {
    const { command = "systemd-notify" } = options
    const run = Runtime.runFork(yield* Effect.runtime())
    const running = new Set<Step>()
    const pending = new Map<string, string>()
    let phase: Phase = "starting"
    let isSending = false
    let hasFailed = false

    const flush = () => {
      if (isSending || pending.size === 0) return
      isSending = true
      const assignments = new Map(pending)
      pending.clear()
      send(command, assignments, (error) => {
        isSending = false
        if (error !== undefined && !hasFailed) {
          hasFailed = true
          run(
            Effect.annotateLogs(Effect.logDebug("systemd was not notified"), {
              component: "lifecycle",
              error
            })
          )
        }
        flush()
      })
    }

    const take = (event: LifecycleEvent): void => {
      switch (event._tag) {
        case "PhaseChanged":
          phase = event.phase
          if (phase === "ready") pending.set("READY", "1")
          break
        case "StopInitiated":
          pending.set("STOPPING", "1")
          pending.set("STATUS", `stopping: ${StopReason.describe(event.reason).split("\n")[0]}`)
          return flush()
        case "StepStarted":
          running.add(event.step)
          break
        case "StepCompleted":
        case "StepFailed":
        case "StepTimedOut":
          running.delete(event.step)
          break
        default:
          return
      }
      pending.set("STATUS", status(phase, running))
      flush()
    }

    return (event) => Effect.sync(() => take(event))
  })
