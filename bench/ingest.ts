/**
 * How many ledgers a second go from the source into the database, with all of their facts and events:
 * `npm run bench ingest -- --loops 12`.
 *
 * Each loop is the service's own ingestion over a fresh database: objects read from the folder, decompressed, decoded, verified, committed, one
 * transaction a ledger. The time is from the first request for a ledger to the last commit. Two loops before the measured ones warm up.
 * "CPU" is what the process used in that time, all of its threads together: where it is well below the elapsed time, the machine or its disk was busy
 * with somebody else. `--of` picks from `pubnet` (ten recorded ledgers at protocol 26) and `load` (thirty recorded ledgers of a load test).
 *
 * `--of simulated --count 2000` ingests so many simulated ledgers once, and prints the resident memory at every tenth of them.
 *
 * What is measured is a bundle, run by node itself, as the service is shipped: loading TypeScript as it goes costs a hundred megabytes of its own.
 */
import { buildSync } from "esbuild"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import * as Loop from "./ingest/Loop.js"
import * as Workload from "./ingest/Workload.js"
import * as Statistics from "./support/Statistics.js"
import * as Table from "./support/Table.js"

const { values } = parseArgs({
  options: {
    loops: { type: "string", default: "20" },
    of: { type: "string", default: "pubnet,load" },
    count: { type: "string", default: "2000" },
    recorded: { type: "string" }
  }
})
const loops = Math.max(1, Number(values.loops))
const count = Math.max(10, Number(values.count))
const names = values.of.split(",") as ReadonlyArray<keyof typeof Workload.all>
const warmUp = 2
const root = fileURLToPath(new URL("../", import.meta.url))
const recorded = values.recorded ?? resolve(root, "../shared/stellar")

const rates = (workload: Workload.Workload, target: number) =>
  Effect.gen(function* () {
    yield* Effect.replicateEffect(Loop.run(workload), warmUp, { discard: true })
    const samples = yield* Effect.replicateEffect(Loop.run(workload), loops)
    const rate = samples.map(({ perSecond }) => perSecond)
    return [
      workload.name,
      Statistics.spread(rate),
      `>= ${target}`,
      Statistics.median(rate) >= target ? "met" : "MISSED",
      Statistics.spread(samples.map(({ cpuMillis }) => cpuMillis)),
      Statistics.short(samples.at(-1)!.resident.at(-1)!)
    ]
  })

const memory = (workload: Workload.Workload) =>
  Effect.gen(function* () {
    const { cpuMillis, perSecond, resident } = yield* Loop.run(workload)
    const [early, late] = [resident[1]!, resident.at(-1)!]
    Table.say(
      `${workload.count} simulated ledgers, ${Statistics.short(perSecond)} a second (making them included), ` +
        `${Statistics.short(cpuMillis)} ms of CPU each; resident MiB at every tenth: ${resident.map(Math.round).join(" ")}; ` +
        `from the second tenth to the last ${Statistics.short(late - early)}`
    )
  })

const bench = Effect.gen(function* () {
  const rows: Array<ReadonlyArray<string>> = []
  for (const name of names) {
    const workload = Workload.all[name]({ recorded, count })
    if (workload.perSecond === undefined) yield* memory(workload)
    else rows.push(yield* rates(workload, workload.perSecond))
  }
  const header = ["ledgers", "a second: median (least-most)", "target", "", "CPU ms each", "resident MiB"]
  if (rows.length > 0) Table.say(Table.table([header, ...rows]))
})

/** Bundles this file and runs the bundle, which is told where the recorded ledgers are and measures. */
const runBundle = (): number => {
  const outfile = join(root, "node_modules/.bench/ingest.mjs")
  buildSync({
    entryPoints: [fileURLToPath(import.meta.url)],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["better-sqlite3", "esbuild"],
    banner: {
      js: "import { createRequire as benchRequire } from 'node:module'; const require = benchRequire(import.meta.url)"
    },
    logLevel: "error"
  })
  const options = ["--loops", String(loops), "--of", values.of, "--count", String(count)]
  const { status } = spawnSync(process.execPath, [outfile, ...options, "--recorded", recorded], {
    stdio: "inherit"
  })
  return status ?? 1
}

const unknown = names.filter((name) => !(name in Workload.all))
if (unknown.length > 0) {
  Table.say(`bench ingest: --of takes ${Object.keys(Workload.all).join(", ")}, not ${unknown.join(", ")}`)
  process.exitCode = 2
} else if (!existsSync(recorded) && names.some((name) => name !== "simulated")) {
  Table.say("bench ingest: there is no folder ../shared/stellar with recorded ledgers; nothing was measured")
  process.exitCode = 1
} else if (values.recorded === undefined) {
  process.exitCode = runBundle()
} else {
  await Effect.runPromise(Logger.withMinimumLogLevel(bench, LogLevel.Warning))
}
