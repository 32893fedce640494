import { afterEach, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo, Server } from "node:net"
import { fileURLToPath } from "node:url"
import * as Balancer from "../../../src/drill/rolling/Balancer.js"
import * as Load from "../../../src/drill/rolling/Load.js"
import * as Rolling from "../../../src/drill/rolling/Rolling.js"
import * as RollingReport from "../../../src/drill/rolling/RollingReport.js"
import { get, post } from "../../../src/drill/wire/Exchange.js"

const hasBalancer = (() => {
  try {
    execFileSync("haproxy", ["-v"], { env: { PATH: `${process.env.PATH}:/usr/sbin` } })
    return true
  } catch {
    return false
  }
})()

const body = Buffer.from("a body that must come back as it was")
const mix = [
  { weight: 1, exchange: () => get("/", { check: (answer) => answer.toString() === "ok" }) },
  { weight: 1, exchange: () => post("/", body, { check: (answer) => answer.equals(body) }) }
]

const replica = fileURLToPath(new URL("replica.mjs", import.meta.url))

const options = (fault = ""): Rolling.Options => ({
  name: fault === "" ? "right" : fault,
  command: `${process.execPath} ${replica}`,
  env: { FAULT: fault },
  ready: "/ready",
  setup: Balancer.strict,
  mix,
  rate: 200,
  connections: 16,
  restarts: 1,
  requests: 300,
  cap: 800,
  random: Math.random
})

const children = () =>
  readdirSync("/proc").filter((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8")
      return /^\d+$/.test(pid) && (command.includes(replica) || /haproxy.*rolling-/.test(command))
    } catch {
      return false
    }
  })

describe.skipIf(!hasBalancer)("rolling restarts (needs haproxy)", () => {
  it.live("a service that announces its stop loses nothing", () =>
    Effect.gen(function* () {
      const report = yield* Rolling.run(options())
      assert.deepStrictEqual(report.losses, [])
      assert.strictEqual(report.lost, 0)
      assert.isAtLeast(report.requests, 300)
      assert.deepStrictEqual(Object.keys(report.kinds).toSorted(), ["GET /", "POST /"])
      assert.deepStrictEqual(
        report.restarts.map(({ how, replica }) => [replica, how]),
        [
          ["one", "0"],
          ["two", "0"]
        ]
      )
      for (const { exit, ready, seenDown, up } of report.restarts) {
        assert.isBelow(seenDown ?? Infinity, exit)
        assert.isBelow(exit, ready)
        assert.isAtMost(ready, up)
      }
      assert.include(report.configuration, "retries 0")
      assert.isAbove(report.counted["one"]!.requests, 100)
    })
  )

  it.live.each([
    ["abrupt", "0"],
    ["stays", "killed"]
  ])("one that is %s is caught", ([fault, how]) =>
    Effect.gen(function* () {
      const report = yield* Rolling.run(options(fault))
      assert.isAbove(report.lost, 0)
      assert.strictEqual(report.lost, report.losses.length)
      assert.strictEqual(report.restarts[0]?.how, how)
      assert.strictEqual(report.during.nothing, 0)
      assert.isAbove(report.log.length, 0)
    })
  )

  it.live("one that is wrong now and then is caught", () =>
    Effect.gen(function* () {
      const report = yield* Rolling.run(options("wrong"))
      assert.isAbove(
        report.losses.filter(({ outcome, status }) => outcome === "wrong" && status === 500).length,
        0
      )
    })
  )

  it.live("interrupting it leaves no process behind", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(Rolling.run(options()))
      while (children().length < 3) yield* Effect.sleep(20)
      yield* Effect.sleep(300)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(children(), [])
    })
  )

  it.live("a service that does not start is told with its last words", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        Rolling.run({ ...options(), command: `${process.execPath} no-such-file.mjs` })
      )
      assert.include(error.message, "no-such-file.mjs")
      assert.deepStrictEqual(children(), [])
    })
  )
})

