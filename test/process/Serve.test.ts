import { afterEach, assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, writeFileSync } from "node:fs"
import { createConnection } from "node:net"
import { join, relative, resolve } from "node:path"
import * as Child from "../support/Child.js"
import { eventually } from "../support/Eventually.js"

afterEach(Child.clear)

const lake = resolve(import.meta.dirname, "../../../shared/stellar/lake-pubnet")

const get = async (url: string) => {
  const response = await fetch(url)
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

describe("the service", () => {
  it("runs with nothing prepared, says where it listens, ingests, and ends with 0 leaving no journal", async () => {
    const child = Child.serve({ STELLAR_SIMULATED_INTERVAL: "0.2" })
    const url = await Child.url(child)
    const latest = await eventually(async () => {
      const { body, status } = await get(`${url}/api/ledgers/latest`)
      return status === 200 && Number(body.sequence) >= 4 ? body : undefined
    })
    assert.strictEqual((await get(`${url}/health/ready`)).status, 200)
    child.kill("SIGTERM")
    assert.strictEqual((await child.end).code, 0)
    assert.isFalse(existsSync(join(child.folder, "data/insights.db-wal")))
    const events = child.lines().map((line) => line.event_type)
    for (const event of [
      "shutdown_initiated",
      "shutdown_phase",
      "shutdown_step_completed",
      "shutdown_completed"
    ]) {
      assert.include(events, event)
    }
    for (const line of child.lines()) assert.containsAllKeys(line, ["timestamp", "level", "message"])

    // The next run goes on where this one ended, on the same chain.
    const again = Child.serve({ STELLAR_SIMULATED_INTERVAL: "0.2" }, child.folder)
    const next = await Child.url(again)
    const old = await get(`${next}/api/ledgers/${latest.sequence}`)
    assert.deepStrictEqual(old.body, latest)
    await eventually(async () =>
      Number((await get(`${next}/api/ledgers/latest`)).body.sequence) > Number(latest.sequence) + 1
        ? true
        : undefined
    )
    again.kill("SIGTERM")
    assert.strictEqual((await again.end).code, 0)
  })

  it("reads .env, over which the environment wins, and draws the waterfall where lines are for people", async () => {
    const cwd = Child.folder()
    writeFileSync(
      join(cwd, ".env"),
      "LOG_FORMAT=pretty\nDATABASE_URL=sqlite:./elsewhere/x.db\nSERVER_PORT=1\n"
    )
    const child = Child.start([Child.bin, "serve"], { SERVER_PORT: "0", SERVER_HOST: "127.0.0.1" }, cwd)
    await Child.url(child)
    child.kill("SIGINT")
    assert.strictEqual((await child.end).code, 0)
    assert.isTrue(existsSync(join(cwd, "elsewhere/x.db")))
    assert.match(child.stdout(), /stopped in .* SIGINT · exit code 0\n[\s\S]*database +▕.*█.*▏/)
  })

  it("a long poll is told by the drain and ends with 204; the stop does not wait for its timeout", async () => {
    const child = Child.serve({ STELLAR_SIMULATED_INTERVAL: "3600" })
    const url = await Child.url(child)
    await eventually(async () => ((await get(`${url}/api/ledgers/latest`)).status === 200 ? true : undefined))
    const poll = fetch(`${url}/api/ledgers/next?after=1000&timeout=60`)
    await new Promise((resolve) => setTimeout(resolve, 300))
    child.kill("SIGTERM")
    assert.strictEqual((await poll).status, 204)
    const end = await child.end
    assert.strictEqual(end.code, 0)
  })

  it("scenario 22: while draining, liveness is 200 and readiness 503 on HEALTH_PORT, until the end", async () => {
    const child = Child.serve({ HEALTH_PORT: "0", SHUTDOWN_ANNOUNCE_DELAY: "1" })
    await Child.url(child)
    const [, health] = await child.says(/health is listening.*?(http:\/\/[\d.]+:\d+)/)
    assert.strictEqual((await get(`${health}/health/startup`)).status, 200)
    child.kill("SIGTERM")
    await child.says(/phase announcing/)
    assert.strictEqual((await get(`${health}/health/live`)).status, 200)
    const ready = await get(`${health}/health/ready`)
    assert.strictEqual(ready.status, 503)
    assert.include(JSON.stringify(ready.body), "announcing")
    assert.strictEqual((await child.end).code, 0)
  })

  it("scenarios 1 and 3: connections that never sent a byte, or half a head, are gone within the idle grace", async () => {
    const child = Child.serve()
    const { hostname, port } = new URL(await Child.url(child))
    const sockets = [..."12345"].map((_, i) => {
      const socket = createConnection(Number(port), hostname)
      socket.on("error", () => {})
      if (i > 2) socket.write("GET /api/ledgers HTTP/1.1\r\nHost: x\r\n")
      return socket
    })
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once("connect", resolve))))
    await new Promise((resolve) => setTimeout(resolve, 100))
    const signalled = performance.now()
    child.kill("SIGTERM")
    assert.strictEqual((await child.end).code, 0)
    const took = performance.now() - signalled
    assert.isAtLeast(took, 900)
    assert.isBelow(took, 5000)
  })

  it("config check prints every value in effect and the arithmetic", async () => {
    const child = Child.start([Child.bin, "config", "check"], { SHUTDOWN_TIMEOUT: "20" })
    assert.strictEqual((await child.end).code, 0)
    assert.include(child.stdout(), "SHUTDOWN_TIMEOUT=20\n")
    assert.match(child.stdout(), /SHUTDOWN_TIMEOUT allows 20 s/)
  })

  it.skipIf(!existsSync(lake))("ingests the recorded lake and waits for the next ledger", async () => {
    const child = Child.serve({
      STELLAR_SOURCE: "lake",
      STELLAR_LAKE_URL: relative(process.cwd(), lake) && lake,
      STELLAR_START_LEDGER: "63092982"
    })
    const url = await Child.url(child)
    await eventually(async () =>
      (await get(`${url}/api/ledgers/latest`)).body.sequence === 63092991 ? true : undefined
    )
    assert.strictEqual((await get(`${url}/health/ready`)).status, 200)
    child.kill("SIGTERM")
    assert.strictEqual((await child.end).code, 0)
  })
})

