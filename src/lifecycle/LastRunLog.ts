/**
 * Tells how the last run ended: a log line at the start, and the same for `/health`.
 *
 * @module
 */
import * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ErrorText from "./ErrorText.js"
import type { Ending } from "./LastRun.js"
import * as RunRecord from "./RunRecord.js"

const iso = (millis: number): string => DateTime.formatIso(DateTime.unsafeMake(millis))

const round = (millis: number): number => Math.round(millis * 10) / 10

/** An ending as JSON has it; what is not known is null. */
export type EndingJson =
  | { readonly outcome: "none" }
  | {
      readonly outcome: "stopped"
      /** When the run began, ISO 8601. */
      readonly startedAt: string
      /** When it had stopped, ISO 8601. */
      readonly endedAt: string
      /** Why it stopped, in words. */
      readonly reason: string
      /** From the reason to the end, in milliseconds. */
      readonly durationMillis: number
      /** See `ExitCode`. */
      readonly exitCode: number
      /** Quiesces, releases and hooks that did not complete: `database (release): timed_out`. */
      readonly incomplete: ReadonlyArray<string>
      /** Requests that were cut at a limit. */
      readonly requestsInterrupted: number
    }
  | {
      readonly outcome: "crashed"
      readonly startedAt: string
      /** The crash came after this, ISO 8601. */
      readonly lastSeenAt: string
      /** And probably before this, ISO 8601. */
      readonly crashedBefore: string
    }
  | {
      readonly outcome: "killed"
      readonly startedAt: string | null
      /** When the watchdog ended it, ISO 8601. */
      readonly killedAt: string
      /** The phase that it was in. */
      readonly phase: string | null
      /** What had not ended: `database (release) since 7000 ms`. */
      readonly running: ReadonlyArray<string>
      /** What kept the process alive. */
      readonly keepsAlive: ReadonlyArray<string>
      /** Where the event loop was blocked, innermost call first; empty when it was not, or where that could not be seen. */
      readonly blockedAt: ReadonlyArray<string>
    }
  | { readonly outcome: "unreadable"; readonly reason: string; readonly movedTo: string }

/** An ending for `/health`. */
export const toJson = (ending: Ending): EndingJson => {
  switch (ending._tag) {
    case "None":
      return { outcome: "none" }
    case "Stopped": {
      const { durationMillis, exitCode, initiatedAt, reason, requestsInterrupted, steps } = ending.report
      return {
        outcome: "stopped",
        startedAt: iso(ending.startedAt),
        endedAt: iso(initiatedAt + durationMillis),
        reason,
        durationMillis: round(durationMillis),
        exitCode,
        incomplete: steps.flatMap(({ kind, name, outcome }) =>
          outcome === "completed" ? [] : [`${name} (${kind}): ${outcome}`]
        ),
        requestsInterrupted: requestsInterrupted.length
      }
    }
    case "Crashed":
      return {
        outcome: "crashed",
        startedAt: iso(ending.startedAt),
        lastSeenAt: iso(ending.lastSeenAt),
        crashedBefore: iso(ending.lastSeenAt + RunRecord.refreshMillis)
      }
    case "Killed": {
      const { at, keepsAlive, phase, running, stack } = ending.killed
      return {
        outcome: "killed",
        startedAt: Option.getOrNull(Option.map(ending.startedAt, iso)),
        killedAt: iso(at),
        phase: phase ?? null,
        running: running.map(
          ({ kind, name, sinceMillis }) => `${name} (${kind}) since ${round(sinceMillis)} ms`
        ),
        keepsAlive,
        blockedAt: stack ?? []
      }
    }
    case "Unreadable":
      return { outcome: "unreadable", reason: ending.reason, movedTo: ending.movedTo }
  }
}

/** An ending in one sentence. */
export const describe = (ending: Ending): string => {
  const json = toJson(ending)
  switch (json.outcome) {
    case "none":
      return "nothing is known of a last run"
    case "stopped":
      return `the last run stopped at ${json.endedAt} (${json.reason}, ${json.durationMillis} ms, exit code ${json.exitCode})`
    case "crashed":
      return `the last run crashed between ${json.lastSeenAt} and ${json.crashedBefore}`
    case "killed":
      return `the last run was killed by its watchdog at ${json.killedAt}`
    case "unreadable":
      return `the record of the last run cannot be read and was moved to ${json.movedTo}`
  }
}

const messages = {
  none: "nothing is known of a last run",
  stopped: "the last run stopped",
  crashed: "the last run crashed",
  killed: "the last run was killed by its watchdog",
  unreadable: "the record of the last run cannot be read and was moved aside"
} as const

const annotate = Effect.annotateLogs("component", "lifecycle")

/** The one line about the last run: a warning unless it stopped cleanly. `event_type` is `last_run_` and the outcome. */
export const ending = (of: Ending): Effect.Effect<void> => {
  const { outcome, ...data } = toJson(of)
  const isFine = outcome === "none" || (of._tag === "Stopped" && of.report.exitCode === 0)
  const log = outcome === "none" ? Effect.logDebug : isFine ? Effect.logInfo : Effect.logWarning
  const annotations = Object.fromEntries(
    Object.entries(data).map(([key, value]) => [
      key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replace(/_millis$/, "_ms"),
      value
    ])
  )
  return log(messages[outcome]).pipe(
    Effect.annotateLogs({ event_type: `last_run_${outcome}`, ...annotations }),
    annotate
  )
}

/** Living processes have the places before this one. */
export const passedOver = (files: ReadonlyArray<string>, file: string): Effect.Effect<void> =>
  Effect.logWarning("another living process keeps its record there: this one has a file of its own").pipe(
    Effect.annotateLogs({ event_type: "run_record_taken", taken: files, file }),
    annotate
  )

/** The record cannot be kept; the service goes on without. */
export const unwritable = (file: string, why: unknown): Effect.Effect<void> =>
  Effect.logWarning("the record of this run cannot be written").pipe(
    Effect.annotateLogs({
      event_type: "run_record_unwritable",
      file,
      reason: Cause.isCause(why) ? ErrorText.of(Cause.squash(why)) : ErrorText.of(why)
    }),
    annotate
  )
