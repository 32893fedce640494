import { assert, it } from "@effect/vitest"
import { createRequire } from "node:module"
import { readFileSync, readdirSync } from "node:fs"
import { cruise } from "dependency-cruiser"
import extractTSConfig from "dependency-cruiser/config-utl/extract-ts-config"

const require = createRequire(import.meta.url)
const { forbidden, options } = require("../../.scripts/dependency-rules.cjs")

it("imports point one way", async () => {
  const { output } = await cruise(
    ["src"],
    { ...options, ruleSet: { forbidden }, validate: true, outputType: "json" },
    undefined,
    { tsConfig: extractTSConfig("tsconfig.json") }
  )
  const { modules, summary } = JSON.parse(String(output))
  assert.isAbove(modules.length, 20)
  assert.deepStrictEqual(
    summary.violations.map(
      (v: { rule: { name: string }; from: string; to: string }) => `${v.rule.name}: ${v.from} -> ${v.to}`
    ),
    []
  )
}, 60_000)

const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.includes("generated"))
  .map((file) => ({ file, text: readFileSync(`src/${file}`, "utf8") }))

/** Files that are adapters to the process, sockets or real time, by design. */
const adapters =
  /^(lifecycle\/node\/|cli\/|drill\/|main\.ts|client\/Timers\.ts|dashboard\/Time\.ts|http\/(?:EventLoop|\w*(?:Server|Sockets?|Connections?|Drain\w*))\.ts)/

it.each([
  ["the wall clock or timers", /\b(?:setTimeout|setInterval|Date\.now|performance\.now)\s*\(|\bnew Date\(\)/],
  ["the process", /\bprocess\.(?:env|exit|on|argv|kill|pid)\b/]
])("only adapters touch %s (law 10)", (_, pattern) => {
  const offenders = sources
    .filter(({ file }) => !adapters.test(file))
    .filter(({ text }) => pattern.test(text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "")))
    .map(({ file }) => file)
  assert.deepStrictEqual(offenders, [])
})

it("only the lifecycle library forks daemons: whatever else outlives a scope is a leak", () => {
  const offenders = sources.filter(
    ({ file, text }) => !file.startsWith("lifecycle/") && text.includes("forkDaemon(")
  )
  assert.deepStrictEqual(
    offenders.map(({ file }) => file),
    []
  )
})

/** The lines below `from` that are indented more than it: the body of what begins there. */
const bodyOf = (lines: ReadonlyArray<string>, from: number): ReadonlyArray<string> => {
  const depth = (line: string) => line.search(/\S/)
  const rest = lines.slice(from + 1)
  const end = rest.findIndex((line) => depth(line) >= 0 && depth(line) <= depth(lines[from]!))
  return end < 0 ? rest : rest.slice(0, end)
}

it("no generator ends in itself: each turn of such a loop leaves a frame, and one that waits for weeks fills the memory", () => {
  const offenders = sources.flatMap(({ file, text }) => {
    const lines = text.split("\n")
    return lines.flatMap((line, i) => {
      const name = /^\s*(?:export )?const (\w+)/.exec(line)?.[1]
      const ends = new RegExp(`return yield\\* ${name}\\b`)
      return name !== undefined && bodyOf(lines, i).some((inner) => ends.test(inner))
        ? [`${file}: ${name}`]
        : []
    })
  })
  assert.deepStrictEqual(offenders, [])
})
