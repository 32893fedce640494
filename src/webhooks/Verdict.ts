/**
 * What follows from an attempt.
 *
 * | answer | then |
 * |---|---|
 * | 2xx | it is delivered |
 * | 410 | it is given up, and the subscription is switched off |
 * | anything else, or none | it is tried again, up to `Schedule.maxAttempts` times in all; redirects are not followed |
 *
 * @module
 */
import type { Next, Record } from "./DeliveryStore.js"
import * as Schedule from "./Schedule.js"
import type { Outcome } from "./Sender.js"

/** An attempt for the record. `at` is in milliseconds since 1970. */
export const record = (outcome: Outcome, at: number): Record => ({
  at,
  latencyMillis: outcome.latencyMillis,
  status: outcome._tag === "Answered" ? outcome.status : null,
  body: outcome._tag === "Answered" ? outcome.body : null,
  error: outcome._tag === "Answered" ? null : outcome.message
})

/** What follows from the attempt that was this delivery's `attempts`-th, at `now` in milliseconds since 1970; `random`, 0 to 1, is the jitter. */
export const next = (outcome: Outcome, attempts: number, now: number, random: number): Next => {
  const answered = outcome._tag === "Answered" ? outcome : undefined
  if (answered !== undefined && answered.status >= 200 && answered.status < 300) return { _tag: "Delivered" }
  if (answered?.status === 410) return { _tag: "Gone" }
  const asked = answered?.retryAfterMillis
  const holdUntil = asked === undefined ? undefined : now + asked
  if (attempts >= Schedule.maxAttempts) return { _tag: "Dead", holdUntil }
  const at = now + Math.max(Schedule.pauseMillis(attempts, random), asked ?? 0)
  return { _tag: "Retry", at, holdUntil }
}
