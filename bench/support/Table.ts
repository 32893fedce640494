/** Plain-text tables and the bench's only way to speak. */

/** Writes a line to standard output. */
export const say = (line: string): void => {
  process.stdout.write(line + "\n")
}

/** Columns padded to their widest cell; the first row is the header. */
export const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths: Array<number> = []
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length)
    })
  }
  const line = (row: ReadonlyArray<string>) =>
    "| " + row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ") + " |"
  const rule = "|" + widths.map((width) => "-".repeat(width + 2)).join("|") + "|"
  return rows.map((row, i) => (i === 0 ? line(row) + "\n" + rule : line(row))).join("\n")
}
