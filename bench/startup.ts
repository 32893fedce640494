/**
 * How long the service takes from exec to ready, and what it costs while nobody asks it anything: `npm run bench startup`. See README.md beside this file.
 */
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import * as Figures from "./startup/Figures.js"
import * as Subject from "./startup/Subject.js"
import { median, short, spread } from "./support/Statistics.js"
import { say, table } from "./support/Table.js"
import { prepare } from "./support/Target.js"

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "9" },
    settle: { type: "string", default: "30" },
    window: { type: "string", default: "30" },
    program: { type: "string" }
  }
})

/** What the figures may be at most: milliseconds until ready, MB, and the part of a core. */
const targets = { existing: 400, first: 700, memory: 120, cpu: 0.01 }

const wait = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000))

interface Idle {
  readonly name: string
  readonly memory: number
  readonly memoryAfter: number
  readonly cpu: number
  readonly waits: number
}

/** Every subject once a round, in turn: whatever disturbs the machine disturbs all alike. */
const starts = async (program: string, stock: string, folder: string) => {
  const existing = Path.join(folder, "existing/insights.db")
  const fresh = Path.join(folder, "first/insights.db")
  const started = async (subject: Subject.Subject) => {
    const running = await Subject.start(subject)
    await running.stop()
    return running.start
  }
  const subjects: ReadonlyArray<readonly [name: string, run: () => Promise<Subject.Start>]> = [
    ["node, nothing", Subject.nothing],
    ["effect, stock", () => started(Subject.peer(stock))],
    ["ours, existing database", () => started(Subject.service(program, existing))],
    [
      "ours, first start",
      () => {
        Subject.remove(fresh)
        return started(Subject.service(program, fresh))
      }
    ]
  ]
  Subject.remove(existing)
  await started(Subject.service(program, existing))
  const results = subjects.map(([name]) => ({ name, starts: [] as Array<Subject.Start> }))
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [i, [, run]] of subjects.entries()) results[i]!.starts.push(await run())
  }
  return results
}

/** All at once, since they have nothing to do. */
const idle = async (program: string, stock: string, folder: string): Promise<ReadonlyArray<Idle>> => {
  const database = (name: string) => {
    const filename = Path.join(folder, `${name}/insights.db`)
    Subject.remove(filename)
    return filename
  }
  const quiet = { STELLAR_SIMULATED_TRANSACTIONS: "0", STELLAR_SIMULATED_INTERVAL: "3600" }
  const [busy, still] = [database("busy"), database("still")]
  const subjects = [
    ["effect, stock", Subject.peer(stock)],
    ["ours, a ledger of 100 transactions every 5 s", Subject.service(program, busy)],
    ["ours, no ledgers", Subject.service(program, still, quiet)],
    ["ours, on standby beside that", Subject.service(program, still, quiet)]
  ] as const
  const running: Array<Subject.Running> = []
  try {
    for (const [, subject] of subjects) running.push(await Subject.start(subject))
    await wait(Number(values.settle))
    const memory = running.map(({ pid }) => Figures.resident(pid))
    const before = running.map(({ pid }) => Figures.used(pid))
    const from = performance.now()
    await wait(Number(values.window))
    const seconds = (performance.now() - from) / 1000
    return running.map(({ pid }, i) => {
      const { cpu, waits } = Figures.used(pid)
      return {
        name: subjects[i]![0],
        memory: memory[i]!,
        memoryAfter: Figures.resident(pid),
        cpu: (cpu - before[i]!.cpu) / 1000 / seconds,
        waits: (waits - before[i]!.waits) / seconds
      }
    })
  } finally {
    // The one on standby first: it would go on with the work of the other.
    for (const one of running.toReversed()) await one.stop()
  }
}

const verdict = (value: number, target: number): string => (value < target ? "met" : "MISSED")

const main = async (): Promise<void> => {
  const program = values.program === undefined ? Subject.bundle() : Path.resolve(values.program)
  const folder = await Fs.mkdtemp(Path.join(Os.tmpdir(), "bench-startup-"))
  const { commands, remove } = await prepare(["effect"])
  const stock = commands[0]!.argv[1]!
  try {
    say(`node ${process.version}, ${Os.availableParallelism()} cores, load ${Os.loadavg()[0]!.toFixed(1)}`)
    const started = await starts(program, stock, folder)
    const limits: Readonly<Record<string, number>> = {
      "ours, existing database": targets.existing,
      "ours, first start": targets.first
    }
    const base = median(started[0]!.starts.map(({ cpu }) => cpu))
    say(
      table([
        [
          "start",
          "listening, ms",
          "ready, ms",
          "target",
          "",
          "CPU until then, ms",
          "of nothing's",
          "MB then"
        ],
        ...started.map(({ name, starts }) => {
          const all = (of: (start: Subject.Start) => number) => starts.map((one) => Math.round(of(one)))
          const limit = limits[name]
          const ready = all((one) => one.ready)
          const isServer = !Number.isNaN(starts[0]!.listening)
          return [
            name,
            isServer ? spread(all((one) => one.listening)) : "",
            spread(ready),
            limit === undefined ? "" : `< ${limit}`,
            limit === undefined ? "" : verdict(median(ready), limit),
            spread(all((one) => one.cpu)),
            `${(median(starts.map(({ cpu }) => cpu)) / base).toFixed(1)} x`,
            isServer ? short(median(all((one) => one.memory))) : ""
          ]
        })
      ])
    )
    const idled = await idle(program, stock, folder)
    say(
      `\n${table([
        [
          `idle`,
          `MB after ${values.settle} s`,
          `after ${Number(values.settle) + Number(values.window)} s`,
          "target",
          "",
          "CPU, % of a core",
          "target",
          "",
          "wake-ups/s"
        ],
        ...idled.map(({ cpu, memory, memoryAfter, name, waits }) => {
          const isOurs = name.startsWith("ours")
          return [
            name,
            memory.toFixed(0),
            memoryAfter.toFixed(0),
            isOurs ? `< ${targets.memory}` : "",
            isOurs ? verdict(Math.max(memory, memoryAfter), targets.memory) : "",
            (cpu * 100).toFixed(2),
            isOurs ? `< ${targets.cpu * 100}` : "",
            isOurs ? verdict(cpu, targets.cpu) : "",
            waits.toFixed(1)
          ]
        })
      ])}`
    )
    const into = fileURLToPath(new URL("results/", import.meta.url))
    await Fs.mkdir(into, { recursive: true })
    const file = `${into}startup-${new Date().toISOString().replaceAll(":", "-")}.json`
    await Fs.writeFile(
      file,
      JSON.stringify({ options: values, node: process.version, targets, started, idled }, null, 1)
    )
    say(`\nevery start is in ${file}`)
  } finally {
    await remove()
    await Fs.rm(folder, { recursive: true, force: true })
  }
}

await main()
