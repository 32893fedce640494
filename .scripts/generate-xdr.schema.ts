/** Reads the XDR schema out of the runtime type objects that @stellar/stellar-sdk carries, into the project's own form of it. */
import { xdr } from "@stellar/stellar-sdk"
import type { Named, Node } from "../src/stellar/xdr/XdrSchema.js"

/** The parts of the SDK's type objects that are read here. */
interface SdkType {
  readonly kind: string
  readonly name?: string
  readonly length: number
  readonly maxLength: number
  readonly element: SdkType
  readonly entries: ReadonlyArray<readonly [string, SdkType]>
  readonly switchOn: SdkType
  readonly cases: ReadonlyArray<{
    name: string
    discriminant: number
    arm: { kind: string; schema?: SdkType }
  }>
  readonly defaultArm?: unknown
  readonly nameByValue: ReadonlyMap<number, string>
  readonly getSchema: () => SdkType
}

/** Every named type that can be reached from `roots`, by name, in alphabetical order. */
export const load = (roots: ReadonlyArray<string>): ReadonlyMap<string, Named> => {
  const found = new Map<string, { type: SdkType; named: Named }>()
  const sdk = xdr as unknown as Record<string, { readonly schema: SdkType }>

  const named = (type: SdkType): Node => {
    const name = type.name
    if (name === undefined) throw new Error(`a ${type.kind} without a name`)
    const seen = found.get(name)
    if (seen !== undefined) {
      if (seen.type !== type) throw new Error(`two types are called ${name}`)
      return { ref: name }
    }
    const entry = { type, named: { kind: "enum", members: [] } as Named }
    found.set(name, entry)
    entry.named = describe(type, name)
    return { ref: name }
  }

  const describe = (type: SdkType, name: string): Named => {
    if (type.kind === "enum") return { kind: "enum", members: [...type.nameByValue] }
    if (type.kind === "struct") {
      return { kind: "struct", fields: type.entries.map(([field, t]) => [field, node(t)] as const) }
    }
    if (type.defaultArm !== undefined)
      throw new Error(`${name} has a default arm: teach the generator about it`)
    node(type.switchOn)
    return {
      kind: "union",
      arms: type.cases.map(({ name, discriminant, arm }) =>
        arm.schema === undefined
          ? ([discriminant, name] as const)
          : ([discriminant, name, node(arm.schema)] as const)
      )
    }
  }

  const node = (type: SdkType): Node => {
    switch (type.kind) {
      case "lazy":
        return node(type.getSchema())
      case "uint32":
        return "u32"
      case "int32":
        return "i32"
      case "uint64":
        return "u64"
      case "int64":
        return "i64"
      case "bool":
        return "bool"
      case "opaque":
        return { opaque: type.length }
      case "varOpaque":
      case "string":
        return { bytes: type.maxLength }
      case "array":
        return { array: node(type.element), max: type.maxLength, size: 0 }
      case "fixedArray":
        return { fixed: node(type.element), length: type.length }
      case "option":
        return { option: node(type.element) }
      case "struct":
      case "union":
      case "enum":
        return named(type)
      default:
        throw new Error(`no XDR kind ${type.kind} is known here`)
    }
  }

  for (const root of roots) {
    const type = sdk[root]
    if (type === undefined) throw new Error(`the SDK has no type ${root}`)
    node(type.schema)
  }
  const names = [...found.keys()].sort()
  const types = new Map(names.map((name) => [name, found.get(name)!.named]))
  return new Map(names.map((name) => [name, markRecursive(name, withSizes(types.get(name)!, types), types)]))
}

const markRecursive = (name: string, type: Named, types: ReadonlyMap<string, Named>): Named =>
  reachable(name, types).has(name) ? { recursive: true, ...type } : type

/** Fills in how small the elements of arrays can be, which can only be said when all types are known. */
const withSizes = (type: Named, types: ReadonlyMap<string, Named>): Named => {
  const fill = (node: Node): Node => {
    if (typeof node === "string") return node
    if ("array" in node) return { array: fill(node.array), max: node.max, size: smallest(node.array, types) }
    if ("fixed" in node) return { fixed: fill(node.fixed), length: node.length }
    return "option" in node ? { option: fill(node.option) } : node
  }
  if (type.kind === "struct")
    return { ...type, fields: type.fields.map(([name, node]) => [name, fill(node)] as const) }
  if (type.kind === "enum") return type
  const arms = type.arms.map(([tag, name, node]) =>
    node === undefined ? ([tag, name] as const) : ([tag, name, fill(node)] as const)
  )
  return { ...type, arms }
}

/** The fewest bytes that a value takes. */
const smallest = (
  node: Node,
  types: ReadonlyMap<string, Named>,
  open: ReadonlySet<string> = new Set()
): number => {
  if (typeof node === "string") return node === "u64" || node === "i64" ? 8 : 4
  if ("opaque" in node) return (node.opaque + 3) & ~3
  if ("bytes" in node || "array" in node || "option" in node) return 4
  if ("fixed" in node) return node.length * smallest(node.fixed, types, open)
  if (open.has(node.ref)) return 4
  const type = types.get(node.ref)!
  if (type.kind === "enum") return 4
  const inside = new Set(open).add(node.ref)
  const sizes = parts(type).map((part) => smallest(part, types, inside))
  if (type.kind === "struct") return sizes.reduce((a, b) => a + b, 0)
  const bare = type.arms.some(([, , part]) => part === undefined)
  return 4 + (bare ? 0 : Math.min(...sizes))
}

/** The named types that a value of `name` can hold, at any depth. */
const reachable = (name: string, types: ReadonlyMap<string, Named>): ReadonlySet<string> => {
  const seen = new Set<string>()
  const visit = (from: string): void => {
    for (const ref of references(types.get(from)!)) {
      if (seen.has(ref)) continue
      seen.add(ref)
      visit(ref)
    }
  }
  visit(name)
  return seen
}

/** The nodes that a named type is made of. */
export const parts = (type: Named): ReadonlyArray<Node> =>
  type.kind === "struct"
    ? type.fields.map(([, node]) => node)
    : type.kind === "union"
      ? type.arms.flatMap(([, , node]) => (node === undefined ? [] : [node]))
      : []

const references = (type: Named): ReadonlyArray<string> => parts(type).flatMap(referencesOf)

/** The named types that a node mentions itself. */
export const referencesOf = (node: Node): ReadonlyArray<string> => {
  if (typeof node === "string") return []
  if ("ref" in node) return [node.ref]
  if ("array" in node) return referencesOf(node.array)
  if ("fixed" in node) return referencesOf(node.fixed)
  if ("option" in node) return referencesOf(node.option)
  return []
}
