/**
 * How a request looks on the timeline: what became of it, and where it stood when the signal came.
 *
 * @module
 */
import type { RequestReport } from "../DrillReport.js"
import * as Outcome from "../wire/Outcome.js"

/**
 * - `before`: answered before the signal.
 * - `flight`: sent before the signal and answered after it.
 * - `after`: sent after the signal and answered.
 * - `declined`, `refused`, `late`: as the outcome of that name.
 * - `ended`: without an answer, in a scenario that is about that.
 * - `lost`: the client was owed an answer.
 */
export type Look = "before" | "flight" | "after" | "declined" | "refused" | "late" | "ended" | "lost"

/** In the order in which they are painted, the most important last; and what the legend says. */
export const all: ReadonlyArray<{ readonly look: Look; readonly label: string }> = [
  { look: "before", label: "answered before the signal" },
  { look: "flight", label: "in flight at the signal, answered" },
  { look: "after", label: "sent after the signal, answered" },
  { look: "declined", label: "declined with a whole 503" },
  { look: "refused", label: "refused before a byte was taken" },
  { look: "ended", label: "ended as this scenario wants" },
  { look: "late", label: "late: it met the server\u2019s FIN" },
  { look: "lost", label: "lost" }
]

/** The look of a request, given whether the verdict counts losses in its stop. */
export const of = (request: RequestReport, lossesCount: boolean): Look => {
  const { doneAt, outcome, sentAt } = request
  if (Outcome.isLost(outcome)) return lossesCount ? "lost" : "ended"
  if (outcome !== "complete") return outcome as Look
  return doneAt <= 0 ? "before" : sentAt <= 0 ? "flight" : "after"
}
