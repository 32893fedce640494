/** How the rows of an hour take up another ledger: the text after `ON CONFLICT`. */
import * as WideSum from "../WideSum.js"

/** What becomes of the columns of a row that is there already. */
export interface Options {
  /** The table. */
  readonly table: string
  /** The columns of its primary key. */
  readonly key: ReadonlyArray<string>
  /** Columns to which the new row's are added. */
  readonly add?: ReadonlyArray<string>
  /** Sums in two columns, by the name before `_hi` and `_lo`, to which the new row's are added. */
  readonly addWide?: ReadonlyArray<string>
  /** Columns that become the new row's, unless that is null. */
  readonly replace?: ReadonlyArray<string>
  /** Further assignments. */
  readonly also?: ReadonlyArray<string>
}

/** The clause. */
export const onConflict = ({
  add = [],
  addWide = [],
  also = [],
  key,
  replace = [],
  table
}: Options): string => {
  const assignments = [
    ...add.map((column) => `${column} = ${table}.${column} + excluded.${column}`),
    ...addWide.map((name) => WideSum.add(table, name)),
    ...replace.map((column) => `${column} = coalesce(excluded.${column}, ${table}.${column})`),
    ...also
  ]
  return `ON CONFLICT (${key.join(", ")}) DO UPDATE SET ${assignments.join(", ")}`
}

/** The two columns of each sum. */
export const wideColumns = (names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.flatMap((name) => [`${name}_hi`, `${name}_lo`])

/** The values of such columns. */
export const wide = (...amounts: ReadonlyArray<bigint>): ReadonlyArray<number> => {
  const values: Array<number> = []
  for (const amount of amounts) {
    const { hi, lo } = WideSum.split(amount)
    values.push(hi, lo)
  }
  return values
}
