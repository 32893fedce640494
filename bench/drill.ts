/**
 * Drills servers of the repository, ours and others, with every scenario of the drill, and sets the results side by side. See README.md beside this file.
 *
 *     npx tsx bench/drill.ts [--stops 60] [--servers ours,node,...] [--scenario late-request,...] [--seed 1] [--patience 6] [--with results/drill-....json] [--verbose]
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import * as Drill from "../src/drill/Drill.js"
import type { DrillReport } from "../src/drill/DrillReport.js"
import * as Loads from "../src/drill/load/Loads.js"
import * as Summary from "../src/drill/report/Summary.js"
import * as Text from "../src/drill/report/Text.js"
import type { Scenario } from "../src/drill/Scenario.js"
import { situations } from "../src/drill/situation/Situations.js"
import type { Targets } from "../src/drill/Targets.js"
import * as Comparison from "./support/Comparison.js"
import * as Requests from "./support/Requests.js"
import { say, table } from "./support/Table.js"
import type { Command } from "./support/Target.js"
import { describe, known, prepare } from "./support/Target.js"

const { values } = parseArgs({
  options: {
    stops: { type: "string", default: "60" },
    servers: { type: "string", default: Object.keys(known).join(",") },
    scenario: { type: "string" },
    seed: { type: "string", default: "1" },
    patience: { type: "string", default: "6" },
    with: { type: "string" },
    verbose: { type: "boolean", default: false }
  }
})

/** What every server is given to finish requests, in seconds, and from its signal to its exit, in milliseconds: time for those that wait for idle connections to run out. */
const requestSeconds = 6
const graceMillis = 8000

const targetsOf = (server: string): Targets => ({
  fast: "/fast",
  slow: "/slow?ms={ms}",
  echo: "/echo",
  upload: "/upload",
  stream: "/stream?ms={ms}",
  sse: "/events",
  block: "/block?ms={ms}",
  ready: "/health/ready",
  // The others have no notion of liveness, so whatever they answer at once says that they live.
  live: server === "ours" ? "/health/live" : "/fast"
})

const drill = (command: Command, scenario: Scenario, stops: number) =>
  Drill.run({
    name: command.name,
    command: command.argv.map((word) => `'${word}'`).join(" "),
    url: "http://127.0.0.1:0",
    env: { NODE_ENV: "production", SHUTDOWN_GRACEFUL_TIMEOUT: String(requestSeconds) },
    targets: targetsOf(command.name),
    checks: Requests.checks,
    scenarios: [scenario],
    stops,
    // One that never exits costs its grace at every stop, and shows no more the next time.
    ...(command.name === "ours" ? {} : { mostMillis: Number(values.patience) * 1000 }),
    graceMillis,
    marginMillis: 500,
    shortGrace: { env: { SHUTDOWN_GRACEFUL_TIMEOUT: "1" }, graceMillis: 3000 },
    seed: Number(values.seed),
    onProgress: (progress) =>
      Effect.sync(() => {
        if (!values.verbose || progress._tag !== "StopEnded") return
        say(
          `  ${command.name} ${Text.stopLine(Summary.judge(progress.stop, scenario.lossesCount !== false))}`
        )
      })
  })

const program = Effect.gen(function* () {
  const from = performance.now()
  const servers = values.servers.split(",")
  const every = [...Loads.all, ...situations]
  const asked = values.scenario?.split(",") ?? every.map(({ id }) => id)
  for (const id of asked) {
    if (!every.some((one) => one.id === id))
      throw new Error(`no scenario called ${id}; there are ${every.map((one) => one.id).join(", ")}`)
  }
  // None of the servers speaks WebSocket: those scenarios are for services that do.
  const scenarios = every.filter(({ id, needs }) => asked.includes(id) && !needs.includes("ws"))
  const stops = Math.max(1, Math.ceil(Number(values.stops) / scenarios.length))
  const { commands } = yield* Effect.acquireRelease(
    Effect.promise(() => prepare(servers)),
    ({ remove }) => Effect.promise(remove)
  )
  const versions: Record<string, string> = {}
  for (const name of servers) {
    versions[name] = yield* Effect.promise(() => describe(name))
    say(`${name}: ${versions[name]}`)
  }
  say(
    `${scenarios.length} scenarios, ${stops} stops of each server in each, seed ${values.seed}, node ${process.version}\n`
  )
  const reports: Array<DrillReport> = []
  // Scenario by scenario, so that what disturbs the machine disturbs all servers alike.
  for (const scenario of scenarios) {
    for (const command of commands) {
      const report = yield* Effect.either(drill(command, scenario, stops))
      if (report._tag === "Left") say(`${command.name} ${scenario.id}: ${report.left.message}`)
      else reports.push(report.right)
    }
  }
  if (values.with !== undefined) {
    const file = values.with
    const earlier = yield* Effect.promise(() => Fs.readFile(file, "utf8"))
    const { reports: others } = JSON.parse(earlier) as { readonly reports: ReadonlyArray<DrillReport> }
    const place = ({ name, stops }: DrillReport) => `${name} ${stops[0]?.scenario}`
    const again = new Set(reports.map(place))
    reports.push(...others.filter((one) => !again.has(place(one))))
  }
  const drilled = new Set(reports.flatMap((one) => one.stops.map(({ scenario }) => scenario)))
  const shown = every.filter(({ id }) => drilled.has(id))
  const comparison = Comparison.make(reports, shown, servers)
  say(`\n${table(comparison.rows)}`)
  for (const line of comparison.findings) say(line)
  for (const { found, text } of comparison.knownFaults) say(`${found ? "found    " : "NOT FOUND"} ${text}`)
  const folder = fileURLToPath(new URL("results/", import.meta.url))
  yield* Effect.promise(() => Fs.mkdir(folder, { recursive: true }))
  const file = `${folder}drill-${new Date().toISOString().replaceAll(":", "-")}.json`
  yield* Effect.promise(() => Fs.writeFile(file, JSON.stringify({ versions, reports }, null, 1)))
  const isWhole =
    servers.length === Object.keys(known).length &&
    every.every(({ id, needs }) => drilled.has(id) || needs.includes("ws"))
  if (isWhole) {
    const page = fileURLToPath(new URL("../docs/drill-peers.md", import.meta.url))
    yield* Effect.promise(() => Fs.writeFile(page, Comparison.page(comparison, versions)))
    say(`the table is in docs/drill-peers.md`)
  }
  say(`${((performance.now() - from) / 60_000).toFixed(1)} minutes; every stop is in ${file}`)
  if (!comparison.oursPassed || comparison.knownFaults.some(({ found }) => !found)) process.exitCode = 1
}).pipe(Effect.scoped)

NodeRuntime.runMain(program)
