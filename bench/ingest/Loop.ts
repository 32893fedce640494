/** One run of the service's own ingestion over a database that is new. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { performance } from "node:perf_hooks"
import * as HealthDetails from "../../src/http/HealthDetails.js"
import * as Database from "../../src/insights/Database.js"
import * as Ingestion from "../../src/insights/Ingestion.js"
import * as LedgerStore from "../../src/insights/LedgerStore.js"
import * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import * as TaskBoard from "../../src/lifecycle/TaskBoard.js"
import type { Workload } from "./Workload.js"

/** What one loop took. */
export interface Sample {
  /** Ledgers a second, from the first request for one to the last commit. */
  readonly perSecond: number
  /** Milliseconds of CPU time per ledger, all threads together. */
  readonly cpuMillis: number
  /** MiB of resident memory, at every tenth of the ledgers. */
  readonly resident: ReadonlyArray<number>
}

/** Ingests all ledgers of a workload. */
export const run = (workload: Workload): Effect.Effect<Sample, unknown> =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "ingest-"))),
    (folder) => Effect.scoped(ingest(workload, join(folder, "insights.db"))),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  )

const ingest = ({ count, first, source }: Workload, filename: string) =>
  Effect.gen(function* () {
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
        TaskBoard.layer,
        Layer.succeed(Lifecycle.Lifecycle, lifecycle)
      ])
    )
    const { awaitAfter } = Context.get(store, LedgerStore.LedgerStore)
    const resident: Array<number> = []
    const start = performance.now()
    const cpu = process.cpuUsage()
    yield* Layer.build(ingestion)
    for (let tenth = 1; tenth <= 10; tenth++) {
      yield* awaitAfter(first + Math.ceil((count * tenth) / 10) - 2)
      resident.push(process.memoryUsage.rss() / 2 ** 20)
    }
    const millis = performance.now() - start
    const { system, user } = process.cpuUsage(cpu)
    return {
      perSecond: (count * 1000) / millis,
      cpuMillis: (user + system) / 1000 / count,
      resident
    } satisfies Sample
  })