describe("the load", () => {
  const servers = new Set<Server>()
  afterEach(() => {
    for (const server of servers) server.close()
    servers.clear()
  })
  const listen = async (server: ReturnType<typeof createServer>) => {
    servers.add(server)
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    return (server.address() as AddressInfo).port
  }
  const load = (port: number, connections = 8) =>
    Load.start({ port, rate: 200, connections, mix: [mix[0]!], random: Math.random })
  const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

  it("keeps its rate, on connections that it keeps", async () => {
    const it = load(await listen(createServer((_, response) => response.end("ok"))))
    await sleep(1000)
    const { complete, latencies, losses, opened, requests, unsent } = await it.stop(1000)
    assert.isAbove(requests, 150)
    assert.isAtMost(requests, 215)
    assert.deepStrictEqual(
      [complete, latencies.length, losses, unsent, opened],
      [requests, requests, [], 0, 8]
    )
  })

  it("a slow server does not slow it down: what waits for a connection counts from when it was due", async () => {
    const it = load(
      await listen(createServer((_, response) => void setTimeout(() => response.end("ok"), 200))),
      4
    )
    await sleep(250)
    const { complete, latencies, losses, requests } = await it.stop(10_000)
    assert.deepStrictEqual([complete, losses], [requests, []])
    assert.isAbove(requests, 30)
    assert.isAbove(Math.max(...latencies), 600)
  })

  it("every other answer is a loss: wrong body, 500, 503, a connection that breaks, none at all", async () => {
    let nth = 0
    const it = load(
      await listen(
        createServer((request, response) => {
          switch (nth++ % 6) {
            case 0:
              return response.end("OK?")
            case 1:
              return response.writeHead(500).end("ok")
            case 2:
              return response.writeHead(503).end()
            case 3:
              return request.socket.destroy()
            case 4:
              return nth < 8 ? undefined : response.end("ok")
            default:
              return response.end("ok")
          }
        })
      ),
      16
    )
    await sleep(500)
    const { complete, losses, requests } = await it.stop(300)
    assert.strictEqual(complete + losses.length, requests)
    const outcomes = new Set(losses.map(({ outcome }) => outcome))
    for (const outcome of ["wrong", "declined", "hung"])
      assert.isTrue(outcomes.has(outcome as "wrong"), outcome)
    assert.isTrue(outcomes.has("dropped") || outcomes.has("late"))
    assert.isBelow(complete / requests, 0.6)
  })
})

describe("the balancer", () => {
  const text = (setup: Balancer.Setup) =>
    Balancer.configuration({
      setup,
      port: 20001,
      ready: "/health/ready",
      servers: { one: 20002, two: 20003 },
      socket: "/tmp/x/stats"
    })

  it("its configuration says what is promised of it, and of the defaults nothing", () => {
    const strict = text(Balancer.strict)
    for (const line of [
      "retries 0",
      "no option redispatch",
      "http-reuse always",
      "uri /health/ready",
      "bind 127.0.0.1:20001"
    ])
      assert.include(strict, line)
    assert.notMatch(text(Balancer.standard), /retries|redispatch|http-reuse|inter|fall|rise/)
  })

  it("reads what HAProxy counts", () => {
    const csv =
      "# pxname,svname,stot,status,econ,eresp,wretr,reuse,\nreplicas,one,12,UP 1/2,3,4,5,6,\nreplicas,two,0,DOWN,0,0,0,0,\n"
    assert.deepStrictEqual(Balancer.parseStat(csv, "one"), {
      up: true,
      status: "UP 1/2",
      requests: 12,
      connectErrors: 3,
      responseErrors: 4,
      retries: 5,
      reused: 6
    })
    assert.isFalse(Balancer.parseStat(csv, "two")?.up)
    assert.isUndefined(Balancer.parseStat(csv, "three"))
  })
})

it("what was going on is known of every moment", () => {
  const restart = { replica: "one", at: 1000, seenDown: 5, exit: 100, how: "0", ready: 300, up: 400 }
  const at = (ms: number) => RollingReport.during([restart, { ...restart, at: 5000 }], ms)
  assert.deepStrictEqual([999, 1000, 1100, 1101, 1300, 1301, 1400, 1401, 5001].map(at), [
    "nothing",
    "stopping",
    "stopping",
    "gone",
    "gone",
    "unseen",
    "unseen",
    "nothing",
    "stopping"
  ])
})
