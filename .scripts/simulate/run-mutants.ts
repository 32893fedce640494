/** Puts one fault at a time into a copy of the library, and sees whether anything notices. */
import { spawn } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { transformSync } from "esbuild"
import type { Mutant } from "./mutants.js"
import { mutants } from "./mutants.js"

const root = resolve(import.meta.dirname, "../..")
/** What a mutant's copy consists of. */
const copied = [
  "src",
  "test/lifecycle",
  "test/simulation",
  "test/support",
  ".scripts",
  "package.json",
  "tsconfig.json",
  "vitest.config.ts"
]
/** Simulated stops that a mutant must survive before the tests get to see it. */
const runs = 600
const simulationMillis = 60_000
const testsMillis = 90_000

const copy = (into: string): void => {
  for (const path of copied) cpSync(join(root, path), join(into, path), { recursive: true })
  symlinkSync(join(root, "node_modules"), join(into, "node_modules"))
}

/** Runs a command: whether it went well, or that it had to be ended. */
const attempt = (
  folder: string,
  args: ReadonlyArray<string>,
  millis: number
): Promise<"well" | "badly" | "hung"> =>
  new Promise((settle) => {
    // A group of its own, so that nothing it started outlives it.
    const child = spawn(process.execPath, args, { cwd: folder, stdio: "ignore", detached: true })
    let hung = false
    const timer = setTimeout(() => {
      hung = true
      process.kill(-child.pid!, "SIGKILL")
    }, millis)
    child.on("exit", (code) => {
      clearTimeout(timer)
      settle(hung ? "hung" : code === 0 ? "well" : "badly")
    })
  })

const simulation = [
  "--import",
  "tsx",
  ".scripts/simulate.ts",
  "--regressions",
  "--jobs",
  "1",
  "--runs",
  String(runs),
  "--seed",
  "5000"
]
const vitest = [
  "node_modules/vitest/vitest.mjs",
  "run",
  "test/lifecycle/Laws.test.ts",
  "test/lifecycle/Hooks.test.ts",
  "test/simulation/Sharing.test.ts",
  "--bail",
  "1"
]
const allTests = ["node_modules/vitest/vitest.mjs", "run", "test/lifecycle", "--bail", "1"]

/** What noticed the fault; nothing when it survives. */
const killer = async (folder: string): Promise<string | undefined> => {
  for (const [name, args, millis] of [
    ["simulation", simulation, simulationMillis],
    ["tests", vitest, testsMillis],
    ["tests", allTests, testsMillis]
  ] as const) {
    const outcome = await attempt(folder, args, millis)
    if (outcome === "badly") return name
    if (outcome === "hung") return `${name} (timeout)`
  }
  return undefined
}

const count = (text: string, part: string): number => text.split(part).length - 1

/** Tries the mutants whose reason contains `only`; prints a table; whether every one was noticed. */
export const runMutants = async (only: string): Promise<boolean> => {
  const sources = (file: string) => join(root, "src/lifecycle", file)
  const chosen = mutants.filter(({ why }) => why.includes(only))
  const outdated = chosen.filter(({ file, text }) => count(readFileSync(sources(file), "utf8"), text) !== 1)
  for (const { file, text, why } of outdated) console.log(`${file}: not there exactly once (${why}): ${text}`)
  if (outdated.length > 0) return false

  // A mutant that is not a program would be noticed by anything.
  for (const { file, instead, text } of chosen) {
    transformSync(
      readFileSync(sources(file), "utf8").replace(text, () => instead),
      { loader: "ts" }
    )
  }

  const start = performance.now()
  const killed = new Map<Mutant, string | undefined>()
  const queue = [...chosen]
  const worker = async () => {
    const folder = mkdtempSync(join(tmpdir(), "mutant-"))
    mkdirSync(folder, { recursive: true })
    try {
      copy(folder)
      for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
        const source = readFileSync(sources(mutant.file), "utf8")
        const target = join(folder, "src/lifecycle", mutant.file)
        writeFileSync(
          target,
          source.replace(mutant.text, () => mutant!.instead)
        )
        const by = await killer(folder)
        writeFileSync(target, source)
        killed.set(mutant, by)
        console.log(`${(by ?? "SURVIVED").padEnd(22)} ${mutant.file.padEnd(18)} ${mutant.why}`)
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), 4) }, worker))
  const survivors = chosen.filter((mutant) => killed.get(mutant) === undefined)
  const bySimulation = [...killed.values()].filter((by) => by?.startsWith("simulation")).length
  console.log(
    `${chosen.length} mutants in ${Math.round((performance.now() - start) / 1000)} s: ${bySimulation} killed by the simulation, ` +
      `${chosen.length - bySimulation - survivors.length} by tests, ${survivors.length} survived`
  )
  return survivors.length === 0 && chosen.length > 0
}
