import { readFileSync, readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Drill from "../../src/drill/Drill.js"
import * as DrillReport from "../../src/drill/DrillReport.js"
import type { Scenario } from "../../src/drill/Scenario.js"
import { times } from "../../src/drill/Scenario.js"

const server = fileURLToPath(new URL("servers/wrong.mjs", import.meta.url))
const commandFor = (how: string) => `${process.execPath} '${server}' ${how}`

const scenario = (id: string, run: Scenario["run"], more: Partial<Scenario> = {}): Scenario => ({
  id,
  title: `the scenario ${id}`,
  scenarios: [],
  needs: ["fast"],
  run,
  ...more
})

/** Four clients that send every few milliseconds until 150 ms after the signal. */
const steady = scenario("steady", async (stop) => {
  const client = async () => {
    const connection = await stop.connect("connect")
    while (connection?.usable === true && stop.sinceSignal() < 150) {
      await stop.ask(connection, stop.exchange("fast"))
      await stop.pause(5, connection)
    }
    connection?.giveUp()
  }
  const clients = times(4, client)
  await stop.pause(100)
  stop.terminate()
  await Promise.all(clients)
})

/** A request that is in flight when the signal comes. */
const waiting = scenario("waiting", async (stop) => {
  const connection = await stop.connect("connect")
  const answer = stop.ask(connection!, stop.exchange("slow"))
  await stop.pause(50)
  stop.terminate()
  await answer
  connection!.giveUp()
})

/** Connections that come just when the service stops to look. */
const arriving = scenario("arriving", async (stop) => {
  const visit = async () => {
    const connection = await stop.connect("GET /fast")
    if (connection === undefined) return
    await stop.ask(connection, stop.exchange("fast"))
    connection.giveUp()
  }
  await visit()
  stop.terminate()
  await stop.pause(30)
  await Promise.all(times(20, visit))
})

/** A client that does not look at its connections for a while, and then sends on one. */
const inattentive = scenario("inattentive", async (stop) => {
  const connection = await stop.connect("connect")
  await stop.ask(connection!, stop.exchange("fast"))
  stop.terminate()
  const until = performance.now() + 150
  while (performance.now() < until);
  await stop.ask(connection!, stop.exchange("fast"))
})

const options = (how: string, scenarios: ReadonlyArray<Scenario>): Drill.DrillOptions => ({
  command: commandFor(how),
  url: "http://127.0.0.1:0",
  ready: "/fast",
  targets: { fast: "/fast", slow: "/slow" },
  checks: { fast: (body) => body.toString() === '{"ok":true}' },
  scenarios,
  stops: 1,
  seed: 7,
  graceMillis: 4000,
  marginMillis: 200
})

const run = (how: string, one: Scenario, more: Partial<Drill.DrillOptions> = {}) =>
  Effect.map(Drill.run({ ...options(how, [one]), ...more }), (report) => ({ report, stop: report.stops[0]! }))

/** A process that nobody has waited for yet counts as gone. */
const isAlive = (pid: number): boolean => {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"))
  } catch {
    return false
  }
}

const failures = (report: DrillReport.DrillReport) => report.verdict.failed.map(({ name }) => name)

const lost = (report: DrillReport.DrillReport) => [
  ...new Set(report.verdict.lost.map(({ request }) => request.outcome))
]

describe("Drill.run passes", () => {
  it.live("a service that stops well, and tells its times and steps", () =>
    Effect.gen(function* () {
      const { report, stop } = yield* run("right", steady)
      assert.deepStrictEqual(report.verdict, { passed: true, lost: [], failed: [] })
      assert.strictEqual(DrillReport.exitCode(report), 0)
      assert.isAbove(stop.tally.outcomes.complete, 20)
      assert.strictEqual(stop.tally.outcomes.complete, stop.tally.requests)
      assert.strictEqual(stop.exitCode, 0)
      assert.strictEqual(stop.signal, "SIGTERM")
      assert.strictEqual(stop.output, "")
      const { exit, lastWhole, listenerClosed } = stop.times
      assert.isAbove(stop.readyIn!, 10)
      assert.isAbove(exit!, lastWhole!)
      assert.isAtMost(listenerClosed!, exit!)
      assert.isAbove(listenerClosed!, 0)
      const steps = stop.steps?.map(({ kind, name, outcome }) => `${kind} ${name} ${outcome}`)
      assert.sameMembers(steps ?? [], ["quiesce http completed", "phase draining completed"])
      for (const { from, to } of stop.steps ?? []) assert.isTrue(to >= from && from > -60 && to < exit! + 60)
      const text = yield* Schema.encode(DrillReport.Json)(report)
      assert.deepStrictEqual(yield* Schema.decode(DrillReport.Json)(text), report)
    })
  )

  it.live("whole refusals, which are no losses but counted", () =>
    Effect.gen(function* () {
      const { report, stop } = yield* run("declines", steady)
      assert.isTrue(report.verdict.passed)
      assert.isAbove(stop.tally.outcomes.declined, 0)
      assert.isAbove(stop.tally.afterSignal.declined, 0)
    })
  )

  it.live("a request that met the FIN, which is counted apart", () =>
    Effect.gen(function* () {
      const { report, stop } = yield* run("closes", inattentive)
      assert.isTrue(report.verdict.passed)
      assert.strictEqual(stop.tally.outcomes.late, 1)
      assert.strictEqual(stop.tally.afterSignal.late, 1)
      assert.strictEqual(stop.requests.at(-1)?.outcome, "late")
    })
  )
})

