/**
 * Sums of amounts, which do not fit into 64 bits, in two columns of a table: `sum = hi * 10^12 + lo`, with `0 <= lo < 10^12`.
 *
 * SQL adds them up by itself, and a single amount has a `hi` of at most 9.3 million: `SUM(hi)` and `SUM(lo)` hold over millions of rows, and `hi` stays an
 * exact JavaScript number below a sum of 9 * 10^27. `lo` is never negative, so negative sums have a `hi` that is one lower than one would think.
 */

/** What `hi` counts. */
export const base = 1_000_000_000_000n

/** The two columns of a sum. */
export interface Columns {
  /** Multiples of {@link base}, rounded down. */
  readonly hi: number
  /** The rest, from 0 to `base - 1` in a row; a sum of such columns may be more. */
  readonly lo: number
}

/** The columns of an amount, of either sign. */
export const split = (amount: bigint): Columns => {
  if (amount >= 0n && amount < base) return { hi: 0, lo: Number(amount) }
  const rest = amount % base
  const lo = rest < 0n ? rest + base : rest
  return { hi: Number((amount - lo) / base), lo: Number(lo) }
}

/** The amount of two columns, or of two sums of such columns. */
export const join = (hi: number | string, lo: number | string): bigint => BigInt(hi) * base + BigInt(lo)

/** {@link join} as decimal text, of two columns of numbers. Most sums are exact as a number, whose text is made in a tenth of the time. */
export const text = (hi: number, lo: number): string => {
  const sum = hi * Number(base) + lo
  return Number.isSafeInteger(sum) ? String(sum) : String(join(hi, lo))
}

/**
 * How an upsert adds the new row's amount to the sum in the columns `<name>_hi` and `<name>_lo` of `table`: two assignments, the same text in every
 * dialect.
 */
export const add = (table: string, name: string): string => {
  const both = `${table}.${name}_lo + excluded.${name}_lo`
  return `${name}_hi = ${table}.${name}_hi + excluded.${name}_hi + (${both}) / ${base}, ${name}_lo = (${both}) % ${base}`
}
