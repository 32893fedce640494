import { afterEach, assert, it } from "@effect/vitest"
import { existsSync } from "node:fs"
import { join } from "node:path"
import * as Outside from "../insights/Outside.js"
import * as Child from "../support/Child.js"

afterEach(Child.clear)

const backfill = (to: number, folder?: string) =>
  Child.start(
    [Child.bin, "backfill", "--from", "50", "--to", String(to), "--source", "simulated"],
    { STELLAR_SIMULATED_TRANSACTIONS: "4", LOG_FORMAT: "json" },
    folder
  )

/** All tables, row by row, apart from columns that the wall clock fills. */
const tables = (folder: string) => {
  const database = Outside.connect(join(folder, "data/insights.db"), { readonly: true })
  try {
    const names = database
      .prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
      )
      .pluck()
      .all() as Array<string>
    return names.map((name) => {
      const columns = (
        database.prepare(`SELECT name FROM pragma_table_info('${name}')`).pluck().all() as Array<string>
      ).filter((column) => !column.endsWith("_at") || column === "closed_at")
      const list = columns.map((column) => `"${column}"`).join(", ")
      return { name, rows: database.prepare(`SELECT ${list} FROM "${name}" ORDER BY ${list}`).all() }
    })
  } finally {
    database.close()
  }
}

/** Waits until so many ledgers are stored. */
const holds = async (folder: string, ledgers: number) => {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    if (!existsSync(join(folder, "data/insights.db"))) continue
    const database = Outside.connect(join(folder, "data/insights.db"), { readonly: true })
    try {
      const count = database.prepare("SELECT count(*) FROM ledger").pluck().get() as number
      if (count >= ledgers) return
    } catch {
      // Its tables are not there yet.
    } finally {
      database.close()
    }
  }
}

it("a backfill that is stopped ends with 0, says how to go on, and goes on to the same tables", async () => {
  const stopped = backfill(1_000_000)
  const { folder } = stopped
  await holds(folder, 5)
  stopped.kill("SIGTERM")
  assert.strictEqual((await stopped.end).code, 0)
  const said =
    /stopped after ledger (\d+), (\d+) ledgers by this run; the same command goes on with ledger (\d+)/.exec(
      stopped.stdout()
    )!
  const [last, count, next] = said.slice(1).map(Number) as [number, number, number]
  assert.deepStrictEqual([last, next], [49 + count, 50 + count])
  assert.isFalse(existsSync(join(folder, "data/insights.db-wal")))

  const killed = backfill(1_000_000, folder)
  await killed.says(new RegExp(`"Backfill goes on".*"from":${next}`))
  await holds(folder, count + 3)
  killed.kill("SIGKILL")
  await killed.end

  // Where the kill fell is for the next run to say.
  const resumed = backfill(last + 100, folder)
  assert.strictEqual((await resumed.end).code, 0)
  assert.match(resumed.stdout(), /"Backfill goes on"/)
  assert.match(resumed.stdout(), new RegExp(`ledgers 50 to ${last + 100} are stored`))
  const whole = backfill(last + 100)
  assert.strictEqual((await whole.end).code, 0)
  assert.match(whole.stdout(), new RegExp(`${count + 100} ledgers by this run`))
  assert.deepStrictEqual(tables(folder), tables(whole.folder))
}, 90_000)

it("a stretch that does not continue what is stored is refused with 2, in one line", async () => {
  const first = backfill(52)
  assert.strictEqual((await first.end).code, 0)
  const refused = Child.start(
    [Child.bin, "backfill", "--from", "60", "--to", "70"],
    { STELLAR_SIMULATED_TRANSACTIONS: "10", LOG_FORMAT: "json" },
    first.folder
  )
  assert.strictEqual((await refused.end).code, 2)
  assert.match(refused.stdout(), /holds ledgers 50 to 52, .* allowed is --from 50 to 53/)
  for (const args of [
    ["--from", "60"],
    ["--from", "9", "--to", "8"],
    ["--from", "1", "--to", "8"]
  ]) {
    const wrong = Child.start([Child.bin, "backfill", ...args], {}, first.folder)
    assert.strictEqual((await wrong.end).code, 2, args.join(" "))
  }
}, 60_000)
