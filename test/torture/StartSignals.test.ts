/**
 * SIGTERM at every moment of the start: with an acquisition that stalls, and as PID 1, where a signal that nobody listens to is lost. `TORTURE=long`
 * steps by 5 ms.
 */
import { afterEach, assert, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import { existsSync } from "node:fs"
import { join } from "node:path"
import * as Child from "../support/Child.js"
import * as Pid1 from "../support/Pid1.js"

afterEach(Child.clear)

const stepMillis = process.env.TORTURE === "long" ? 5 : 40
const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

/** No journal, and all tables or none. */
const assertWhole = (folder: string, at: number) => {
  const file = join(folder, "data/insights.db")
  assert.isFalse(existsSync(`${file}-wal`), `a journal is left at ${at} ms`)
  if (!existsSync(file)) return
  const database = new Sqlite(file, { readonly: true })
  const { n } = database
    .prepare("select count(*) as n from sqlite_master where name in ('ledger', 'ingestion_cursor')")
    .get() as { n: number }
  database.close()
  assert.include([0, 2], n, `half a migration at ${at} ms`)
}

/** How long `child` takes until it says `pattern`. */
const millisUntil = async (start: () => Promise<Child.Child>, pattern: RegExp): Promise<number> => {
  const from = performance.now()
  const child = await start()
  await child.says(pattern)
  const took = performance.now() - from
  child.kill("SIGKILL")
  await child.end
  return took
}

const stalling = async () =>
  Child.start(await Child.program("service.ts"), {
    KNOB: "stall",
    SERVER_PORT: "0",
    SERVER_HOST: "127.0.0.1",
    LOG_FORMAT: "json"
  })

const env = {
  SERVER_PORT: "0",
  SERVER_HOST: "127.0.0.1",
  STELLAR_SIMULATED_TRANSACTIONS: "5",
  LOG_FORMAT: "json"
}

const count = (text: string, pattern: RegExp) => text.match(pattern)?.length ?? 0

describe("law 6: SIGTERM at every moment of a start that stalls", () => {
  it("ends with 0, or by the signal where not a line has run; what was acquired is released, no port opens", async () => {
    await stalling().then((child) => child.kill("SIGKILL"))
    const until = (await millisUntil(stalling, /database open/)) + 50
    for (let at = 5; at < until; at += stepMillis) {
      const child = await stalling()
      await pause(at)
      child.kill("SIGTERM")
      const { code, signal } = await child.end
      const said = `at ${at} ms: ${code} ${signal}\n${child.stdout()}${child.stderr()}`
      // Not a line has run: nothing was said, and the signal killed.
      assert.isTrue(code === 0 || (code === null && signal === "SIGTERM" && child.stdout() === ""), said)
      assert.strictEqual(
        count(child.stdout(), /database open/g),
        count(child.stdout(), /database closed/g),
        said
      )
      assert.notMatch(child.stdout(), /http:\/\//, said)
    }
  }, 600_000)
})

describe.skipIf(!Pid1.isPermitted)(
  "law 6: SIGTERM at every moment of the start as PID 1 (needs unshare, as root)",
  () => {
    it("is heard as soon as the program listens, and then ends with 0", async () => {
      const start = async () => Pid1.start([Child.bin, "serve"], env)
      const until = await millisUntil(start, /service_ready/)
      let heard = 0
      for (let at = 5; at < until; at += stepMillis) {
        const child = await start()
        const pid = await child.outerPid
        await pause(at)
        const mustHear = Pid1.listens(pid)
        process.kill(pid, "SIGTERM")
        const mayHear = Pid1.listens(pid)
        if (mustHear) heard += 1
        else {
          // It came too early: the kernel has dropped it and the start goes on, unless the listening began in between.
          const ready = child.says(/service_ready/).then(
            () => true,
            () => false
          )
          assert.isTrue((await ready) || mayHear, `at ${at} ms: ended without a signal\n${child.stderr()}`)
          if (await ready) process.kill(pid, "SIGTERM")
        }
        const { code } = await child.end
        assert.strictEqual(code, 0, `at ${at} ms\n${child.stdout()}${child.stderr()}`)
        assertWhole(child.folder, at)
      }
      assert.isAbove(heard, 0)
    }, 600_000)
  }
)
