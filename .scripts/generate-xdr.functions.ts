/** Writes one declaration or function of the generated files at a time. */
import { Body, nodeType, write, type Style, type Types } from "./generate-xdr.emit.js"
import type { Named, Node } from "../src/stellar/xdr/XdrSchema.js"

/** What the generator was told about single types. */
export interface Plan {
  /** Types whose values say where they lay in the input, because their bytes are hashed. */
  readonly ranged: ReadonlySet<string>
  /** `Type.field` that an outline leaves as a range. */
  readonly outlinedFields: ReadonlySet<string>
}

/** How values are read in full. */
export const READ: Style = {
  call: (name) => `read${name}(r)`,
  keep: true,
  type: nodeType((name) => `T.${name}`)
}

/** How values are skipped. */
export const SKIP: Style = { call: (name) => `skip${name}(r)`, keep: false, type: () => "void" }

const SKIP_FROM_OUTLINE: Style = { ...SKIP, call: (name) => `Skip.skip${name}(r)` }

const quote = (text: string): string => JSON.stringify(text)
const constant = (name: string, arm: string): string => `${name}_${arm}`
const RANGE_DOC = "  /** Where it lay in the input. Absent in values made by hand; not encoded. */\n"

/** The TypeScript type of a named type. `of` gives the type of a field or arm from its node and its `Type.field`. */
export const declare = (
  plan: Plan,
  name: string,
  exported: string,
  type: Named,
  of: (node: Node, field: string) => string,
  what: string
): string => {
  const ranged = plan.ranged.has(name)
  if (type.kind === "enum") {
    const members = type.members.map(([, member]) => `\n  | ${quote(member)}`).join("")
    return `/** ${what} \`${name}\`, by member name. */\nexport type ${exported} =${members}\n`
  }
  if (type.kind === "struct") {
    const fields = type.fields.map(
      ([field, node]) => `  readonly ${field}: ${of(node, `${name}.${field}`)}\n`
    )
    const range = ranged ? `${RANGE_DOC}  readonly range?: Range\n` : ""
    return `/** ${what} \`${name}\`. */\nexport interface ${exported} {\n${fields.join("")}${range}}\n`
  }
  const range = ranged ? "; readonly range?: Range" : ""
  const arms = type.arms.map(([, arm, node]) => {
    const value = node === undefined ? "value?: undefined" : `value: ${of(node, `${name}.${arm}`)}`
    return `\n  | { readonly type: ${quote(arm)}; readonly ${value}${range} }`
  })
  return `/** ${what} \`${name}\`, told apart by \`type\`. */\nexport type ${exported} =${arms.join("")}\n`
}

/** The values of arms that carry nothing: one object for each, since there is nothing to tell two of them apart. */
export const constants = (
  plan: Plan,
  types: ReadonlyArray<readonly [string, Named]>,
  of: (name: string) => string
): string =>
  types
    .flatMap(([name, type]) => {
      if (type.kind !== "union" || plan.ranged.has(name)) return []
      return type.arms.flatMap(([, arm, node]) =>
        node === undefined
          ? [`const ${constant(name, arm)}: ${of(name)} = { type: ${quote(arm)}, value: undefined }\n`]
          : []
      )
    })
    .join("")

/** The function that reads, outlines or skips a struct or union, as `style` says. */
export const reader = (plan: Plan, types: Types, name: string, style: Style, head: string): string => {
  const type = types.all.get(name)!
  const keep = style.keep
  const ranged = keep && plan.ranged.has(name)
  const range = ranged ? ", range: { start, end: r.p }" : ""
  const deep = type.recursive === true
  const leave = deep ? ["r.d--"] : []
  const lines: Array<string> = []
  if (deep) lines.push("if (++r.d > MAX_DEPTH) throw r.deep()")
  if (ranged) lines.push("const start = r.p")
  const close = (body: Body): void => {
    body.store()
    if (body.usesPosition) lines.push("let p = 0")
    lines.push(...body.lines, ...leave)
  }
  if (type.kind === "struct") {
    const body = new Body(types, style)
    const values = type.fields.map(([field, node]) => {
      const outlined = style.outline === true && plan.outlinedFields.has(`${name}.${field}`)
      return `${field}: ${outlined ? body.range(node, SKIP_FROM_OUTLINE) : body.read(node)}`
    })
    close(body)
    if (keep) lines.push(`return { ${values.join(", ")}${range} }`)
  } else if (type.kind === "union") {
    lines.push("const at = r.p", "const tag = r.v.getInt32(at)", "r.p = at + 4", "switch (tag) {")
    for (const [tag, arm, node] of type.arms) {
      if (node === undefined) {
        const value = ranged ? `{ type: ${quote(arm)}, value: undefined${range} }` : constant(name, arm)
        lines.push(`case ${tag}:`, ...leave, keep ? `return ${value}` : "return")
        continue
      }
      const body = new Body(types, style)
      const value = body.read(node)
      lines.push(`case ${tag}: {`)
      close(body)
      lines.push(keep ? `return { type: ${quote(arm)}, value: ${value}${range} }` : "return", "}")
    }
    lines.push("default:", `throw r.unknown(${quote(name)}, at, tag)`, "}")
  }
  return `${head} {\n${lines.join("\n")}\n}\n`
}

/** The function that reads an enum at a given offset. */
export const enumReader = (name: string, type: Named & { readonly kind: "enum" }): string =>
  [
    `/** Reads the enum \`${name}\`. */`,
    `export const enum${name} = (r: XdrReader, at: number): T.${name} => {`,
    "const value = r.v.getInt32(at)",
    "switch (value) {",
    ...type.members.map(([value, member]) => `case ${value}:\nreturn ${quote(member)}`),
    "default:",
    `throw r.unknown(${quote(name)}, at, value)`,
    "}",
    "}",
    ""
  ].join("\n")

/** The function that writes a named type. */
export const writer = (types: Types, name: string): string => {
  const type = types.all.get(name)!
  const lines: Array<string> = []
  if (type.kind === "struct") {
    for (const [field, node] of type.fields) lines.push(...write(node, `value.${field}`))
  } else {
    lines.push(type.kind === "enum" ? "switch (value) {" : "switch (value.type) {")
    const cases: ReadonlyArray<readonly [number, string, Node?]> =
      type.kind === "enum" ? type.members : type.arms
    for (const [tag, arm, node] of cases) {
      lines.push(`case ${quote(arm)}: {`, `w.i32(${tag})`)
      if (node !== undefined) lines.push(...write(node, "value.value"))
      lines.push("return", "}")
    }
    lines.push("}", `throw w.refuse(${quote(`this is no ${name}`)})`)
  }
  const head = `export function write${name}(w: XdrWriter, value: T.${name}): void`
  return `/** Writes a \`${name}\`. */\n${head} {\n${lines.join("\n")}\n}\n`
}
