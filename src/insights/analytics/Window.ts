/**
 * Stretches of time that analytics look back over, from the close time of the last ledger, not from the wall clock: a network that stands still, or a
 * recorded one, has windows too.
 */

/** All windows, shortest first. */
export const all = ["1h", "24h", "7d", "30d"] as const

/** How far back. */
export type Window = (typeof all)[number]

/** Their lengths in hours. */
export const hours: Readonly<Record<Window, number>> = { "1h": 1, "24h": 24, "7d": 168, "30d": 720 }

const secondsPerHour = 3600

/** The hour that a time falls into, in seconds since 1970 for both: aggregates are kept by it. */
export const hourOf = (seconds: number): number => Math.floor(seconds / secondsPerHour) * secondsPerHour

/**
 * The first hour of a window. Aggregates are whole hours, so a window is the running hour and as many whole ones before it as its length says: `1h` covers between
 * one and two hours, `24h` between 24 and 25.
 */
export const firstHour = (window: Window, now: number): number => hourOf(now) - hours[window] * secondsPerHour
