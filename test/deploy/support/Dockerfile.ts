/** The Dockerfile, as far as its rules need it: instructions, one to a line, in stages. */
import { readFileSync } from "node:fs"

/** `EXPOSE 8080 8081`. */
export interface Instruction {
  readonly keyword: string
  readonly text: string
}

/** The instructions of `text`: comments left out, lines that go on joined. */
export const instructions = (text: string): ReadonlyArray<Instruction> =>
  text
    .replace(/^\s*#.*\n/gm, "")
    .replace(/\\\n\s*/g, " ")
    .split("\n")
    .flatMap((line) => {
      const match = /^(\w+)\s+(.*)$/.exec(line.trim())
      return match === null ? [] : [{ keyword: match[1]!, text: match[2]! }]
    })

/** The instructions of each stage, its `FROM` first. What stands before the first one is left out. */
export const stages = (text: string): ReadonlyArray<ReadonlyArray<Instruction>> => {
  const found: Array<Array<Instruction>> = []
  for (const instruction of instructions(text)) {
    if (instruction.keyword === "FROM") found.push([])
    found.at(-1)?.push(instruction)
  }
  return found
}

/** The one of this project. */
export const text = (): string => readFileSync("Dockerfile", "utf8")

/** What the image sets: `ENV` of its last stage. */
export const environment = (): Record<string, string> =>
  Object.fromEntries(
    (stages(text()).at(-1) ?? [])
      .filter(({ keyword }) => keyword === "ENV")
      .flatMap(({ text }) => [...text.matchAll(/(\w+)=(\S*)/g)].map(([, key, value]) => [key!, value!]))
  )

/** The list of an instruction in exec form; undefined in shell form. */
export const execForm = (text: string): ReadonlyArray<string> | undefined => {
  try {
    const list: unknown = JSON.parse(text)
    return Array.isArray(list) && list.every((it) => typeof it === "string") ? list : undefined
  } catch {
    return undefined
  }
}
