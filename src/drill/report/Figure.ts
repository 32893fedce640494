/**
 * Numbers as a reader wants them: no more digits than mean something, the same in every table.
 *
 * @module
 */

/** The middle value, or the mean of the two in the middle; undefined of none. */
export const median = (values: ReadonlyArray<number>): number | undefined => {
  if (values.length === 0) return undefined
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1]! + sorted[half]!) / 2
}

/** A duration in milliseconds: `0.4 ms`, `24 ms`, `1.07 s`, `42.0 s`, `3 min 20 s`. What is negative has a minus sign. */
export const duration = (millis: number): string => {
  const size = Math.abs(millis)
  const sign = millis < 0 ? "\u2212" : ""
  if (size < 9.95) return `${sign}${Number(size.toFixed(1))} ms`
  if (size < 999.5) return `${sign}${Math.round(size)} ms`
  if (size < 9995) return `${sign}${(size / 1000).toFixed(2)} s`
  if (size < 119_950) return `${sign}${(size / 1000).toFixed(1)} s`
  const seconds = Math.round(size / 1000)
  return `${sign}${Math.floor(seconds / 60)} min${seconds % 60 === 0 ? "" : ` ${seconds % 60} s`}`
}

/** A round time on an axis: `0`, `20 ms`, `2.5 s`. */
export const tick = (millis: number): string => {
  const text =
    Math.abs(millis) < 1000 ? `${Number(Math.abs(millis).toPrecision(4))} ms` : `${Math.abs(millis) / 1000} s`
  return millis === 0 ? "0" : millis < 0 ? `\u2212${text}` : text
}

/** A whole number with thousands set apart: `84,210`. */
export const integer = (value: number): string => String(value).replaceAll(/\B(?=(\d{3})+$)/g, ",")

/** A number and its noun: `1 stop`, `20 stops`. */
export const count = (value: number, noun: string, plural = `${noun}s`): string =>
  `${integer(value)} ${value === 1 ? noun : plural}`

/** Equal words counted, the commonest first: `0 ×19, 1`, or the word alone when there is no other. */
export const words = (all: ReadonlyArray<string>): string => {
  const counts = new Map<string, number>()
  for (const word of all) counts.set(word, (counts.get(word) ?? 0) + 1)
  if (counts.size === 1) return all[0]!
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([word, times]) => (times === 1 ? word : `${word} ×${times}`))
    .join(", ")
}

/** A moment, milliseconds since the epoch: `2026-03-01 14:02:07 UTC`. */
export const moment = (at: number): string =>
  new Date(at)
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, " UTC")