it("a stdin that is a pipe is no leak", async () => {
  const env = { PATH: process.env.PATH, SERVER_PORT: "0", SERVER_HOST: "127.0.0.1", LOG_FORMAT: "json" }
  const child = spawn(process.execPath, [Child.bin, "serve"], { cwd: Child.folder(), env })
  let said = ""
  child.stderr.on("data", (text) => (said += text))
  child.stdout.on("data", (text) => {
    if (String(text).includes("service_ready")) child.kill("SIGTERM")
  })
  const [code] = await once(child, "close")
  assert.strictEqual(code, 0)
  assert.strictEqual(said, "")
})

describe("law 6, start-up", () => {
  it("a signal at any moment of the start: no port open after, no journal, code 0 or death by the signal", async () => {
    const measured = Child.serve()
    await Child.url(measured)
    measured.kill("SIGTERM")
    const { afterMillis } = await measured.end
    const stopped = async (at: number) => {
      const child = Child.serve()
      await new Promise((resolve) => setTimeout(resolve, at))
      child.kill("SIGTERM")
      const { code, signal } = await child.end
      // Before the first line of the program there is nobody to hear it.
      const died = code === null && signal === "SIGTERM" && child.stdout() === ""
      assert.isTrue(
        code === 0 || died,
        `at ${at} ms: code ${code}, signal ${signal}\n${child.stdout()}${child.stderr()}`
      )
      assert.isFalse(existsSync(join(child.folder, "data/insights.db-wal")), `a journal is left at ${at} ms`)
    }
    for (let at = 10; at < Math.min(afterMillis, 900); at += 120) {
      await Promise.all([stopped(at), stopped(at + 60)])
    }
  }, 90_000)
})
