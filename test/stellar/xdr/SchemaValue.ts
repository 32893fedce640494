/** Makes values of any type of the schema, so that every arm of every union is tested and not only those that were recorded. */
import { schema } from "../../../src/stellar/xdr/generated/schema.js"
import type { Node } from "../../../src/stellar/xdr/XdrSchema.js"

/** Numbers in [0, 1), the same for the same seed. */
export const random = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32
  }
}

/** A value of the named type; `arm` picks the arm of an outermost union. */
export const value = (type: string, next: () => number, arm?: number, depth = 0): unknown => {
  const named = schema[type]
  if (named === undefined) throw new Error(`no type ${type}`)
  if (named.kind === "enum") return named.members[Math.floor(next() * named.members.length)]![1]
  if (named.kind === "struct") {
    return Object.fromEntries(named.fields.map(([field, node]) => [field, ofNode(node, next, depth + 1)]))
  }
  // Deep inside, an arm that carries nothing, if there is one, lets recursion end.
  const bare = named.arms.filter(([, , node]) => node === undefined)
  const choice = depth > 12 && bare.length > 0 ? bare : named.arms
  const [, name, node] = arm === undefined ? choice[Math.floor(next() * choice.length)]! : named.arms[arm]!
  return { type: name, value: node === undefined ? undefined : ofNode(node, next, depth + 1) }
}

const ofNode = (node: Node, next: () => number, depth: number): unknown => {
  const count = (max: number): number => Math.min(max, depth > 10 ? 0 : Math.floor(next() * 3))
  const word = (): number => (next() < 0.2 ? (next() < 0.5 ? 0 : 0xffffffff) : Math.floor(next() * 2 ** 32))
  const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => Math.floor(next() * 256))
  if (node === "u32") return word()
  if (node === "i32") return word() | 0
  if (node === "bool") return next() < 0.5
  if (typeof node === "string") {
    const wide = (BigInt(word()) << 32n) | BigInt(word())
    return node === "u64" ? wide : BigInt.asIntN(64, wide)
  }
  if ("opaque" in node) return bytes(node.opaque)
  if ("bytes" in node) return bytes(Math.min(node.bytes, Math.floor(next() * 9)))
  if ("array" in node) return Array.from({ length: count(node.max) }, () => ofNode(node.array, next, depth))
  if ("fixed" in node) return Array.from({ length: node.length }, () => ofNode(node.fixed, next, depth))
  if ("option" in node) return depth > 10 || next() < 0.5 ? null : ofNode(node.option, next, depth)
  return value(node.ref, next, undefined, depth)
}
