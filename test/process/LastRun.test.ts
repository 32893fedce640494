import { afterEach, assert, describe, it } from "@effect/vitest"
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import * as Child from "../support/Child.js"

afterEach(Child.clear)

const start = async (cwd: string, env: Record<string, string> = {}) => {
  const child = Child.start(await Child.program("record.ts"), env, cwd)
  await child.says(/service_ready/)
  const line = child.lines().find(({ message }) => message === "last run")!
  return { child, file: line.file as string | null, lastRun: line.last_run as Record<string, unknown> }
}

const types = (child: Child.Child) => child.lines().map(({ event_type }) => event_type)

const read = (folder: string, file: string) =>
  JSON.parse(readFileSync(join(folder, file), "utf8")) as Record<string, unknown>

describe("the run after", () => {
  it("SIGKILL says that the last run crashed, and when", async () => {
    const folder = Child.folder()
    const from = Date.now()
    const { child, file, lastRun } = await start(folder)
    assert.deepStrictEqual(lastRun, { outcome: "none" })
    assert.strictEqual(file, `records/shutdown-${hostname()}-8080.json`)
    assert.deepInclude(read(folder, file!), { state: "running", pid: child.pid, hostname: hostname() })
    child.kill("SIGKILL")
    await child.end
    const to = Date.now()
    const next = await start(folder)
    assert.strictEqual(next.file, file)
    assert.deepInclude(next.lastRun, { outcome: "crashed" })
    const seen = Date.parse(String(next.lastRun.lastSeenAt))
    assert.isAtLeast(seen, from)
    assert.isAtMost(seen, to)
    assert.isAtLeast(Date.parse(String(next.lastRun.crashedBefore)), to)
    assert.include(types(next.child), "last_run_crashed")
  })

  it("SIGTERM has the report of the last run", async () => {
    const folder = Child.folder()
    const { child, file } = await start(folder)
    child.kill("SIGTERM")
    assert.strictEqual((await child.end).code, 0)
    assert.deepInclude(read(folder, file!), { state: "stopped", pid: child.pid })
    const next = await start(folder)
    assert.deepInclude(next.lastRun, { outcome: "stopped", reason: "SIGTERM", exitCode: 0, incomplete: [] })
    assert.isAtLeast(Number(next.lastRun.durationMillis), 20)
    assert.include(types(next.child), "last_run_stopped")
    assert.deepStrictEqual(readdirSync(join(folder, "records")), [file!.slice("records/".length)])
  })

  it("a crash that tore the record names the file, moves it aside and starts", async () => {
    const folder = Child.folder()
    const file = `shutdown-${hostname()}-8080.json`
    mkdirSync(join(folder, "records"))
    writeFileSync(join(folder, "records", file), '{"state":"runn')
    const { child, lastRun } = await start(folder)
    assert.deepInclude(lastRun, { outcome: "unreadable", movedTo: `records/${file}.unreadable` })
    assert.include(types(child), "last_run_unreadable")
    assert.strictEqual(readFileSync(join(folder, "records", `${file}.unreadable`), "utf8"), '{"state":"runn')
  })
})

describe("processes side by side", () => {
  it("have files of their own, also when they start in one instant, and each finds its own again", async () => {
    const folder = Child.folder()
    const runs = await Promise.all([start(folder), start(folder), start(folder)])
    const name = (suffix: string) => `records/shutdown-${hostname()}-8080${suffix}.json`
    assert.deepStrictEqual(
      runs.map(({ file }) => file).toSorted(),
      [name("-2"), name("-3"), name("")].toSorted()
    )
    for (const { child, file } of runs) assert.deepInclude(read(folder, file!), { pid: child.pid })
    const second = runs.find(({ file }) => file === name("-2"))!
    assert.include(types(second.child), "run_record_taken")
    second.child.kill("SIGKILL")
    await second.child.end
    const again = await start(folder)
    assert.strictEqual(again.file, name("-2"))
    assert.strictEqual(again.lastRun.outcome, "crashed")
  })

  it("of different instances do not share a name", async () => {
    const folder = Child.folder()
    const [a, b] = await Promise.all([start(folder, { INSTANCE: "1" }), start(folder, { INSTANCE: "2" })])
    assert.notStrictEqual(a.file, b.file)
    assert.notInclude(types(a.child), "run_record_taken")
    assert.notInclude(types(b.child), "run_record_taken")
  })
})

describe("a folder that cannot be written", () => {
  it("is a warning, and the service runs and stops as ever", async () => {
    const folder = Child.folder()
    // A file where a folder should be: this stops root as well, whom permissions do not.
    writeFileSync(join(folder, "records"), "")
    const { child, file, lastRun } = await start(folder)
    assert.isNull(file)
    assert.deepStrictEqual(lastRun, { outcome: "none" })
    assert.include(types(child), "run_record_unwritable")
    child.kill("SIGTERM")
    assert.strictEqual((await child.end).code, 0)
  })

  it.skipIf(process.getuid?.() === 0)("by permission neither", async () => {
    const folder = Child.folder()
    mkdirSync(join(folder, "records"))
    chmodSync(join(folder, "records"), 0o555)
    const { child, file } = await start(folder)
    assert.isNull(file)
    child.kill("SIGTERM")
    assert.strictEqual((await child.end).code, 0)
  })

  it("that becomes so while the service runs changes nothing of its stop", async () => {
    const folder = Child.folder()
    const { child, file } = await start(folder, { SHUTDOWN_REPORT_FILE: "own/place.json" })
    assert.strictEqual(file, "own/place.json")
    rmSync(join(folder, "own"), { recursive: true })
    child.kill("SIGTERM")
    assert.strictEqual((await child.end).code, 0)
    assert.include(types(child), "run_record_unwritable")
  })
})
