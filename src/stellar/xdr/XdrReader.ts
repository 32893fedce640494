/**
 * The cursor under the generated decoders.
 *
 * It is built for speed: fields are public, reads go straight to a DataView (which refuses to read past the end by itself), byte strings
 * are views of the input, and no path is kept. Only when something is wrong is the input walked a second time, slowly, to say where.
 */
import * as XdrError from "./XdrError.js"
import * as XdrPath from "./XdrPath.js"

/** Where a value lies in the input that was decoded, in bytes: `start` inclusive, `end` exclusive. */
export interface Range {
  /** Offset of the first byte. */
  readonly start: number
  /** Offset behind the last byte. */
  readonly end: number
}

/** Mutable state of one decode. Only the generated code and this module touch it. */
export class XdrReader {
  /** View over exactly the input. */
  readonly v: DataView
  /** The next byte to read. */
  p = 0
  /** Length of the input. */
  readonly e: number
  /** How many recursive values are open. */
  d = 0
  private readonly buffer: ArrayBufferLike
  private readonly base: number
  private readonly b: Uint8Array

  constructor(bytes: Uint8Array) {
    this.b = bytes
    this.buffer = bytes.buffer
    this.base = bytes.byteOffset
    this.e = bytes.byteLength
    this.v = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** A boolean or optional flag. */
  bool(at: number): boolean {
    const value = this.v.getUint32(at)
    if (value > 1) throw this.fail("boolean", at, `a flag must be 0 or 1, not ${value}`)
    return value === 1
  }

  /** `length` bytes as a view of the input. */
  bytes(at: number, length: number): Uint8Array {
    if (at + length > this.e)
      throw this.fail("truncated", at, `${length} bytes are wanted, ${this.e - at} are left`)
    return new Uint8Array(this.buffer, this.base + at, length)
  }

  /** Bytes of which the length stands before them; padded to four. */
  variable(max: number): Uint8Array {
    const length = this.length(max)
    const at = this.p
    const value = this.bytes(at, length)
    this.pad(at + length)
    return value
  }

  /** Moves past bytes of which the length stands before them. */
  skipVariable(max: number): void {
    const length = this.length(max)
    this.pad(this.p + length)
  }

  /** Ends a byte string at `at`: what follows up to the next multiple of four must be there, and zero. */
  pad(at: number): void {
    const end = (at + 3) & ~3
    if (end > this.e) throw this.fail("truncated", at, `the input ends inside a byte string`)
    for (let i = at; i < end; i++) {
      if (this.b[i] !== 0) throw this.fail("padding", i, `a padding byte is not zero`)
    }
    this.p = end
  }

  /** The length of a byte string, checked against the schema and against what is left. */
  private length(max: number): number {
    const at = this.p
    const length = this.v.getUint32(at)
    if (length > max) throw this.fail("length", at, `a length of ${length} is above the maximum of ${max}`)
    if (length > this.e - at - 4) {
      throw this.fail("truncated", at, `${length} bytes are announced, ${this.e - at - 4} are left`)
    }
    this.p = at + 4
    return length
  }

  /** The count of an array whose elements take at least `size` bytes; checked before anything is allocated for it. */
  count(at: number, max: number, size: number): number {
    const count = this.v.getUint32(at)
    if (count > max) throw this.fail("length", at, `a count of ${count} is above the maximum of ${max}`)
    if (count * size > this.e - at - 4) {
      throw this.fail("length", at, `${count} elements are announced, ${this.e - at - 4} bytes are left`)
    }
    return count
  }

  /** The error for a discriminant or enum value that the schema does not have. */
  unknown(type: string, at: number, value: number): XdrError.XdrError {
    return this.fail("unknown_arm", at, `${type} has no case ${value}`)
  }

  /** The error for recursion without end. */
  deep(): XdrError.XdrError {
    return this.fail("depth", this.p, `values are nested deeper than ${XdrError.MAX_DEPTH}`)
  }

  private fail(fault: XdrError.XdrFault, at: number, what: string): XdrError.XdrError {
    return XdrError.make(fault, "", at, what)
  }
}

/**
 * Runs a generated reader over the whole of `bytes`. Throws {@link XdrError.XdrError} with path and offset when the bytes do not hold
 * exactly one value of `type`.
 */
export const decode = <A>(type: string, read: (reader: XdrReader) => A, bytes: Uint8Array): A => {
  const reader = new XdrReader(bytes)
  let value: A
  try {
    value = read(reader)
  } catch (cause) {
    throw explain(type, bytes, cause)
  }
  if (reader.p !== reader.e) throw explain(type, bytes, undefined)
  return value
}

const explain = (type: string, bytes: Uint8Array, cause: unknown): unknown => {
  const located = XdrPath.locate(type, bytes)
  // The slow walk finds what the fast one found. Should they ever disagree, the fast one's refusal stands, without a path.
  if (located !== undefined) return located
  if (cause instanceof XdrError.XdrError) return cause
  return XdrError.make("truncated", XdrPath.rootName(type), bytes.byteLength, `the bytes are not one ${type}`)
}
