/**
 * Time, as the client needs it; tests have their own.
 *
 * @module
 */

/** Calls `then` once after so many milliseconds, unless what it returns is called before. */
export type Schedule = (millis: number, then: () => void) => () => void

/** By the timers of the platform. */
export const schedule: Schedule = (millis, then) => {
  const timer = setTimeout(then, millis)
  return () => clearTimeout(timer)
}
