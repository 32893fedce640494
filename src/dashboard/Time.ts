/** Time in the page: the only module that reads a clock. */
import { schedule } from "../client/Timers.js"

let ahead = 0

/** The time in this browser, in milliseconds since 1970. */
export const now = (): number => Date.now()

/** The time as the service has it, which its own timestamps are compared with. */
export const serverNow = (): number => Date.now() + ahead

/** Notes what time it is at the service, by the `Date` of an answer, which knows no fractions of a second. */
export const heardDate = (date: string | null): void => {
  const difference = Date.parse(date ?? "") - Date.now()
  if (Number.isFinite(difference)) ahead = Math.abs(difference) < 2000 ? 0 : difference
}

/** Calls `then` once after so many milliseconds; calling what it returns calls it off. */
export const later = schedule
