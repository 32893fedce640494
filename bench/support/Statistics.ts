/** Small statistics over unsorted samples, and a seeded source of random numbers. */

/** The sample below which the part `q` (0 to 1) of the samples lies, interpolated; NaN for no samples. */
export const quantile = (samples: ReadonlyArray<number>, q: number): number => {
  if (samples.length === 0) return Number.NaN
  const sorted = [...samples].sort((a, b) => a - b)
  const at = (sorted.length - 1) * q
  const low = Math.floor(at)
  const high = Math.ceil(at)
  return sorted[low]! + (sorted[high]! - sorted[low]!) * (at - low)
}

/** The middle sample, or the mean of the two in the middle. */
export const median = (samples: ReadonlyArray<number>): number => quantile(samples, 0.5)

/** A number with at most one decimal. */
export const short = (value: number): string =>
  Number.isNaN(value) ? "-" : Number.isInteger(value) ? String(value) : value.toFixed(1)

/** `median (least-most)`. */
export const spread = (samples: ReadonlyArray<number>): string =>
  samples.length === 0
    ? "-"
    : `${short(median(samples))} (${short(Math.min(...samples))}-${short(Math.max(...samples))})`

/** Uniform numbers in [0, 1) from a 32-bit seed (a counter run through a mixing function). */
export const random = (seed: number): (() => number) => {
  let counter = seed >>> 0
  return () => {
    counter = (counter + 0x9e3779b9) >>> 0
    let x = counter
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad)
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
    return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32
  }
}
