/**
 * Says where in a value the bytes go wrong, by walking them along the schema one field at a time. About ten times slower than the
 * generated decoders and only used when one of them has refused its input.
 */
import { schema } from "./generated/schema.js"
import * as XdrError from "./XdrError.js"
import type * as XdrSchema from "./XdrSchema.js"

/** How a path begins: the type's name as a field would be written. */
export const rootName = (type: string): string => type.charAt(0).toLowerCase() + type.slice(1)

/** The first fault of `bytes` as one value of `type`; undefined when there is none. */
export const locate = (type: string, bytes: Uint8Array): XdrError.XdrError | undefined => {
  const walk = new Walk(bytes)
  const root = rootName(type)
  try {
    walk.node({ ref: type }, root)
    walk.end(root)
    return undefined
  } catch (error) {
    if (error instanceof XdrError.XdrError) return error
    // Every read is checked, so this is the stack's end, which a caller deep in its own calls can meet before the limit.
    if (error instanceof RangeError)
      return XdrError.make("depth", root, walk.position, "values are nested too deeply")
    throw error
  }
}

class Walk {
  private readonly view: DataView
  private at = 0
  private depth = 0

  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** The next byte to read. */
  get position(): number {
    return this.at
  }

  /** Checks that nothing follows. */
  end(path: string): void {
    const left = this.view.byteLength - this.at
    if (left > 0) throw XdrError.make("trailing", path, this.at, `${left} bytes are left over`)
  }

  /** Arms, optionals and references go round the loop instead of calling, so that deep input does not exhaust the stack. */
  node(start: XdrSchema.Node, startPath: string): void {
    const depth = this.depth
    let node = start
    let path = startPath
    for (;;) {
      if (typeof node === "string") {
        if (node === "bool") this.flag(path)
        else this.take(node === "u32" || node === "i32" ? 4 : 8, path)
        break
      }
      if ("opaque" in node) {
        this.take(node.opaque, path)
        this.pad(path)
        break
      }
      if ("bytes" in node) {
        const at = this.at
        const length = this.u32(path)
        if (length > node.bytes) throw this.tooLong(path, at, length, node.bytes)
        this.take(length, path)
        this.pad(path)
        break
      }
      if ("fixed" in node) {
        for (let i = 0; i < node.length; i++) this.node(node.fixed, `${path}[${i}]`)
        break
      }
      if ("array" in node) {
        const at = this.at
        const count = this.u32(path)
        if (count > node.max) throw this.tooLong(path, at, count, node.max)
        if (count * node.size > this.view.byteLength - this.at) throw this.tooMany(path, at, count)
        for (let i = 0; i < count; i++) this.node(node.array, `${path}[${i}]`)
        break
      }
      if ("option" in node) {
        if (!this.flag(path)) break
        node = node.option
        continue
      }
      const name: string = node.ref
      const named: XdrSchema.Named | undefined = schema[name]
      if (named === undefined) throw XdrError.make("unknown_arm", path, this.at, `there is no type ${name}`)
      if (named.kind === "enum") {
        const at = this.at
        const value = this.i32(path)
        if (!named.members.some(([member]) => member === value)) throw this.unknown(path, at, name, value)
        break
      }
      if (named.recursive === true && ++this.depth > XdrError.MAX_DEPTH) {
        throw XdrError.make("depth", path, this.at, `values are nested deeper than ${XdrError.MAX_DEPTH}`)
      }
      if (named.kind === "struct") {
        for (const [field, type] of named.fields) this.node(type, `${path}.${field}`)
        break
      }
      const at = this.at
      const tag = this.i32(path)
      const arm: readonly [number, string, XdrSchema.Node?] | undefined = named.arms.find(([t]) => t === tag)
      if (arm === undefined) throw this.unknown(path, at, name, tag)
      if (arm[2] === undefined) break
      path = `${path}.${arm[1]}`
      node = arm[2]
    }
    this.depth = depth
  }

  private take(length: number, path: string): number {
    const at = this.at
    const left = this.view.byteLength - at
    if (length > left)
      throw XdrError.make("truncated", path, at, `${length} bytes are wanted, ${left} are left`)
    this.at = at + length
    return at
  }

  private u32(path: string): number {
    return this.view.getUint32(this.take(4, path))
  }

  private i32(path: string): number {
    return this.view.getInt32(this.take(4, path))
  }

  private flag(path: string): boolean {
    const value = this.u32(path)
    if (value > 1) throw XdrError.make("boolean", path, this.at - 4, `a flag must be 0 or 1, not ${value}`)
    return value === 1
  }

  private pad(path: string): void {
    while (this.at % 4 !== 0) {
      const at = this.take(1, path)
      if (this.view.getUint8(at) !== 0) throw XdrError.make("padding", path, at, "a padding byte is not zero")
    }
  }

  private unknown(path: string, at: number, type: string, value: number): XdrError.XdrError {
    return XdrError.make("unknown_arm", path, at, `${type} has no case ${value}`)
  }

  private tooLong(path: string, at: number, length: number, max: number): XdrError.XdrError {
    return XdrError.make("length", path, at, `a length of ${length} is above the maximum of ${max}`)
  }

  private tooMany(path: string, at: number, count: number): XdrError.XdrError {
    const left = this.view.byteLength - this.at
    return XdrError.make("length", path, at, `${count} elements are announced, ${left} bytes are left`)
  }
}
