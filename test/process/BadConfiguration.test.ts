import { afterEach, assert, describe, it } from "@effect/vitest"
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import Sqlite from "better-sqlite3"
import * as Child from "../support/Child.js"

afterEach(Child.clear)

/** What is wrong, and every word that the one line about it must have: key, value, what is allowed. */
const cases: ReadonlyArray<readonly [env: Record<string, string>, said: ReadonlyArray<string>]> = [
  [{ STELLAR_SOURCE: "horizon" }, ["STELLAR_SOURCE", "horizon", "simulated, lake"]],
  [{ SERVER_PORT: "70000" }, ["SERVER_PORT", "70000", "65535"]],
  [{ SERVER_PORT: "" }, ["SERVER_PORT", "65535"]],
  [{ SERVER_HOST: "not a host" }, ["SERVER_HOST", "not a host", "0.0.0.0"]],
  [{ HEALTH_PORT: "-1" }, ["HEALTH_PORT", "-1", "65535"]],
  [{ SERVER_KEEP_ALIVE_TIMEOUT: "-5" }, ["SERVER_KEEP_ALIVE_TIMEOUT", "-5", "10 min"]],
  [{ SERVER_MAX_BODY: "lots" }, ["SERVER_MAX_BODY", "lots", "1024"]],
  [{ SHUTDOWN_DB_TIMEOUT: "-1" }, ["SHUTDOWN_DB_TIMEOUT", "-1", "60 min"]],
  [{ SHUTDOWN_GRACEFUL_TIMEOUT: "" }, ["SHUTDOWN_GRACEFUL_TIMEOUT", "60 min"]],
  [{ SHUTDOWN_BACKGROUND_TIMEOUT: "soon" }, ["SHUTDOWN_BACKGROUND_TIMEOUT", "soon", "60 min"]],
  [{ SHUTDOWN_NEW_REQUESTS: "maybe" }, ["SHUTDOWN_NEW_REQUESTS", "maybe", "read-only"]],
  [{ SHUTDOWN_TIMEOUT: "5", SHUTDOWN_DB_TIMEOUT: "10" }, ["SHUTDOWN_TIMEOUT", "5 s", "10 s database"]],
  [{ TERMINATION_GRACE_PERIOD: "30" }, ["TERMINATION_GRACE_PERIOD", "30 s", "= 54 s"]],
  [{ STARTUP_TIMEOUT: "0" }, ["STARTUP_TIMEOUT", "0", "60 min"]],
  [{ LOG_LEVEL: "loud" }, ["LOG_LEVEL", "loud", "warning"]],
  [{ LOG_FORMAT: "xml" }, ["LOG_FORMAT", "xml", "json, pretty"]],
  [{ DATABASE_URL: "postgres://localhost/x" }, ["DATABASE_URL", "postgres://localhost/x", "sqlite:"]],
  [{ STELLAR_SIMULATED_TRANSACTIONS: "1e9" }, ["STELLAR_SIMULATED_TRANSACTIONS", "1e9", "10000"]],
  [{ STELLAR_SIMULATED_INTERVAL: "-1" }, ["STELLAR_SIMULATED_INTERVAL", "-1", "seconds"]],
  [{ STELLAR_START_LEDGER: "first" }, ["STELLAR_START_LEDGER", "first", "4294967295"]],
  [
    { STELLAR_NETWORK: "mynet", STELLAR_SOURCE: "lake" },
    ["STELLAR_NETWORK", "mynet", "STELLAR_NETWORK_PASSPHRASE"]
  ],
  [
    { STELLAR_SOURCE: "lake", STELLAR_LAKE_URL: "./no-such-folder" },
    ["STELLAR_LAKE_URL", "no-such-folder", "folder"]
  ],
  [{ STELLAR_SOURCE: "lake", STELLAR_LAKE_URL: "ftp://lake" }, ["STELLAR_LAKE_URL", "ftp://lake", "http"]]
]

/** Everything that the process said about it, on one line. */
const complaint = (child: Child.Child): string => {
  const lines = `${child.stdout()}${child.stderr()}`
    .split("\n")
    .filter((line) => /\berror\b|stellar-insights:/i.test(line))
  assert.lengthOf(lines, 1, `${child.stdout()}\n${child.stderr()}`)
  return lines[0]!
}

describe("bad configuration (scenario 23 among it) ends with code 2, in one line that names key, value and what is allowed", () => {
  it.each(cases)("%j", async (env, said) => {
    const child = Child.serve(env)
    assert.strictEqual((await child.end).code, 2, `${child.stdout()}\n${child.stderr()}`)
    const line = complaint(child)
    for (const word of said) assert.include(line, word)
    assert.notMatch(line, /\bat .*\.m?js:\d+/)
  })

  it("leaves nothing behind where the configuration is wrong before anything is opened", async () => {
    const child = Child.serve({ SERVER_PORT: "70000" })
    await child.end
    assert.deepStrictEqual(readdirSync(child.folder), [])
  })

  it("a .env that cannot be read", async () => {
    const cwd = Child.folder()
    mkdirSync(join(cwd, ".env"))
    const child = Child.serve({}, cwd)
    assert.strictEqual((await child.end).code, 2)
    assert.include(complaint(child), ".env")
  })

  it("usage", async () => {
    for (const args of [["bogus"], ["serve", "--nonsense"]]) {
      const child = Child.start([Child.bin, ...args])
      assert.strictEqual((await child.end).code, 2)
      assert.isNotEmpty(`${child.stdout()}${child.stderr()}`)
    }
  })
})

describe("what the world refuses", () => {
  it("a port in use ends with code 1, naming key, host and port, and nothing stays open", async () => {
    const other = createServer().listen(0, "127.0.0.1")
    await new Promise((resolve) => other.once("listening", resolve))
    const { port } = other.address() as AddressInfo
    const child = Child.serve({ SERVER_PORT: String(port) })
    assert.strictEqual((await child.end).code, 1)
    const line = complaint(child)
    for (const word of ["SERVER_PORT", String(port), "127.0.0.1", "in use"]) assert.include(line, word)
    other.close()
    // The database was opened before the port; it is closed again, with nothing left to recover.
    assert.isTrue(existsSync(join(child.folder, "data/insights.db")))
    assert.isFalse(existsSync(join(child.folder, "data/insights.db-wal")))
  })

  it("a database of a newer version is refused with code 2 and left as it is", async () => {
    const cwd = Child.folder()
    const first = Child.serve({}, cwd)
    await Child.url(first)
    first.kill("SIGTERM")
    assert.strictEqual((await first.end).code, 0)
    const database = new Sqlite(join(cwd, "data/insights.db"))
    database.exec("insert into migration (migration_id, name) values (9999, 'from_the_future')")
    database.close()
    const second = Child.serve({}, cwd)
    assert.strictEqual((await second.end).code, 2)
    const line = complaint(second)
    for (const word of ["DATABASE_URL", "insights.db", "9999", "newer"]) assert.include(line, word)
  })

  it("a file that is no database is refused with code 2", async () => {
    const cwd = Child.folder()
    writeFileSync(
      join(cwd, "notes.txt"),
      "not a database, just some words that somebody wrote down\n".repeat(20)
    )
    const child = Child.serve({ DATABASE_URL: "sqlite:./notes.txt" }, cwd)
    assert.strictEqual((await child.end).code, 2)
    assert.include(complaint(child), "DATABASE_URL")
  })
})