describe("Drill.run catches a service that", () => {
  it.live.each<[string, Scenario, DrillReport.RequestReport["outcome"]]>([
    ["swallows", steady, "dropped"],
    ["cuts", steady, "cut"],
    ["forgets", steady, "wrong"],
    ["garbles", steady, "wrong"],
    ["resets", waiting, "dropped"],
    ["early", arriving, "dropped"]
  ])("%s requests", ([how, one, outcome]) =>
    Effect.gen(function* () {
      const { report, stop } = yield* run(how, one)
      assert.deepStrictEqual(lost(report), [outcome])
      assert.isFalse(report.verdict.passed)
      assert.strictEqual(DrillReport.exitCode(report), 1)
      assert.isAbove(stop.tally.outcomes.complete + (how === "resets" ? 1 : 0), 0)
      const [first] = report.verdict.lost
      assert.strictEqual(first?.scenario, one.id)
      if (how === "resets" || how === "early") {
        assert.strictEqual(first?.request.ending, "reset")
        assert.strictEqual(first?.request.hit, "request")
        assert.isAbove(stop.tally.resets, 0)
      }
    })
  )

  it.live("leaves requests without an answer, and has to be killed", () =>
    Effect.gen(function* () {
      const { report, stop } = yield* run("hangs", steady, { graceMillis: 400 })
      assert.deepStrictEqual(lost(report), ["hung"])
      assert.deepStrictEqual(failures(report), ["is gone within its grace"])
      assert.isTrue(stop.killed)
      assert.isNull(stop.times.exit)
    })
  )

  it.live("never exits", () =>
    Effect.gen(function* () {
      const { report, stop } = yield* run("never-exits", waiting, { graceMillis: 400 })
      assert.deepStrictEqual(report.verdict.lost, [])
      assert.deepStrictEqual(failures(report), ["is gone within its grace"])
      assert.strictEqual(stop.exitSignal, "SIGKILL")
      assert.isAbove(stop.times.slowestAccepted, 20)
    })
  )

  it.live("leaves a child behind, which is killed then", () =>
    Effect.gen(function* () {
      const { report, stop } = yield* run("child", waiting)
      assert.deepStrictEqual(failures(report), ["leaves no process behind"])
      assert.strictEqual(stop.leftovers.children[0]?.command, "sleep 20")
      assert.isFalse(isAlive(stop.leftovers.children[0]!.pid))
    })
  )

  it.live("leaves its port open", () =>
    Effect.gen(function* () {
      const { report, stop } = yield* run("port", waiting)
      assert.deepStrictEqual(failures(report), ["leaves no process behind", "leaves no port open"])
      assert.lengthOf(stop.leftovers.ports, 1)
    })
  )

  it.live("exits with another code", () =>
    Effect.gen(function* () {
      const { report, stop } = yield* run("code", waiting)
      assert.deepStrictEqual(failures(report), ["exits as it should"])
      assert.match(report.verdict.failed[0]!.detail, /exited with 7, not with 0/)
      assert.strictEqual(stop.exitCode, 7)
      const allowed = yield* run("code", waiting, { exits: [7] })
      assert.isTrue(allowed.report.verdict.passed)
    })
  )

  it.live("ends before its signal", () =>
    Effect.gen(function* () {
      const { report, stop } = yield* run("crashes", steady)
      assert.include(failures(report), "lives until its signal")
      assert.isFalse(report.verdict.passed)
      assert.isAbove(stop.tally.requests, 0)
    })
  )
})

