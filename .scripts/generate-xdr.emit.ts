/** Writes the bodies of the generated functions: straight-line code over a reader, with as few stores to it as possible. */
import type { Named, Node } from "../src/stellar/xdr/XdrSchema.js"

/** The schema and what was derived from it. */
export interface Types {
  readonly all: ReadonlyMap<string, Named>
}

/** The size of a value when it is always the same and every content is valid; undefined otherwise. */
export const plain = (node: Node, types: Types): number | undefined => {
  if (typeof node === "string") return node === "bool" ? undefined : node === "u64" || node === "i64" ? 8 : 4
  if ("opaque" in node) return node.opaque % 4 === 0 ? node.opaque : undefined
  if ("fixed" in node) {
    const size = plain(node.fixed, types)
    return size === undefined ? undefined : size * node.length
  }
  if (!("ref" in node)) return undefined
  const type = types.all.get(node.ref)!
  if (type.kind !== "struct") return undefined
  let sum = 0
  for (const [, field] of type.fields) {
    const size = plain(field, types)
    if (size === undefined) return undefined
    sum += size
  }
  return sum
}

/** How a family of functions handles what it meets. */
export interface Style {
  /** The expression that reads a value of a named struct or union from `r`. */
  readonly call: (name: string) => string
  /** Whether values are wanted at all. */
  readonly keep: boolean
  /** The TypeScript type of a node's value. */
  readonly type: (node: Node) => string
  /** Whether some fields and types are only left as ranges. */
  readonly outline?: true
}

/** The TypeScript type of a node's value, given how named types are called. */
export const nodeType = (of: (name: string) => string): ((node: Node) => string) => {
  const type = (node: Node): string => {
    if (node === "bool") return "boolean"
    if (typeof node === "string") return node === "u64" || node === "i64" ? "bigint" : "number"
    if ("ref" in node) return of(node.ref)
    if ("option" in node) return `${type(node.option)} | null`
    if ("array" in node) return `ReadonlyArray<${type(node.array)}>`
    if ("fixed" in node) return `ReadonlyArray<${type(node.fixed)}>`
    return "Uint8Array"
  }
  return type
}

/**
 * One function body. Between calls the position lives in a local `p` plus an offset known here; it is written back to the reader only
 * before a call and loaded only when it is needed again.
 */
export class Body {
  /** The statements so far. */
  readonly lines: Array<string> = []
  private off = 0
  /** Whether the reader's own position is the true one. */
  private inReader = true
  private names = 0
  /** Whether the local `p` is needed and must be declared. */
  usesPosition = false

  private readonly types: Types
  private style: Style

  constructor(types: Types, style: Style) {
    this.types = types
    this.style = style
  }

  /** Makes the reader's position the true one. */
  store(): void {
    if (!this.inReader) this.lines.push(this.off === 0 ? "r.p = p" : `r.p = p + ${this.off}`)
    this.off = 0
    this.inReader = true
  }

  /** The position of the next byte as an expression. */
  private here(): string {
    if (this.inReader) {
      this.usesPosition = true
      this.lines.push("p = r.p")
      this.inReader = false
      this.off = 0
    }
    return this.off === 0 ? "p" : `p + ${this.off}`
  }

  /** Moves on by a known number of bytes. */
  private advance(bytes: number): string {
    const at = this.here()
    this.off += bytes
    return at
  }

  /** Moves the offset into `p`, so that the code before and after a loop or branch agrees. */
  private settle(): void {
    this.here()
    if (this.off !== 0) this.lines.push(`p += ${this.off}`)
    this.off = 0
  }

  private fresh(): string {
    this.names += 1
    return `x${this.names}`
  }

