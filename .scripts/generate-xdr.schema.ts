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
        return { array: node(type.element), max: type.maxLength }
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
  return new Map(names.map((name) => [name, markRecursive(name, types)]))
}

const markRecursive = (name: string, types: ReadonlyMap<string, Named>): Named => {
  const type = types.get(name)!
  return reachable(name, types).has(name) ? { recursive: true, ...type } : type
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
