/**
 * How many ledgers a second go from the lake into the database, on the ten recorded ledgers of the public network at protocol 26:
 * `npm run bench ingest -- --loops 12`.
 *
 * Each loop is the service's own ingestion over a fresh database: objects read from the folder, decompressed, decoded, verified, committed, one
 * transaction a ledger. The time is from the first request for a ledger to the tenth commit. Two loops before the measured ones warm up.
 * "CPU" is what the process used in that time, all of its threads together: where it is well below the elapsed time, the machine or its disk was busy
 * with somebody else.
 *
 * Memory is the process's resident set after the loops; it counts when 200 ledgers or more are in. What is measured is a bundle, run by node itself, as the
 * service is shipped: loading TypeScript as it goes costs a hundred megabytes of its own.
 */
import { buildSync } from "esbuild"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { performance } from "node:perf_hooks"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import * as HealthDetails from "../src/http/HealthDetails.js"
import * as Database from "../src/insights/Database.js"
import * as Ingestion from "../src/insights/Ingestion.js"
import * as LedgerStore from "../src/insights/LedgerStore.js"
import * as Lifecycle from "../src/lifecycle/Lifecycle.js"
import * as Network from "../src/stellar/Network.js"
import * as LakeSource from "../src/stellar/source/LakeSource.js"
import * as Statistics from "./support/Statistics.js"
import * as Table from "./support/Table.js"

const { values } = parseArgs({
  options: { loops: { type: "string", default: "20" }, lake: { type: "string" } }
})
const loops = Math.max(1, Number(values.loops))
const warmUp = 2
const root = fileURLToPath(new URL("../", import.meta.url))
const lake = values.lake ?? resolve(root, "../shared/stellar/lake-pubnet")
const first = 63_092_982
const count = 10
const target = { perSecond: 60, residentMegabytes: 200 }

/** What one loop took. */
interface Sample {
  readonly perSecond: number
  /** Milliseconds of CPU time per ledger. */
  readonly cpuMillis: number
}

const source = LakeSource.layer({
  location: { _tag: "Folder", path: lake },
  networkPassphrase: Network.passphrases.pubnet
}).pipe(Layer.provide([NodeContext.layer, FetchHttpClient.layer]))

const loop = Effect.acquireUseRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "ingest-"))),
  (folder) =>
    Effect.scoped(
      Effect.gen(function* () {
        const filename = join(folder, "insights.db")
        const lifecycle = yield* Lifecycle.make(Duration.minutes(1))
        const store = yield* Layer.build(
          Layer.provideMerge(LedgerStore.layer, Database.layerFrom({ url: `sqlite:${filename}`, filename }))
        )
        const ingestion = Ingestion.layer({
          startLedger: Option.some(first),
          limit: Duration.seconds(10)
        }).pipe(
          Layer.provide([
            Layer.succeedContext(store),
            source,
            HealthDetails.layer,
            Layer.succeed(Lifecycle.Lifecycle, lifecycle)
          ])
        )
        const start = performance.now()
        const cpu = process.cpuUsage()
        yield* Layer.build(ingestion)
        yield* Context.get(store, LedgerStore.LedgerStore).awaitAfter(first + count - 2)
        const millis = performance.now() - start
        const { system, user } = process.cpuUsage(cpu)
        return {
          perSecond: (count * 1000) / millis,
          cpuMillis: (user + system) / 1000 / count
        } satisfies Sample
      })
    ),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

const bench = Effect.gen(function* () {
  yield* Effect.replicateEffect(loop, warmUp, { discard: true })
  const samples = yield* Effect.replicateEffect(loop, loops)
  const rates = samples.map(({ perSecond }) => perSecond)
  const ingested = count * (loops + warmUp)
  const resident = process.memoryUsage().rss / 2 ** 20
  const enough = ingested >= 200
  const verdict = (good: boolean) => (good ? "met" : "MISSED")
  Table.say(
    Table.table([
      ["figure", "median (least-most)", "target", ""],
      [
        "ledgers/s",
        Statistics.spread(rates),
        `>= ${target.perSecond}`,
        verdict(Statistics.median(rates) >= target.perSecond)
      ],
      ["CPU ms/ledger", Statistics.spread(samples.map(({ cpuMillis }) => cpuMillis)), "", ""],
      [
        `resident MiB after ${ingested} ledgers`,
        Statistics.short(resident),
        `< ${target.residentMegabytes}`,
        enough ? verdict(resident < target.residentMegabytes) : "too few ledgers"
      ]
    ])
  )
})

/** Bundles this file and runs the bundle, which is told where the lake is and measures. */
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
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)"
    },
    logLevel: "error"
  })
  const { status } = spawnSync(process.execPath, [outfile, "--loops", String(loops), "--lake", lake], {
    stdio: "inherit"
  })
  return status ?? 1
}

if (!existsSync(lake)) {
  Table.say("bench ingest: there is no folder ../shared/stellar with recorded ledgers; nothing was measured")
  process.exitCode = 1
} else if (values.lake === undefined) {
  process.exitCode = runBundle()
} else {
  await Effect.runPromise(Logger.withMinimumLogLevel(bench, LogLevel.Warning))
}