  /** Emits what reads `node` and returns the expression of its value; an empty one where nothing is kept. */
  read(node: Node, name: string = this.fresh()): string {
    const keep = this.style.keep
    const bind = (expression: string): string => {
      this.lines.push(keep ? `const ${name} = ${expression}` : expression)
      return keep ? name : ""
    }
    const size = plain(node, this.types)
    if (!keep && size !== undefined) {
      this.advance(size)
      return ""
    }
    if (typeof node === "string") {
      if (node === "bool") return bind(`r.bool(${this.advance(4)})`)
      return bind(`r.v.${GETTERS[node]}(${this.advance(node === "u64" || node === "i64" ? 8 : 4)})`)
    }
    if ("opaque" in node) {
      const value = keep
        ? bind(`r.bytes(${this.advance(node.opaque)}, ${node.opaque})`)
        : (this.advance(node.opaque), "")
      if (node.opaque % 4 !== 0) {
        this.lines.push(`r.pad(${this.here()})`)
        this.inReader = true
      }
      return value
    }
    if ("bytes" in node) {
      this.store()
      return bind(keep ? `r.variable(${node.bytes})` : `r.skipVariable(${node.bytes})`)
    }
    if ("option" in node) return this.option(node, name)
    if ("array" in node) return this.array(node.array, name, node)
    if ("fixed" in node) return this.array(node.fixed, name, undefined, node.length)
    const type = this.types.all.get(node.ref)!
    if (type.kind === "enum") return bind(`enum${node.ref}(r, ${this.advance(4)})`)
    this.store()
    return bind(this.style.call(node.ref))
  }

  /** Emits what skips `node` in the manner of `skip` and returns the expression of the range it took. */
  range(node: Node, skip: Style): string {
    this.store()
    const style = this.style
    const start = this.fresh()
    const name = this.fresh()
    this.lines.push(`const ${start} = r.p`)
    this.style = skip
    this.read(node)
    this.store()
    this.style = style
    this.lines.push(`const ${name} = { start: ${start}, end: r.p }`)
    return name
  }

  private option(node: { readonly option: Node }, name: string): string {
    const keep = this.style.keep
    this.advance(4)
    // Moving on before the flag is read keeps the position the same on both branches.
    this.settle()
    if (keep) this.lines.push(`let ${name}: ${this.style.type(node)} = null`)
    this.lines.push("if (r.bool(p - 4)) {")
    const value = this.read(node.option)
    if (keep) this.lines.push(`${name} = ${value}`)
    this.settle()
    this.lines.push("}")
    return keep ? name : ""
  }

  private array(
    element: Node,
    name: string,
    bounds: { readonly max: number; readonly size: number } | undefined,
    length?: number
  ): string {
    const keep = this.style.keep
    let count = String(length)
    if (bounds !== undefined) {
      count = this.fresh()
      this.lines.push(`const ${count} = r.count(${this.advance(4)}, ${bounds.max}, ${bounds.size})`)
    }
    const size = plain(element, this.types)
    if (!keep && size !== undefined) {
      this.settle()
      this.lines.push(`p += ${count} * ${size}`)
      return ""
    }
    if (keep) this.lines.push(`const ${name} = new Array<${this.style.type(element)}>(${count})`)
    const i = this.fresh()
    // Elements that are read by a call need no position of ours.
    const called =
      typeof element !== "string" && "ref" in element && this.types.all.get(element.ref)!.kind !== "enum"
    if (called) this.store()
    else this.settle()
    this.lines.push(`for (let ${i} = 0; ${i} < ${count}; ${i}++) {`)
    if (called) {
      this.lines.push(keep ? `${name}[${i}] = ${this.style.call(element.ref)}` : this.style.call(element.ref))
    } else {
      const value = this.read(element)
      if (keep) this.lines.push(`${name}[${i}] = ${value}`)
      this.settle()
    }
    this.lines.push("}")
    return keep ? name : ""
  }
}

const GETTERS = { u32: "getUint32", i32: "getInt32", u64: "getBigUint64", i64: "getBigInt64" } as const

/** Emits what writes the value `from` of type `node` to the writer `w`. */
export const write = (node: Node, from: string, depth = 0): ReadonlyArray<string> => {
  if (typeof node === "string") return [`w.${node}(${from})`]
  if ("opaque" in node) return [`w.opaque(${from}, ${node.opaque})`]
  if ("bytes" in node) return [`w.variable(${from}, ${node.bytes})`]
  if ("ref" in node) return [`write${node.ref}(w, ${from})`]
  if ("option" in node) {
    return [`w.bool(${from} !== null)`, `if (${from} !== null) {`, ...write(node.option, from, depth), "}"]
  }
  const element = "array" in node ? node.array : node.fixed
  const item = `item${depth}`
  const head =
    "array" in node ? `w.count(${from}.length, ${node.max})` : `w.exactly(${from}.length, ${node.length})`
  return [head, `for (const ${item} of ${from}) {`, ...write(element, item, depth + 1), "}"]
}
