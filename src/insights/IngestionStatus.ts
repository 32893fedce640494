/** How ingestion is doing, for readiness, health and the API: written by the task alone, read by anyone. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { LedgerFacts } from "../stellar/LedgerFacts.js"

/** Something that ingestion cannot pass: it stands still before that ledger, tries again with pauses, and never skips it. */
export interface Trouble {
  /** A word for machines: why the source failed, the ledger was rejected, or storing it was refused. */
  readonly reason: string
  /** Where the ledger came from (a path, a URL), or what else is at fault; null when nothing in particular is. */
  readonly object: string | null
  /** A whole sentence for the operator. */
  readonly message: string
}

/** What ingestion is doing. */
export type State =
  /** It has not asked for a ledger yet. */
  | "starting"
  /** Ledgers come as fast as they can be stored. */
  | "catching-up"
  /** It waits for the network's next ledger. */
  | "at-tip"
  /** It stands before something that it cannot pass, see {@link Status.halt}. */
  | "halted"

/** The answer. */
export interface Status {
  readonly state: State
  /** Description of the ledger source. */
  readonly source: string
  /** Passphrase of the network. */
  readonly network: string
  /** Sequence of the last ledger that this process committed; null before the first. */
  readonly lastLedger: number | null
  /** When the network closed it, in seconds since 1970. */
  readonly lastCloseTime: number | null
  /** When it was committed, in milliseconds since 1970. */
  readonly lastCommitAt: number | null
  /** Ledgers committed since this process started. */
  readonly ledgersSinceStart: number
  /** Present exactly when halted. `since` is milliseconds since 1970, `attempts` how often it was tried, 1 and more. */
  readonly halt: (Trouble & { readonly since: number; readonly attempts: number }) | null
}

/** Read access. */
export interface Shape {
  /** The answer as of now. Never fails. */
  readonly get: Effect.Effect<Status>
}

/** The status of the service's ingestion. */
export class IngestionStatus extends Context.Tag("stellar-insights/insights/IngestionStatus")<
  IngestionStatus,
  Shape
>() {}

/** The task's side. None of it fails. */
export interface Writer extends Shape {
  /** Notes that `pull` is being waited for while it is. */
  readonly waiting: <A, E, R>(pull: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** A ledger is in: whatever was in the way is passed. */
  readonly committed: (ledger: LedgerFacts) => Effect.Effect<void>
  /** Ingestion cannot go on. True when that is news: the same trouble again is not. */
  readonly halted: (trouble: Trouble) => Effect.Effect<boolean>
}

/** A wait of this length, in milliseconds, means that the source has nothing more to give for now. */
const tipMillis = 1000

/** The status of a task that has not begun. */
export const make = (about: { readonly source: string; readonly network: string }): Writer => {
  let begun = false
  let behind = true
  let waitingSince: number | undefined
  let last: { readonly ledger: LedgerFacts; readonly at: number } | undefined
  let count = 0
  let halt: Status["halt"] = null

  const state = (now: number): State => {
    if (halt !== null) return "halted"
    if (!begun) return "starting"
    return behind && (waitingSince === undefined || now - waitingSince < tipMillis) ? "catching-up" : "at-tip"
  }
  return {
    get: Effect.map(Clock.currentTimeMillis, (now) => ({
      state: state(now),
      ...about,
      lastLedger: last?.ledger.sequence ?? null,
      lastCloseTime: last?.ledger.closeTime ?? null,
      lastCommitAt: last?.at ?? null,
      ledgersSinceStart: count,
      halt
    })),
    waiting: (pull) =>
      Effect.flatMap(Clock.currentTimeMillis, (start) => {
        begun = true
        waitingSince = start
        const ended = Effect.map(Clock.currentTimeMillis, (now) => {
          waitingSince = undefined
          behind = now - start < tipMillis
        })
        return Effect.ensuring(pull, ended)
      }),
    committed: (ledger) =>
      Effect.map(Clock.currentTimeMillis, (at) => {
        last = { ledger, at }
        count += 1
        halt = null
      }),
    halted: (trouble) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const same = halt !== null && halt.message === trouble.message
        halt = { ...trouble, since: halt?.since ?? now, attempts: (halt?.attempts ?? 0) + 1 }
        return !same
      })
  }
}
