/**
 * Why a service stops. The first reason is the one that counts; later ones only hurry it.
 *
 * @module
 */
import * as Cause from "effect/Cause"
import * as ErrorText from "./ErrorText.js"

/** The signals that ask for a stop. */
export type Signal = "SIGTERM" | "SIGINT" | "SIGHUP" | "SIGBREAK"

/** The operating system, an orchestrator or a person asked. */
export interface BySignal {
  /** Which reason it is. */
  readonly _tag: "Signal"
  /** By its name. */
  readonly signal: Signal
}

/** The program asked, through `Lifecycle.stop`. */
export interface Requested {
  /** Which reason it is. */
  readonly _tag: "Requested"
  /** Why, for people. */
  readonly message: string
}

/** The fiber that runs the launch effect was interrupted, by whoever embeds it. */
export interface Interrupted {
  /** Which reason it is. */
  readonly _tag: "Interrupted"
}

/** A layer could not be acquired: the service never was ready. */
export interface StartFailed {
  /** Which reason it is. */
  readonly _tag: "StartFailed"
  /** What the acquisition ended in. */
  readonly cause: Cause.Cause<unknown>
}

/** A supervised worker ended in failure. */
export interface WorkerFailed {
  /** Which reason it is. */
  readonly _tag: "WorkerFailed"
  /** The worker's name. */
  readonly worker: string
  /** What it ended in. */
  readonly cause: Cause.Cause<unknown>
}

/** An exception that nothing caught, or a promise rejection that nothing handled, reached the process. */
export interface Uncaught {
  /** Which reason it is. */
  readonly _tag: "Uncaught"
  /** By which way it came. */
  readonly origin: "uncaughtException" | "unhandledRejection"
  /** What was thrown, or rejected with. */
  readonly error: unknown
}

/** Why a service stops. */
export type StopReason = BySignal | Requested | Interrupted | StartFailed | WorkerFailed | Uncaught

/** A programmatic stop. */
export const requested = (message: string): StopReason => ({ _tag: "Requested", message })

/** Whether the reason is a failure (exit code 1) and not a wish. */
export const isFailure = (reason: StopReason): boolean =>
  reason._tag === "StartFailed" || reason._tag === "WorkerFailed" || reason._tag === "Uncaught"

/** The reason in a few words, for a log line or a report: `SIGTERM`, `worker ledger-ingestion failed: …`. */
export const describe = (reason: StopReason): string => {
  switch (reason._tag) {
    case "Signal":
      return reason.signal
    case "Requested":
      return reason.message
    case "Interrupted":
      return "interrupted"
    case "StartFailed":
      return `start failed: ${ErrorText.of(Cause.squash(reason.cause))}`
    case "WorkerFailed":
      return `worker ${reason.worker} failed: ${ErrorText.of(Cause.squash(reason.cause))}`
    case "Uncaught":
      return `${reason.origin}: ${ErrorText.of(reason.error)}`
  }
}
