/** Law 8 from outside: a real signal while units of work are under way, held up by another process that has the lock of the file. */
import { afterEach, assert, describe, it } from "@effect/vitest"
import { join } from "node:path"
import * as Outside from "../insights/Outside.js"
import * as Child from "../support/Child.js"
import * as TableDump from "../support/TableDump.js"

afterEach(Child.clear)

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

/** A service that has ledgers, and whose tasks all have a unit to do every second; and somebody else who has the lock, so that these have begun and cannot end. */
const heldUp = async (env: Record<string, string>) => {
  const child = Child.serve({
    STELLAR_SIMULATED_INTERVAL: "1",
    STELLAR_SIMULATED_TRANSACTIONS: "20",
    METRICS_SYNC_INTERVAL: "1",
    POOL_SNAPSHOT_INTERVAL: "1",
    TRUSTLINE_SNAPSHOT_INTERVAL: "1",
    ...env
  })
  const url = await Child.url(child)
  const file = join(child.folder, "data/insights.db")
  const count = () =>
    TableDump.reading(
      file,
      (database) => database.prepare("SELECT count(*) FROM ledger").pluck().get() as number
    )
  while (count() < 2) await pause(20)
  const other = Outside.connect(file)
  // Whoever writes has its turn in between.
  other.pragma("busy_timeout = 2000")
  other.exec("BEGIN IMMEDIATE")
  const working = async () => {
    const { tasks } = (await (await fetch(`${url}/health`)).json()) as {
      tasks: ReadonlyArray<{ name: string; state: string }>
    }
    return tasks.filter(({ state }) => state === "working").map(({ name }) => name)
  }
  const wanted = ["ledger-ingestion", "metrics-sync", "liquidity-pool-snapshots", "trustline-snapshots"]
  for (let names: ReadonlyArray<string> = []; !wanted.every((name) => names.includes(name));) {
    names = await working()
    await pause(20)
  }
  return { child, file, before: TableDump.dump(file), other }
}

const ledgers = (tables: TableDump.Tables) => tables["ledger"]!.length

describe("law 8: units under way when a signal comes", () => {
  it("are finished within their limit, and no other is begun", async () => {
    const { before, child, file, other } = await heldUp({})
    child.kill("SIGTERM")
    await child.says(/phase draining/)
    await pause(400)
    assert.isNull(child.process.exitCode)
    other.exec("ROLLBACK")
    other.close()
    assert.strictEqual((await child.end).code, 0, child.stdout())
    const after = TableDump.dump(file)
    assert.strictEqual(ledgers(after), ledgers(before) + 1)
    assert.notDeepEqual(after["task_watermark"], before["task_watermark"])
    TableDump.byLedger(file)
  })

  it("are cut when they outlast it, by name, leaving every table as it was; the next run goes on", async () => {
    const { before, child, file, other } = await heldUp({ SHUTDOWN_BACKGROUND_TIMEOUT: "500 millis" })
    const signalled = performance.now()
    child.kill("SIGTERM")
    assert.strictEqual((await child.end).code, 3, child.stdout())
    assert.isBelow(performance.now() - signalled, 8000)
    for (const name of [
      "ledger-ingestion",
      "metrics-sync",
      "liquidity-pool-snapshots",
      "trustline-snapshots"
    ]) {
      assert.match(child.stdout(), new RegExp(`quiesce timed out.*"step":"${name}"`))
    }
    other.exec("ROLLBACK")
    TableDump.assertEqual(TableDump.dump(file), before)
    assert.deepStrictEqual(other.pragma("integrity_check"), [{ integrity_check: "ok" }])
    other.close()
    const next = Child.serve(
      { STELLAR_SIMULATED_INTERVAL: "0.05", STELLAR_SIMULATED_TRANSACTIONS: "20" },
      child.folder
    )
    while (TableDump.byLedger(file).size <= ledgers(before)) await pause(20)
    next.kill("SIGTERM")
    assert.strictEqual((await next.end).code, 0)
    assert.isAbove(TableDump.byLedger(file).size, ledgers(before))
  })
})
