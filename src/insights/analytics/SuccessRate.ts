/** How much can be said about a rate of success from a number of attempts. */

/** Attempts, counted. */
export interface Attempts {
  /** Those that succeeded. */
  readonly success: number
  /** Those that failed by themselves; not those that were undone because of something else, nor those rejected before they were tried. */
  readonly failed: number
}

/** Fewer attempts than this say nothing about health. */
export const enough = 20

/** 95 % confidence, two-sided. */
const z = 1.96

/** The share that succeeded, 0 to 1; null without an attempt. */
export const rate = ({ failed, success }: Attempts): number | null =>
  success + failed === 0 ? null : success / (success + failed)

/**
 * The lower bound of the Wilson score interval: the rate that one may count on, 0 to 1, and the lower the fewer attempts there were. 0 without an attempt.
 */
export const wilson = ({ failed, success }: Attempts): number => {
  const n = success + failed
  if (n === 0) return 0
  const p = success / n
  const centre = p + (z * z) / (2 * n)
  const spread = z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n))
  return Math.max(0, (centre - spread) / (1 + (z * z) / n))
}

/** 100 times {@link wilson}, rounded to two decimals; null for fewer attempts than {@link enough}. */
export const score = (attempts: Attempts): number | null =>
  attempts.success + attempts.failed < enough ? null : Math.round(10_000 * wilson(attempts)) / 100

/** What a score means for an anchor. */
export type Health = "green" | "yellow" | "red" | "unknown"

/** `green` from 98, `yellow` from 95, else `red`; `unknown` for fewer attempts than {@link enough}. */
export const health = (score: number | null): Health =>
  score === null ? "unknown" : score >= 98 ? "green" : score >= 95 ? "yellow" : "red"

/** How bad a fall of the rate is. */
export type Alert = "degraded" | "critical"

/**
 * Whether the last hour is worse than the last day: by more than 25 points `critical`, by more than 10 `degraded`, else, or with fewer than {@link enough} attempts in
 * the hour, null.
 */
export const alert = (hour: Attempts, day: Attempts): Alert | null => {
  if (hour.success + hour.failed < enough) return null
  const fall = (rate(day) ?? 0) - (rate(hour) ?? 0)
  return fall > 0.25 ? "critical" : fall > 0.1 ? "degraded" : null
}
