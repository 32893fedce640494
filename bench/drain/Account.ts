/**
 * What became of each request, judged from the client's side of the socket alone.
 */

/**
 * - `complete`: a whole response with the status and body that were expected.
 * - `declined`: a whole 503; the client knows and may go elsewhere.
 * - `wrong`: a whole response that is neither, or bytes that are no response.
 * - `refused`: the connection was refused, or gone before a byte of the request was written. Safe to retry.
 * - `raced`: written at the moment the server's FIN was on its way; the server had closed, the client could not know.
 * - `dropped`: written to an open connection, which then closed without a byte of response.
 * - `cut`: the response began and did not end.
 * - `hung`: neither answered nor closed when the stop was given up.
 */
export type Outcome = "complete" | "declined" | "wrong" | "refused" | "raced" | "dropped" | "cut" | "hung"

/** Every outcome, in the order in which tables show them. */
export const outcomes: ReadonlyArray<Outcome> = [
  "complete",
  "declined",
  "wrong",
  "refused",
  "raced",
  "dropped",
  "cut",
  "hung"
]

/** How a connection went away: FIN, RST, a refusal before it was established, or by the bench's own hand. */
export type Ending = "fin" | "reset" | "refused" | "given up"

/** What the client saw of a request whose connection ended before its response was whole. */
export interface Loss {
  readonly ending: Ending
  /** The kernel took at least one byte of the request. */
  readonly written: boolean
  /** Bytes of the response that did arrive. */
  readonly received: number
  /** Milliseconds from the first write to the moment the end of the connection was noticed here. */
  readonly age: number
  /** The client looked at its sockets at least once between the write and the end. */
  readonly looked: boolean
}

/** A request that was written at most this long before the FIN was noticed may have crossed it (ms). */
export const raceWindow = 5

/**
 * Judges a request that got no whole response.
 *
 * A reset without a FIN before it comes from a server that closed while unread bytes lay in its receive buffer (or
 * that reset on purpose), so the request had arrived: dropped, never raced. After a FIN the kernel reports
 * end-of-file even when a reset follows. If the client has not looked at its sockets since the write, the FIN may
 * have been waiting there already, however long ago the write was.
 */
export const judge = (loss: Loss): Outcome => {
  if (loss.ending === "given up") return "hung"
  if (loss.ending === "refused" || !loss.written) return "refused"
  if (loss.received > 0) return "cut"
  if (loss.ending === "reset") return "dropped"
  return !loss.looked || loss.age <= raceWindow ? "raced" : "dropped"
}

/** The record of one request. Times are milliseconds of `performance.now()`. */
export interface Sent {
  /** Method and route. */
  readonly kind: string
  readonly outcome: Outcome
  readonly sentAt: number
  readonly doneAt: number
  /** How the connection ended, when that is what ended the request. */
  readonly ending?: Ending
  /** Status of the response when it was whole. */
  readonly status?: number
  /** The response said `Connection: close`. */
  readonly close?: boolean
}

/** Requests of one stop, counted. */
export interface Tally {
  readonly requests: number
  readonly outcomes: Readonly<Record<Outcome, number>>
  /** Requests written after the signal, on whatever connection. */
  readonly late: { readonly answered: number; readonly declined: number; readonly lost: number }
  /** Requests written before the signal and not yet done when it was sent. */
  readonly inFlight: number
  /** Losses that ended in a reset. */
  readonly resets: number
  /** Connections that were reset before a request was written on them: safe to retry, yet no refusal. */
  readonly resetUnwritten: number
  /** Refusals that took half a second or more, as when the first packet of a connection is ignored. */
  readonly slowRefusals: number
  /** When the last whole response was in; undefined when there was none. */
  readonly lastWholeAt: number | undefined
  /** The first few that were lost: what, how, and the time from write to end. */
  readonly examples: ReadonlyArray<string>
}

/** The outcomes that leave a client without the answer it had a right to, or without any. */
export const lostOutcomes: ReadonlyArray<Outcome> = ["wrong", "raced", "dropped", "cut", "hung"]

const isLost = (outcome: Outcome): boolean => lostOutcomes.includes(outcome)

/** Counts the requests of one stop. */
export const tally = (sent: ReadonlyArray<Sent>, signalledAt: number): Tally => {
  const counts = Object.fromEntries(outcomes.map((outcome) => [outcome, 0])) as Record<Outcome, number>
  const late = { answered: 0, declined: 0, lost: 0 }
  const examples: Array<string> = []
  let lastWholeAt: number | undefined
  let resets = 0
  let resetUnwritten = 0
  let slowRefusals = 0
  let inFlight = 0
  for (const one of sent) {
    counts[one.outcome]++
    if (one.status !== undefined) lastWholeAt = Math.max(lastWholeAt ?? 0, one.doneAt)
    if (one.sentAt > signalledAt) {
      if (one.outcome === "complete") late.answered++
      else if (one.outcome === "declined") late.declined++
      else if (isLost(one.outcome)) late.lost++
    }
    if (one.sentAt <= signalledAt && one.doneAt > signalledAt) inFlight++
    if (one.outcome === "refused" && one.ending === "reset") resetUnwritten++
    if (one.outcome === "refused" && one.doneAt - one.sentAt >= 500) slowRefusals++
    if (!isLost(one.outcome)) continue
    if (one.ending === "reset") resets++
    if (examples.length < 10) {
      const when = (one.sentAt - signalledAt).toFixed(1)
      const age = (one.doneAt - one.sentAt).toFixed(1)
      const how = one.status === undefined ? (one.ending ?? "no response") : `status ${one.status}`
      examples.push(
        `${one.kind} ${one.outcome} by ${how}, sent ${when} ms after the signal, ended ${age} ms later`
      )
    }
  }
  const requests = sent.length
  return {
    requests,
    outcomes: counts,
    late,
    inFlight,
    resets,
    resetUnwritten,
    slowRefusals,
    lastWholeAt,
    examples
  }
}
