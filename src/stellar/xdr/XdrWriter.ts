/** The growing buffer under the generated encoders. */
import * as XdrError from "./XdrError.js"

/** Mutable state of one encode. Only the generated code and this module touch it. */
export class XdrWriter {
  private b: Uint8Array = new Uint8Array(4096)
  private v: DataView = new DataView(this.b.buffer)
  private p = 0

  private room(length: number): number {
    const at = this.p
    const end = at + length
    if (end > this.b.length) {
      const grown = new Uint8Array(Math.max(end, this.b.length * 2))
      grown.set(this.b.subarray(0, at))
      this.b = grown
      this.v = new DataView(grown.buffer)
    }
    this.p = end
    return at
  }

  /** An unsigned 32-bit number. */
  u32(value: number): void {
    if (value >>> 0 !== value) throw this.refuse(`${value} is not an unsigned 32-bit number`)
    const at = this.room(4)
    this.v.setUint32(at, value)
  }

  /** A signed 32-bit number. */
  i32(value: number): void {
    if ((value | 0) !== value) throw this.refuse(`${value} is not a signed 32-bit number`)
    const at = this.room(4)
    this.v.setInt32(at, value)
  }

  /** An unsigned 64-bit number. */
  u64(value: bigint): void {
    if (BigInt.asUintN(64, value) !== value) throw this.refuse(`${value} is not an unsigned 64-bit number`)
    const at = this.room(8)
    this.v.setBigUint64(at, value)
  }

  /** A signed 64-bit number. */
  i64(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw this.refuse(`${value} is not a signed 64-bit number`)
    const at = this.room(8)
    this.v.setBigInt64(at, value)
  }

  /** A boolean or optional flag. */
  bool(value: boolean): void {
    this.u32(value ? 1 : 0)
  }

  /** Exactly `length` bytes, padded to four. */
  opaque(value: Uint8Array, length: number): void {
    if (value.length !== length) throw this.refuse(`${length} bytes are wanted, not ${value.length}`)
    const at = this.room((length + 3) & ~3)
    this.b.set(value, at)
  }

  /** At most `max` bytes with their length before them, padded to four. */
  variable(value: Uint8Array, max: number): void {
    this.count(value.length, max)
    this.opaque(value, value.length)
  }

  /** Bytes that are XDR already. */
  raw(value: Uint8Array): void {
    const at = this.room(value.length)
    this.b.set(value, at)
  }

  /** A length or count. */
  count(length: number, max: number): void {
    if (length > max) throw this.refuse(`a length of ${length} is above the maximum of ${max}`)
    this.u32(length)
  }

  /** The length of an array that has always the same. */
  exactly(length: number, wanted: number): void {
    if (length !== wanted) throw this.refuse(`${wanted} elements are wanted, not ${length}`)
  }

  /** What was written so far, as a copy of the right size. */
  take(): Uint8Array {
    return this.b.slice(0, this.p)
  }

  /** The error for a value that its type cannot hold. */
  refuse(what: string): XdrError.XdrError {
    return XdrError.make("value", "", this.p, what)
  }
}

/** Runs a generated writer. Throws {@link XdrError.XdrError} when the value breaks a bound of the schema. */
export const encode = <A>(write: (writer: XdrWriter, value: A) => void, value: A): Uint8Array => {
  const writer = new XdrWriter()
  write(writer, value)
  return writer.take()
}
