/**
 * Requests of one stop, counted.
 *
 * @module
 */
import type { Tally } from "../DrillReport.js"
import type { Outcome, Sent } from "./Outcome.js"
import { isLost, outcomes } from "./Outcome.js"

/** Counts each request once. `signalledAt` is of `performance.now()`. */
export const tally = (sent: ReadonlyArray<Sent>, signalledAt: number): Tally => {
  const counts = Object.fromEntries(outcomes.map((outcome) => [outcome, 0])) as Record<Outcome, number>
  const afterSignal = { answered: 0, declined: 0, late: 0, lost: 0 }
  let resets = 0
  let resetUnwritten = 0
  let slowRefusals = 0
  let inFlight = 0
  for (const one of sent) {
    counts[one.outcome]++
    if (one.sentAt > signalledAt) {
      if (one.outcome === "complete") afterSignal.answered++
      else if (one.outcome === "declined") afterSignal.declined++
      else if (one.outcome === "late") afterSignal.late++
      else if (isLost(one.outcome)) afterSignal.lost++
    } else if (one.doneAt > signalledAt && one.outcome !== "refused") inFlight++
    if (one.outcome === "refused" && one.ending === "reset") resetUnwritten++
    if (one.outcome === "refused" && one.doneAt - one.sentAt >= 500) slowRefusals++
    if (isLost(one.outcome) && one.ending === "reset") resets++
  }
  return {
    requests: sent.length,
    outcomes: counts,
    afterSignal,
    inFlight,
    resets,
    resetUnwritten,
    slowRefusals
  }
}

/** When the last whole response was in, of `performance.now()`; undefined when there was none. */
export const lastWhole = (sent: ReadonlyArray<Sent>): number | undefined =>
  sent.reduce<number | undefined>(
    (last, one) => (one.status === undefined ? last : Math.max(last ?? one.doneAt, one.doneAt)),
    undefined
  )

/** When the last of the requests was done that had been sent before the signal; the signal itself when none was in flight. */
export const slowestAccepted = (sent: ReadonlyArray<Sent>, signalledAt: number): number =>
  sent.reduce(
    (last, one) =>
      one.sentAt <= signalledAt && one.outcome !== "refused" ? Math.max(last, one.doneAt) : last,
    signalledAt
  )

/**
 * The requests that a report keeps: every loss and every one that met the FIN, then those in flight at the signal and after it, then others; all in the
 * order of their writes.
 */
export const sample = (sent: ReadonlyArray<Sent>, signalledAt: number, most: number): ReadonlyArray<Sent> => {
  const rank = (one: Sent): number =>
    isLost(one.outcome) || one.outcome === "late" ? 0 : one.doneAt > signalledAt ? 1 : 2
  const groups: [Array<Sent>, Array<Sent>, Array<Sent>] = [[], [], []]
  for (const one of sent) groups[rank(one)]!.push(one)
  const kept = [...groups[0]]
  for (const group of groups.slice(1)) {
    const room = Math.max(0, most - kept.length)
    // Evenly over time, so that a picture of them shows the whole.
    const every = Math.max(1, group.length / Math.max(1, room))
    for (let i = 0; i < group.length && kept.length < most; i += every) kept.push(group[Math.floor(i)]!)
  }
  return kept.sort((a, b) => a.sentAt - b.sentAt)
}
