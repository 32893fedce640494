/**
 * When a delivery that failed is tried again.
 *
 * @module
 */

/** Of how many attempts the last one is the last. */
export const maxAttempts = 10

/** The pause after the first attempt, before jitter, in milliseconds; it doubles with each further one. */
export const firstPauseMillis = 5000

/** The longest pause that we take by ourselves, in milliseconds. */
export const longestPauseMillis = 3_600_000

/** The longest pause that an endpoint may ask for with `Retry-After`, in milliseconds: a day. */
export const longestAskedMillis = 86_400_000

/** The part by which a pause varies either way, so that what failed together does not come back together. */
export const jitter = 0.2

/** The pause after so many attempts (at least one), in whole milliseconds. `random` is from 0 (the shortest pause) to 1. */
export const pauseMillis = (attempts: number, random: number): number => {
  const pause = firstPauseMillis * 2 ** (attempts - 1)
  return Math.round(Math.min(longestPauseMillis, pause * (1 - jitter + 2 * jitter * random)))
}

/** `Retry-After` as a pause in milliseconds from `now`, which is in milliseconds since 1970; undefined when there is none that can be read. At most {@link longestAskedMillis}. */
export const retryAfterMillis = (header: string | undefined, now: number): number | undefined => {
  const text = header?.trim()
  if (text === undefined || text === "") return undefined
  if (/^\d+$/.test(text)) return Math.min(longestAskedMillis, Number(text) * 1000)
  // Only the forms of HTTP dates: Date.parse takes much else for one.
  const isDate = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? .*\d{2}:\d{2}:\d{2}/.test(text)
  const at = isDate ? Date.parse(text.endsWith("GMT") ? text : `${text} GMT`) : Number.NaN
  return Number.isNaN(at) ? undefined : Math.min(longestAskedMillis, Math.max(0, at - now))
}
