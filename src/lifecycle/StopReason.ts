/**
 * Why a service stops. The first reason is the one that counts; later ones only hurry it.
 *
 * @module
 */
import * as Cause from "effect/Cause"
import * as ErrorText from "./ErrorText.js"

/** The signals that ask for a stop. */
export type Signal = "SIGTERM" | "SIGINT" | "SIGHUP" | "SIGBREAK"

/** Why a service stops. */
export type StopReason =
  /** The operating system, an orchestrator or a person asked. */
  | { readonly _tag: "Signal"; readonly signal: Signal }
  /** The program asked, through `Lifecycle.stop`. */
  | { readonly _tag: "Requested"; readonly message: string }
  /** The fiber that runs the launch effect was interrupted, by whoever embeds it. */
  | { readonly _tag: "Interrupted" }
  /** A layer could not be acquired: the service never was ready. */
  | { readonly _tag: "StartFailed"; readonly cause: Cause.Cause<unknown> }
  /** A supervised worker ended in failure. */
  | { readonly _tag: "WorkerFailed"; readonly worker: string; readonly cause: Cause.Cause<unknown> }
  /** An exception that nothing caught, or a promise rejection that nothing handled, reached the process. */
  | {
      readonly _tag: "Uncaught"
      readonly origin: "uncaughtException" | "unhandledRejection"
      readonly error: unknown
    }

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
