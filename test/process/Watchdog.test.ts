import { afterAll, assert, describe, it } from "@effect/vitest"
import { readFileSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as RunRecord from "../../src/lifecycle/RunRecord.js"
import * as Child from "../support/Child.js"

// Not after each: they run two at a time.
afterAll(Child.clear)

const decode = Schema.decodeEither(RunRecord.Json)

/** The whole is a second and a half, so a second after the deadline is two and a half after the signal. Half a second more is the machine's. */
const killedMillis = 2500
const marginMillis = 500

const service = async (knob: string, env: Record<string, string> = {}) => {
  const child = Child.start(await Child.program("guarded.ts"), {
    KNOB: knob,
    SHUTDOWN_TIMEOUT: "1.5",
    ...(knob.startsWith("slow") ? { SHUTDOWN_TIMEOUT: "40" } : {}),
    ...env
  })
  await child.says(/\bready\b/)
  return child
}

/** Sends SIGTERM and waits for the end. */
const stop = async (child: Child.Child) => {
  const signalled = performance.now()
  child.kill("SIGTERM")
  const end = await child.end
  return { ...end, tookMillis: performance.now() - signalled }
}

const assertKilled = (
  end: Child.End & { readonly tookMillis: number },
  child: Child.Child,
  within = killedMillis
) => {
  assert.deepInclude(end, { code: null, signal: "SIGKILL" }, `${child.stdout()}${child.stderr()}`)
  assert.isAtLeast(end.tookMillis, within - 100)
  assert.isBelow(end.tookMillis, within + marginMillis)
}

describe.concurrent("law 2: the process is gone a second after the deadline", () => {
  it("an event loop that is blocked from the moment of draining: killed, the culprit named, and so in the record", async () => {
    const folder = Child.folder()
    const file = join(folder, "record.json")
    writeFileSync(file, JSON.stringify({ state: "running", instance: "8080" }))
    const child = await service("block", { RECORD: file })
    assertKilled(await stop(child), child)
    assert.match(
      child.stderr(),
      /did not end within its limit of 1\.50 s and 1\.00 s more.*in phase draining/
    )
    assert.match(child.stderr(), /quiesce "worker" has been running for 2\.[4-6]\d s/)
    assert.match(child.stderr(), /kept alive by: unknown: the event loop is blocked/)
    assert.match(child.stderr(), /blocked at:\s+at .*spinForEver/)
    const record = JSON.parse(readFileSync(file, "utf8"))
    // It keeps what it said before.
    assert.deepInclude(record, { state: "killed", instance: "8080" })
    assert.strictEqual(record.killed.phase, "draining")
    assert.deepInclude(record.killed.running[0], { kind: "quiesce", name: "worker" })
    assert.closeTo(record.killed.running[0].sinceMillis, killedMillis, 300)
    assert.deepStrictEqual(record.killed.keepsAlive, ["unknown: the event loop is blocked"])
    assert.closeTo(record.killed.at, Date.now(), 2000)
    assert.deepStrictEqual(readdirSync(folder), ["record.json"])
    assert.isTrue(Either.isRight(decode(JSON.stringify(record))))
  })

  it("a release that waits in a system call; a record that cannot be written saves nobody", async () => {
    const child = await service("native", { RECORD: "/nowhere/at/all.json" })
    assertKilled(await stop(child), child)
    assert.match(child.stderr(), /in phase releasing\n\s+release "database" has been running for/)
    assert.match(child.stderr(), /blocked where no JavaScript runs/)
    assert.match(child.stderr(), /\/nowhere\/at\/all\.json could not be written/)
  })

  it("promises that never let the loop turn", async () => {
    const child = await service("promises")
    assertKilled(await stop(child), child)
    assert.match(child.stderr(), /quiesce "worker".*\n.*\n\s+blocked /)
  })

  it("a listener of the exit that never returns", async () => {
    const child = await service("exit")
    assertKilled(await stop(child), child)
    assert.match(child.stderr(), /in phase stopped\n\s+no quiesce, release or hook was running/)
    assert.match(child.stderr(), /blocked at:\s+at .*spinForEver/)
  })

  it("a report that never comes back: what is alive is named", async () => {
    const child = await service("report")
    assertKilled(await stop(child), child)
    assert.match(child.stderr(), /kept alive by: .*Timeout/)
    assert.notMatch(child.stderr(), /blocked/)
  })

  it("a leaked interval: the process ends itself with the run's code, and names it", async () => {
    const child = await service("leak")
    const { code, tookMillis } = await stop(child)
    assert.strictEqual(code, 0)
    assert.isBelow(tookMillis, 500 + marginMillis)
    assert.match(
      child.stderr(),
      /^lifecycle: the run is over but something was left open: Timeout; the process exits with code 0$/m
    )
  })

  it("a deadline that only warns does not kill", async () => {
    const child = await service("native", { SHUTDOWN_FORCE_AFTER_TIMEOUT: "false" })
    child.kill("SIGTERM")
    await new Promise((resolve) => setTimeout(resolve, killedMillis + marginMillis))
    assert.isNull(child.process.exitCode)
    assert.isNull(child.process.signalCode)
    assert.notInclude(child.stderr(), "watchdog")
  })

  it("but the second signal's does: a second for all, and a second more", async () => {
    const child = await service("slow native", { SHUTDOWN_FORCE_AFTER_TIMEOUT: "false" })
    child.kill("SIGTERM")
    await child.says(/phase draining/)
    await new Promise((resolve) => setTimeout(resolve, 400))
    assertKilled(await stop(child), child, 2000)
    assert.match(child.stderr(), /release "database" has been running for/)
  })

  it("where it is turned off nobody kills", async () => {
    const child = await service("block", { OPTION: "no-watchdog" })
    child.kill("SIGTERM")
    await new Promise((resolve) => setTimeout(resolve, killedMillis + marginMillis))
    assert.isNull(child.process.signalCode)
  })
})

describe.concurrent("a stop that ends by itself", () => {
  it("is not held up, and nothing is said", async () => {
    const child = await service("none")
    const { code, tookMillis } = await stop(child)
    assert.strictEqual(code, 0)
    assert.isBelow(tookMillis, 400)
    assert.strictEqual(child.stderr(), "")
  })
})

/** How many threads the child has, where the system says so. */
const threads = (pid: number): number => {
  try {
    return readdirSync(`/proc/${pid}/task`).length
  } catch {
    return Number.NaN
  }
}

describe.concurrent("heartbeat", () => {
  it("off by default: no thread before the signal", async (context) => {
    const plain = await service("slow")
    const off = await service("slow", { OPTION: "no-watchdog" })
    if (Number.isNaN(threads(plain.pid))) return context.skip("no /proc here to count threads in")
    assert.strictEqual(threads(plain.pid), threads(off.pid))
    plain.kill("SIGTERM")
    await plain.says(/draining/)
    await new Promise((resolve) => setTimeout(resolve, 200))
    assert.isAbove(threads(plain.pid), threads(off.pid))
  })

  it("a loop blocked before any signal is killed after the limit, the place named", async () => {
    const child = await service("early", { SHUTDOWN_HEARTBEAT: "1" })
    assert.deepInclude(await child.end, { code: null, signal: "SIGKILL" })
    assert.match(
      child.stderr(),
      /the event loop has not turned for 1\.00 s; the process is killed in phase ready/
    )
    assert.match(child.stderr(), /blocked at:\s+at .*spinForEver/)
  })

  it("a service that lives is left alone, also after the whole process was frozen, and ends with 0", async () => {
    const child = await service("none", { SHUTDOWN_HEARTBEAT: "300 millis" })
    await new Promise((resolve) => setTimeout(resolve, 600))
    child.kill("SIGSTOP")
    await new Promise((resolve) => setTimeout(resolve, 1500))
    child.kill("SIGCONT")
    await new Promise((resolve) => setTimeout(resolve, 600))
    const { code, tookMillis } = await stop(child)
    assert.strictEqual(code, 0, child.stderr())
    assert.isBelow(tookMillis, 400)
  })

  it("a limit that cannot be read ends the start with code 2, in one line", async () => {
    const child = Child.start(await Child.program("guarded.ts"), { SHUTDOWN_HEARTBEAT: "never" })
    assert.strictEqual((await child.end).code, 2)
    assert.match(child.stdout(), /SHUTDOWN_HEARTBEAT: "never" is not a duration/)
  })
})
