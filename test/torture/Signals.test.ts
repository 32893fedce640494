/**
 * Signals at every moment, from outside, against the real service. The short form runs in CI; `TORTURE=long npm run torture` sweeps finely.
 */
import { afterEach, assert, describe, it } from "@effect/vitest"
import { existsSync } from "node:fs"
import { join } from "node:path"
import Sqlite from "better-sqlite3"
import * as Child from "../support/Child.js"

afterEach(Child.clear)

const isLong = process.env.TORTURE === "long"
const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

/** The stored chain: every ledger follows the one before it, and the cursor is the last. */
const chain = (folder: string): ReadonlyArray<number> => {
  const database = new Sqlite(join(folder, "data/insights.db"), { readonly: true })
  try {
    const rows = database
      .prepare("select sequence, hash, previous_hash from ledger order by sequence")
      .all() as ReadonlyArray<{
      sequence: number
      hash: string
      previous_hash: string
    }>
    rows.forEach((row, i) => {
      const previous = rows[i - 1]
      if (previous === undefined) return
      assert.strictEqual(row.sequence, previous.sequence + 1)
      assert.strictEqual(row.previous_hash, previous.hash)
    })
    return rows.map((row) => row.sequence)
  } finally {
    database.close()
  }
}

describe("law 6: SIGTERM at every moment of the start", () => {
  it("ends with 0, or by the signal where not a line has run; no journal, no half migration", async () => {
    const measured = Child.serve()
    await Child.url(measured)
    const ready = performance.now()
    measured.kill("SIGTERM")
    const end = await measured.end
    const until = Math.max(300, end.afterMillis - (performance.now() - ready))
    for (let at = 5; at < until; at += isLong ? 5 : 40) {
      const child = Child.serve()
      await pause(at)
      child.kill("SIGTERM")
      const { code, signal } = await child.end
      const died = code === null && signal === "SIGTERM" && child.stdout() === ""
      assert.isTrue(code === 0 || died, `at ${at} ms: ${code} ${signal}\n${child.stdout()}${child.stderr()}`)
      const file = join(child.folder, "data/insights.db")
      assert.isFalse(existsSync(`${file}-wal`), `a journal is left at ${at} ms`)
      if (existsSync(file)) {
        const database = new Sqlite(file, { readonly: true })
        const tables = database
          .prepare("select count(*) as n from sqlite_master where name in ('ledger', 'ingestion_cursor')")
          .get() as { n: number }
        database.close()
        assert.include([0, 2], tables.n, `half a migration at ${at} ms`)
      }
    }
  }, 600_000)
})

describe("laws 7 and 8: stopped and killed while ingesting and serving", () => {
  it("no ledger is lost, none is stored twice, whatever the signal", async () => {
    const folder = Child.folder()
    const rounds = isLong ? 60 : 10
    let last = 0
    for (let round = 0; round < rounds; round++) {
      const child = Child.serve(
        { STELLAR_SIMULATED_INTERVAL: "0", STELLAR_SIMULATED_TRANSACTIONS: "20" },
        folder
      )
      await Child.url(child)
      await pause(50 + Math.random() * 400)
      const kill = round % 2 === 0
      child.kill(kill ? "SIGKILL" : "SIGTERM")
      const { code } = await child.end
      if (!kill) assert.strictEqual(code, 0, `${child.stdout()}${child.stderr()}`)
      const stored = chain(folder)
      assert.isAtLeast(stored.length, last)
      last = stored.length
    }
    assert.isAbove(last, 20)
  }, 600_000)
})
