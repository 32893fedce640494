/** The unit says what systemd understands, and fits the service. */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import * as Shipped from "./support/Shipped.js"

describe("systemd", () => {
  const file = "deploy/systemd/stellar-insights.service"
  const directives = Shipped.directives(readFileSync(file, "utf8"))
  const value = (key: string) => directives.findLast(([name]) => name === key)?.[1]

  it("is told by the service, as one of its children, and stops that first", () => {
    assert.strictEqual(value("Type"), "notify")
    assert.strictEqual(value("NotifyAccess"), "all")
    assert.strictEqual(value("KillMode"), "mixed")
    // The service sends no keep-alives; with this it would be killed.
    assert.isUndefined(value("WatchdogSec"))
    // V8 could not compile.
    assert.isUndefined(value("MemoryDenyWriteExecute"))
  })

  it("does not start again what is configured wrongly, and waits for a start", () => {
    assert.strictEqual(value("Restart"), "on-failure")
    assert.strictEqual(value("RestartPreventExitStatus"), "2")
    assert.isAbove(Shipped.millis(value("TimeoutStartSec")!), 60_000)
  })

  it("keeps its files where it may write", () => {
    const folder = `/var/lib/${value("StateDirectory")}`
    assert.strictEqual(value("WorkingDirectory"), folder)
    const [env] = Shipped.all().flatMap((it) => (it.where === file ? [it.env] : []))
    assert.isTrue(env!["DATABASE_URL"]!.startsWith(`sqlite:${folder}/`))
    assert.isTrue(env!["SHUTDOWN_REPORT_FILE"]!.startsWith(`${folder}/`))
  })

  const hasAnalyze = spawnSync("systemd-analyze", ["--version"]).status === 0
  it.skipIf(!hasAnalyze || !existsSync("/usr/bin/node"))(
    "has no fault that systemd-analyze finds (needs it, and node where the unit expects it)",
    () => {
      const { status, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", file], {
        encoding: "utf8"
      })
      assert.strictEqual(status, 0, stderr)
      assert.notMatch(stderr, /Unknown|ignoring/i)
    }
  )
})