describe("Drill.run", () => {
  it.live(
    "lets scenarios take turns, skips those without a path by name, and counts what a scenario expects",
    () =>
      Effect.gen(function* () {
        const expecting = scenario("expecting", async (stop) => {
          await stop.pause(20)
          stop.terminate()
          stop.expect("a thing", stop.port > 0)
          stop.expect("another thing", false, "it was not so")
          stop.notes["fact"] = 3
        })
        const impossible = scenario("impossible", () => Promise.resolve(), { needs: ["ws", "sse"] })
        const told: Array<string> = []
        const report = yield* Drill.run({
          ...options("right", [waiting, impossible, expecting]),
          stops: 3,
          onProgress: (progress) => Effect.sync(() => void told.push(progress._tag))
        })
        assert.deepStrictEqual(
          report.stops.map((stop) => [stop.nth, stop.scenario]),
          [
            [1, "waiting"],
            [2, "expecting"],
            [3, "waiting"]
          ]
        )
        assert.deepStrictEqual(report.skipped, [
          { scenario: "impossible", reason: "no path is given for ws, sse" }
        ])
        assert.deepStrictEqual(report.verdict.failed, [
          { scenario: "expecting", nth: 2, name: "another thing", detail: "it was not so" }
        ])
        assert.deepStrictEqual(report.stops[1]!.notes, { fact: 3 })
        assert.deepStrictEqual(told, ["Began", ...times(6, (i) => (i % 2 === 0 ? "StopBegan" : "StopEnded"))])
      })
  )

  it.live("tells of a scenario that throws, and of one that sends no signal", () =>
    Effect.gen(function* () {
      const throws = scenario("throws", () => Promise.reject(new Error("out of ideas")))
      const silent = scenario("silent", () => Promise.resolve())
      const report = yield* Drill.run(options("right", [throws, silent]))
      assert.deepStrictEqual(
        report.verdict.failed.map(({ detail, name }) => [name, detail]),
        [
          ["scenario", "out of ideas"],
          ["scenario", "sent no signal"]
        ]
      )
    })
  )

  it.live("begins before the service is ready where a scenario wants that, and starts it again", () =>
    Effect.gen(function* () {
      const again = scenario(
        "again",
        async (stop) => {
          assert.isAbove(await stop.ready, 0)
          stop.terminate()
          stop.signal("SIGUSR2")
          await stop.exited
          stop.notes["restarted"] = await stop.restart()
          const connection = await stop.connect()
          stop.expect(
            "answers again",
            (await stop.ask(connection!, stop.exchange("fast"))).outcome === "complete"
          )
        },
        { begins: "started", exits: ["SIGUSR2"] }
      )
      const { report, stop } = yield* run("right", again)
      assert.deepStrictEqual(report.verdict.failed, [])
      assert.isAbove(Number(stop.notes["restarted"]), 10)
      assert.strictEqual(stop.exitSignal, "SIGUSR2")
    })
  )

  it.live("begins no further stop when its time is over", () =>
    Effect.gen(function* () {
      const report = yield* Drill.run({ ...options("right", [waiting]), stops: 50, mostMillis: 100 })
      assert.lengthOf(report.stops, 1)
      assert.match(report.endedEarly ?? "", /after 1 of 50 stops/)
    })
  )

  it.live.each<[string, Partial<Drill.DrillOptions>, string, RegExp]>([
    ["a service that is never ready", { startMillis: 300 }, "start", /was not ready within 300 ms/],
    [
      "a service that ends",
      { command: commandFor("fails-to-start") },
      "start",
      /code 4\nthere is no database/
    ],
    ["a program that is not there", { command: "/no/such/program" }, "start", /ENOENT/],
    ["a shell's syntax", { command: "node server.js | tee log" }, "usage", /needs a shell/],
    ["another machine", { url: "http://192.0.2.1:80" }, "remote", /not this machine/],
    ["https", { url: "https://127.0.0.1" }, "usage", /only http/],
    ["no path", { targets: { fast: "fast" } }, "usage", /must begin with/],
    ["no stops", { stops: 0, graceMillis: -1 }, "usage", /stops must be .*; the grace must be/],
    ["an unknown signal", { signal: "SIGNOPE" as "SIGTERM" }, "usage", /no signal SIGNOPE/],
    ["no scenario", { scenarios: [] }, "usage", /no scenario/]
  ])("fails for %s", ([, more, reason, message]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Drill.run({ ...options("never-listens", [waiting]), ...more }))
      assert.strictEqual(error.reason, reason)
      assert.match(error.message, message)
    })
  )

  it.live("fails when somebody else has the port", () =>
    Effect.gen(function* () {
      const taken = scenario("taken", async (stop) => {
        const url = `http://127.0.0.1:${stop.port}`
        const error = await Effect.runPromise(Effect.flip(Drill.run({ ...options("right", [waiting]), url })))
        stop.terminate()
        stop.expect("is refused", error.reason === "port", error.message)
      })
      const { report } = yield* run("right", taken)
      assert.deepStrictEqual(report.verdict.failed, [])
    })
  )

  it.live("leaves nothing behind when it is interrupted", () =>
    Effect.gen(function* () {
      const mark = `interrupted-${process.pid}`
      const running = () =>
        readdirSync("/proc").filter((entry) => {
          if (!/^\d+$/.test(entry) || Number(entry) === process.pid) return false
          try {
            return readFileSync(`/proc/${entry}/cmdline`, "latin1").includes(mark)
          } catch {
            return false
          }
        })
      const fiber = yield* Effect.fork(
        Drill.run({
          ...options("never-exits", [waiting]),
          // The service is a child of a shell that does not pass a signal on.
          command: `sh -c 'trap "" TERM; "${process.execPath}" "${server}" never-exits ${mark}; exit 0'`
        })
      )
      yield* Effect.sleep(700)
      assert.lengthOf(running(), 2)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(running(), [])
    })
  )
})
