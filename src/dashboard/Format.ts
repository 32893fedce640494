/** Numbers, times and names as the page writes them. */

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 })

/** What stands where nothing is known. */
export const nothing = "–"

/** A count: `12,345`. */
export const count = (value: number | null | undefined): string =>
  value == null ? nothing : whole.format(value)

/** One thing or several: `1 event`, `7 events`. */
export const plural = (value: number, noun: string): string =>
  `${count(value)} ${noun}${value === 1 ? "" : "s"}`

/** A share from 0 to 1: `84.8 %`. */
export const percent = (share: number | null | undefined): string =>
  share == null ? nothing : `${(100 * share).toFixed(share === 1 ? 0 : 1)} %`

const steps = [
  [100 * 86_400_000, 86_400_000, "d", 0],
  [2 * 86_400_000, 86_400_000, "d", 1],
  [2 * 3_600_000, 3_600_000, "h", 1],
  [120_000, 60_000, "min", 0],
  [10_000, 1000, "s", 0],
  [1000, 1000, "s", 1],
  [10, 1, "ms", 0]
] as const

/** A duration in milliseconds, as coarse as is of use: `7.1 ms`, `51 ms`, `3.2 s`, `42 s`, `12 min`, `5.5 h`, `324 d`. */
export const duration = (millis: number): string => {
  const step = steps.find(([from]) => Math.abs(millis) >= from)
  if (step === undefined) return `${Number(millis.toFixed(1))} ms`
  const [, unit, name, digits] = step
  return `${Number((millis / unit).toFixed(digits))} ${name}`
}

/** How long ago: `just now`, `4 s ago`. */
export const ago = (millis: number): string =>
  millis < 1000 ? "just now" : `${duration(1000 * Math.floor(millis / 1000))} ago`

/** A time of day: `18:45:37`. */
export const clock = (millis: number): string => new Date(millis).toISOString().slice(11, 19)

/** A day and a time: `2026-11-20 18:45:37`. */
export const moment = (iso: string): string => iso.slice(0, 19).replace("T", " ")

/** Bytes: `1.2 MB`. */
export const bytes = (value: number): string =>
  value < 1000
    ? `${value} B`
    : value < 1e6
      ? `${(value / 1e3).toFixed(1)} kB`
      : `${(value / 1e6).toFixed(1)} MB`

/** An amount in stroops, rounded for reading. */
export const amount = (stroops: string): string => {
  const value = Number(stroops) / 1e7
  if (value < 1) return value.toLocaleString("en-US", { maximumSignificantDigits: 4 })
  return value.toLocaleString("en-US", { maximumFractionDigits: value >= 1000 ? 0 : 2 })
}

/** An amount in stroops to the last digit. */
export const exactAmount = (stroops: string): string => {
  const digits = stroops.padStart(8, "0")
  return `${digits.slice(0, -7)}.${digits.slice(-7)}`
}

/** The code of an asset: `XLM`, `USDC`. */
export const asset = (name: string): string => (name === "native" ? "XLM" : (name.split(":", 1)[0] ?? name))

/** An address or a hash, short enough for a column. */
export const short = (text: string): string =>
  text.length <= 11 ? text : `${text.slice(0, 5)}…${text.slice(-4)}`
