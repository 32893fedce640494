/** `stellar-insights backup` from the command line. */
import { afterEach, assert, describe, it } from "@effect/vitest"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import * as Child from "../support/Child.js"

afterEach(Child.clear)

const run = async (cwd: string, args: ReadonlyArray<string>, env: Record<string, string> = {}) => {
  const child = Child.start([Child.bin, ...args], { LOG_FORMAT: "pretty", ...env }, cwd)
  const { code } = await child.end
  return { code, said: child.stdout() + child.stderr() }
}
const backfill = (cwd: string, to: number, env: Record<string, string> = {}) =>
  run(cwd, ["backfill", "--from", "2", "--to", String(to), "--source", "simulated"], {
    STELLAR_SIMULATED_TRANSACTIONS: "5",
    ...env
  })

describe("backup", () => {
  it("makes a copy from which ingestion goes on; what is refused ends with 2, and in one line", async () => {
    const cwd = Child.folder()
    const nothing = await run(cwd, ["backup", "copy.db"])
    assert.strictEqual(nothing.code, 2, nothing.said)
    assert.match(nothing.said, /^stellar-insights: there is no database to copy: DATABASE_URL=[^\n]*\n$/)

    assert.strictEqual((await backfill(cwd, 6)).code, 0)
    const made = await run(cwd, ["backup", "copy.db"])
    assert.strictEqual(made.code, 0, made.said)
    assert.include(made.said, `${join(cwd, "copy.db")}: ledgers 2 to 6, 0.`)
    const again = await run(cwd, ["backup", "copy.db"])
    assert.strictEqual(again.code, 2)
    assert.match(again.said, /^stellar-insights: copy\.db is there already; [^\n]*--force[^\n]*\n$/)
    assert.strictEqual((await run(cwd, ["backup", "--force", "copy.db"])).code, 0)
    assert.deepStrictEqual(
      readdirSync(cwd).filter((name) => name.startsWith("copy")),
      ["copy.db"]
    )

    const on = await backfill(cwd, 8, { DATABASE_URL: "sqlite:./copy.db" })
    assert.strictEqual(on.code, 0, on.said)
    assert.match(on.said, /ledgers 2 to 8 are stored, 2 ledgers by this run/)
  })
})
