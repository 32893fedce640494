/** Bytes as keys of maps, and as the text that they are shown as. */

// Node has them on every Buffer and documents them for none; a general `toString` finds its way to them more slowly.
const { hexSlice, latin1Slice } = Buffer.prototype as unknown as Record<
  "hexSlice" | "latin1Slice",
  (this: Uint8Array, start: number, end: number) => string
>

/** One character for each byte: a key that is cheap to make and to compare. A copy, it holds nothing of `bytes`. */
export const text = (bytes: Uint8Array, start = 0, end = bytes.length): string =>
  latin1Slice.call(bytes, start, end)

/** Two characters for each byte. */
export const hex = (bytes: Uint8Array): string => hexSlice.call(bytes, 0, bytes.length)
