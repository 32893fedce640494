import { afterEach, assert, describe, it } from "@effect/vitest"
import { existsSync } from "node:fs"
import { join } from "node:path"
import * as Child from "../support/Child.js"
import * as Pid1 from "../support/Pid1.js"

afterEach(Child.clear)

/** The real service, as the first process of a container. */
const serve = (env: Record<string, string> = {}) =>
  Pid1.start([Child.bin, "serve"], {
    SERVER_PORT: "0",
    SERVER_HOST: "127.0.0.1",
    STELLAR_SIMULATED_TRANSACTIONS: "5",
    LOG_FORMAT: "json",
    ...env
  })

const guarded = async (knob: string, env: Record<string, string> = {}) => {
  const child = Pid1.start(await Child.program("guarded.ts"), { KNOB: knob, ...env })
  await child.says(/\bready\b/)
  return { child, pid: await child.outerPid }
}

describe.skipIf(!Pid1.isPermitted)("as PID 1 (needs unshare, as root)", () => {
  it.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("%s stops the service with code 0", async (signal) => {
    const child = serve()
    await Child.url(child)
    process.kill(await child.outerPid, signal)
    assert.deepInclude(await child.end, { code: 0, signal: null }, child.stdout())
    assert.include(child.stdout(), `"reason":"${signal}"`)
    assert.isFalse(existsSync(join(child.folder, "data/insights.db-wal")))
  })

  it("law 6: a signal is heard from the first line of the program on", async () => {
    const child = serve()
    const pid = await child.outerPid
    while (!Pid1.listens(pid)) await new Promise((resolve) => setImmediate(resolve))
    process.kill(pid, "SIGTERM")
    assert.deepInclude(await child.end, { code: 0, signal: null }, child.stdout())
    assert.notMatch(child.stdout(), /http:\/\/127/)
  })

  it("law 5: a second signal ends a 30 s drain within 1.2 s with code 3", async () => {
    const { child, pid } = await guarded("slow")
    process.kill(pid, "SIGTERM")
    await child.says(/phase draining/)
    await new Promise((resolve) => setTimeout(resolve, 400))
    const since = performance.now()
    process.kill(pid, "SIGTERM")
    assert.strictEqual((await child.end).code, 3)
    assert.isBelow(performance.now() - since, 1200)
  })

  it.each([
    ["block", 137, /blocked at:\s+at .*spinForEver/],
    ["native", 128 + 5, /blocked where no JavaScript runs/]
  ])(
    "law 2: an event loop that is blocked (%s), though the kernel shields PID 1 from itself",
    async (knob, code, said) => {
      const { child, pid } = await guarded(knob, { SHUTDOWN_TIMEOUT: "2" })
      const since = performance.now()
      process.kill(pid, "SIGTERM")
      const end = await child.end
      // A trap is a death by SIGTRAP, which a container's runtime shows as 133.
      assert.strictEqual(end.code ?? (end.signal === "SIGTRAP" ? 133 : end.signal), code, child.stderr())
      assert.isBelow(performance.now() - since, 4000)
      assert.match(child.stderr(), said)
    }
  )
})
