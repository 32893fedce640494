/**
 * What can come of asking an RPC server, other than an answer, and what is done about it. This is the one place that says so:
 *
 * | what | done |
 * |---|---|
 * | no connection, a connection that is cut, no whole answer in time | asked again for ever |
 * | HTTP 408, 425, 429 and 5xx but 501 and 505, `Retry-After` honoured | asked again for ever |
 * | -32603 (internal, `DB is empty`, a node that lags), -32001 (execution limit), -32003, -32005; a queue or rate limit by its words | asked again for ever |
 * | an answer that is not JSON-RPC or larger than allowed, a page without the wanted ledger, a ledger that is not XDR | asked again four times, then halts |
 * | -32600 or -32602 that names the oldest and the latest ledger: the wanted one is above | waits: the tip, or a node behind the others |
 * | the same, the wanted one is below | filled from the lake; without one asked twice more, then halts |
 * | `limit must not exceed` | asked with that limit from then on |
 * | any other HTTP status, JSON-RPC error or network | halts |
 *
 * "Again" means after the wait of Backoff. A page that was too large, too slow or not whole is asked for with half as many ledgers, and "four times" is
 * counted anew with each size.
 */
import * as Data from "effect/Data"
import type { SourceFailure } from "./LedgerSource.js"

/** It passes by itself: to be asked again, for as long as it takes. */
export class Passing extends Data.TaggedError("Passing")<{
  /** What happened, for the log. */
  readonly why: string
  /** The `Retry-After` header, where there was one. */
  readonly retryAfter?: string | undefined
  /** Whether a smaller page may fare better. */
  readonly smaller?: boolean
}> {}

/** An answer that should not be; another node may give a better one, but not for ever. */
export class Wrong extends Data.TaggedError("Wrong")<{
  readonly why: string
  /** What it is when it stays so. */
  readonly reason: SourceFailure
  /** Whether a smaller page may fare better. */
  readonly smaller?: boolean
}> {}

/** The server has other ledgers than the wanted one. */
export class OutOfRange extends Data.TaggedError("OutOfRange")<{
  readonly oldest: number
  readonly latest: number
}> {}

/** The server gives no pages as large as was asked for. */
export class LimitTooHigh extends Data.TaggedError("LimitTooHigh")<{
  /** The largest that it gives. */
  readonly limit: number
}> {}

/** The server has understood and will not: no use in asking again. */
export class Refused extends Data.TaggedError("Refused")<{
  readonly why: string
  /** The JSON-RPC code, where it was one. */
  readonly code: number | undefined
}> {}

/** Anything of the above. */
export type RpcFailure = Passing | Wrong | OutOfRange | LimitTooHigh | Refused

/** Whether an HTTP status is of those that pass. */
export const passes = (status: number): boolean =>
  status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501 && status !== 505)

const passingCodes: ReadonlySet<number> = new Set([-32603, -32001, -32003, -32005])
const passingWords = /queue limit|rate.?limit|too many requests/i
const outOfRange = /must be between the oldest ledger: (\d{1,10}) and the latest ledger: (\d{1,10})/
const limitTooHigh = /limit must not exceed (\d{1,9})/

/** What a JSON-RPC error means. `message` is shown, so it is without secrets. */
export const ofError = (code: number, message: string): RpcFailure => {
  const why = `error ${code}: ${message}`
  const range = outOfRange.exec(message)
  if (range !== null) return new OutOfRange({ oldest: Number(range[1]), latest: Number(range[2]) })
  const limit = limitTooHigh.exec(message)
  if (limit !== null) return new LimitTooHigh({ limit: Number(limit[1]) })
  return passingCodes.has(code) || passingWords.test(message)
    ? new Passing({ why, smaller: code === -32001 })
    : new Refused({ why, code })
}

/** What a failure says to an operator. */
export const explain = (failure: RpcFailure): string =>
  failure._tag === "OutOfRange"
    ? `it has ledgers ${failure.oldest} to ${failure.latest}`
    : failure._tag === "LimitTooHigh"
      ? `it gives at most ${failure.limit} ledgers at once`
      : failure.why
