/** A disk that fills up: ingestion halts for everyone to see, the rest goes on, and when there is room again nothing is missing. */
import { afterEach, assert, describe, it } from "@effect/vitest"
import { join } from "node:path"
import * as Child from "../support/Child.js"
import * as SmallDisk from "../support/SmallDisk.js"
import * as TableDump from "../support/TableDump.js"

const disks = new Set<SmallDisk.SmallDisk>()
afterEach(() => {
  for (const disk of disks) disk.remove()
  disks.clear()
  Child.clear()
})

const probe = SmallDisk.make("1m")
if (typeof probe === "string") console.log(`not tested, ${probe}`)
else probe.remove()

const simulation = { STELLAR_SIMULATED_INTERVAL: "0.02", STELLAR_SIMULATED_TRANSACTIONS: "40" }

const serve = (disk: SmallDisk.SmallDisk) =>
  Child.serve({
    ...simulation,
    METRICS_SYNC_INTERVAL: "1",
    POOL_SNAPSHOT_INTERVAL: "1",
    TRUSTLINE_SNAPSHOT_INTERVAL: "1",
    DATABASE_URL: `sqlite:${join(disk.folder, "insights.db")}`
  })

const small = (size: string): SmallDisk.SmallDisk => {
  const disk = SmallDisk.make(size) as SmallDisk.SmallDisk
  disks.add(disk)
  return disk
}

const ask = async (url: string, path: string) => {
  const response = await fetch(url + path)
  // What form it has is what this is about.
  // oxlint-disable-next-line typescript/no-explicit-any
  return { status: response.status, json: (await response.json()) as any }
}

/** Asks until readiness is so. */
const ready = async (url: string, status: number, millis: number) => {
  const end = performance.now() + millis
  for (;;) {
    const answer = await ask(url, "/health/ready")
    if (answer.status === status) return answer.json
    assert.isBelow(performance.now(), end, `still ${answer.status}: ${JSON.stringify(answer.json)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** The same ledgers on a disk that has room for them, and nothing but them. */
const undisturbed = async (first: number, last: number) => {
  const child = Child.start(
    [Child.bin, "backfill", "--from", String(first), "--to", String(last), "--source", "simulated"],
    { ...simulation, LOG_FORMAT: "json" }
  )
  assert.strictEqual((await child.end).code, 0, child.stdout())
  return TableDump.byLedger(join(child.folder, "data/insights.db"))
}

const assertNothingLost = async (disk: SmallDisk.SmallDisk) => {
  const file = join(disk.folder, "insights.db")
  assert.deepStrictEqual(
    TableDump.reading(file, (database) => database.pragma("integrity_check")),
    [{ integrity_check: "ok" }]
  )
  const stored = TableDump.byLedger(file)
  const sequences = [...stored.keys()]
  assert.deepStrictEqual(stored, await undisturbed(sequences[0]!, sequences.at(-1)!))
}

describe.skipIf(typeof probe === "string")("a disk that fills up", () => {
  it("halts ingestion visibly, and it goes on when there is room", async () => {
    const disk = small("2m")
    const child = serve(disk)
    const url = await Child.url(child)
    const reasons = await ready(url, 503, 30_000)
    assert.match(JSON.stringify(reasons), /ingestion is halted: the database failed: .*full/)
    const halted = (await ask(url, "/health")).json
    assert.strictEqual(halted.status, "not ready")
    assert.strictEqual(halted.ingestion.state, "halted")
    assert.strictEqual(halted.ingestion.halt.reason, "disk")
    assert.strictEqual((await ask(url, "/health/live")).status, 200)
    assert.strictEqual((await ask(url, "/api/ledgers?limit=1")).status, 200)
    await child.says(
      /"level":"error","message":"Ingestion is halted","reason":"disk".*"why":"the database failed: .*full/
    )
    const { tasks } = halted as { tasks: ReadonlyArray<{ name: string; lastRun: { error: string } }> }
    const task = tasks.find(({ name }) => name === "ledger-ingestion")!
    assert.match(task.lastRun.error, /database or disk is full/)

    disk.resize("64m")
    await ready(url, 200, 20_000)
    const resumed = (await ask(url, "/health")).json
    assert.isNull(resumed.ingestion.halt)
    await child.says(/"Ingestion goes on"/)
    assert.isAtLeast(resumed.ingestion.lastLedger, halted.ingestion.lastLedger)
    child.kill("SIGTERM")
    assert.strictEqual((await child.end).code, 0, child.stdout())
    await assertNothingLost(disk)
  }, 90_000)

  it("is survived: a kill while it is full, a start and a stop on the full disk, and a start with room goes on", async () => {
    const disk = small("2m")
    const killed = serve(disk)
    await ready(await Child.url(killed), 503, 30_000)
    killed.kill("SIGKILL")
    await killed.end

    const full = serve(disk)
    const url = await Child.url(full)
    await ready(url, 503, 10_000)
    assert.strictEqual((await ask(url, "/api/ledgers?limit=1")).status, 200)
    const signalled = performance.now()
    full.kill("SIGTERM")
    assert.strictEqual((await full.end).code, 0, full.stdout() + full.stderr())
    assert.isBelow(performance.now() - signalled, 5000)

    disk.resize("64m")
    const next = serve(disk)
    const again = await Child.url(next)
    await ready(again, 200, 10_000)
    while ((await ask(again, "/health")).json.ingestion.ledgersSinceStart < 3) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    next.kill("SIGTERM")
    assert.strictEqual((await next.end).code, 0, next.stdout() + next.stderr())
    await assertNothingLost(disk)
  }, 90_000)
})
