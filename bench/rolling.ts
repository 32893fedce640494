/**
 * Restarts servers in turn behind HAProxy while requests come through it. See README.md beside this file.
 *
 *     npx tsx bench/rolling.ts [--servers ours,ours-unannounced,node,...] [--setups strict,standard] [--restarts 10]
 *                              [--requests 60000] [--rate 300] [--seed 1] [--verbose]
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import * as Fs from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import * as Balancer from "../src/drill/rolling/Balancer.js"
import * as Rolling from "../src/drill/rolling/Rolling.js"
import type { RollingReport } from "../src/drill/rolling/RollingReport.js"
import * as Requests from "./support/Requests.js"
import { random, short } from "./support/Statistics.js"
import { say, table } from "./support/Table.js"
import { describe, known, prepare } from "./support/Target.js"

const { values } = parseArgs({
  options: {
    servers: {
      type: "string",
      default: ["ours", "ours-unannounced", ...Object.keys(known).slice(1)].join(",")
    },
    setups: { type: "string", default: Balancer.setups.map(({ id }) => id).join(",") },
    restarts: { type: "string", default: "10" },
    requests: { type: "string", default: "60000" },
    rate: { type: "string", default: "300" },
    seed: { type: "string", default: "1" },
    verbose: { type: "boolean", default: false }
  }
})

/** Servers that can announce that they are about to close; the others have nothing for it. */
const announces = new Set(["ours", "express"])

/** The bench may install what it needs where it may install at all. */
const install = Effect.catchAll(Balancer.find, (missing) => {
  if (process.getuid?.() !== 0) return missing
  return Effect.zipRight(
    Effect.try({
      try: () =>
        execFileSync("apt-get", ["install", "-y", "--no-install-recommends", "haproxy"], { stdio: "ignore" }),
      catch: () => missing
    }),
    Balancer.find
  )
})

const mix = [
  { weight: 5, exchange: () => Requests.fast },
  { weight: 4, exchange: (random: () => number) => Requests.echo(random()) },
  { weight: 1, exchange: () => Requests.slow(100) }
]

const rows = (results: ReadonlyArray<RollingReport>) => [
  [
    "server",
    "balancer",
    "announces",
    "requests",
    "lost",
    "stopping/gone/unseen/else",
    "502",
    "503",
    "broken",
    "tried again",
    "latency p50/p99/max, ms",
    "exit, ms",
    "exits"
  ],
  ...results.map((it) => {
    const statuses = (status: number) => String(it.losses.filter((loss) => loss.status === status).length)
    const exits = new Map<string, number>()
    for (const { how } of it.restarts) exits.set(how, (exits.get(how) ?? 0) + 1)
    const { gone, nothing, stopping, unseen } = it.during
    const { longest, median, p99 } = it.latency
    const times = it.restarts.map(({ exit }) => exit)
    return [
      it.name,
      it.setup,
      it.env["SHUTDOWN_ANNOUNCE_DELAY"] === undefined ? "-" : `${it.env["SHUTDOWN_ANNOUNCE_DELAY"]} s`,
      String(it.requests),
      String(it.lost),
      `${stopping}/${gone}/${unseen}/${nothing}`,
      statuses(502),
      statuses(503),
      String(it.losses.filter((loss) => loss.status === null).length),
      String(Object.values(it.counted).reduce((sum, { retries }) => sum + retries, 0)),
      [median, p99, longest].map((ms) => short(Math.round(ms * 10) / 10)).join("/"),
      `${Math.min(...times)}-${Math.max(...times)}`,
      [...exits].map(([how, count]) => `${count} x ${how}`).join(", ")
    ]
  })
]

const program = Effect.gen(function* () {
  const { version } = yield* install
  const servers = values.servers.split(",")
  const setups = values.setups.split(",").map((id) => {
    const setup = Balancer.setups.find((it) => it.id === id)
    if (setup === undefined) throw new Error(`no setup called ${id}`)
    return setup
  })
  const base = (server: string) => server.replace(/-unannounced$/, "")
  const { commands } = yield* Effect.acquireRelease(
    Effect.promise(() => prepare([...new Set(servers.map(base))])),
    ({ remove }) => Effect.promise(remove)
  )
  say(
    `${version}, node ${process.version}, ${values.restarts} restarts of each of two replicas, ${values.rate} requests/s, seed ${values.seed}`
  )
  for (const name of new Set(servers.map(base)))
    say(`${name}: ${yield* Effect.promise(() => describe(name))}`)
  for (const { id, title } of setups) say(`balancer ${id}: ${title}`)
  const results: Array<RollingReport> = []
  for (const setup of setups) {
    for (const server of servers) {
      const command = commands.find(({ name }) => name === base(server))!
      // As long as the balancer may take to look away, rounded up.
      const delay = String(Math.ceil((setup.looksAwayWithin + 500) / 500) / 2)
      const env: Record<string, string> = announces.has(server) ? { SHUTDOWN_ANNOUNCE_DELAY: delay } : {}
      const result = yield* Rolling.run({
        name: server,
        command: command.argv.join(" "),
        env: { NODE_ENV: "production", ...env },
        ready: "/health/ready",
        setup,
        mix,
        rate: Number(values.rate),
        restarts: Number(values.restarts),
        requests: Number(values.requests),
        random: random(Number(values.seed)),
        onRestart: (restart) => {
          if (values.verbose) say(`  ${setup.id} ${server} ${JSON.stringify(restart)}`)
        }
      })
      results.push(result)
      say(`${setup.id} ${server}: lost ${result.lost} of ${result.requests} in ${result.seconds} s`)
      if (values.verbose) {
        for (const loss of result.losses.slice(0, 20)) say(`  ${JSON.stringify(loss)}`)
        for (const line of result.log.slice(-20)) say(`  ${line}`)
      }
    }
  }
  say(`\n${table(rows(results))}`)
  const folder = fileURLToPath(new URL("results/", import.meta.url))
  yield* Effect.promise(() => Fs.mkdir(folder, { recursive: true }))
  const file = `${folder}rolling-${new Date().toISOString().replaceAll(":", "-")}.json`
  yield* Effect.promise(() =>
    Fs.writeFile(
      file,
      JSON.stringify({ version, node: process.version, seed: values.seed, results }, null, 1)
    )
  )
  say(`\nevery restart, every loss and the balancer's configuration are in ${file}`)
  if (results.some(({ lost, name }) => name === "ours" && lost > 0)) process.exitCode = 1
}).pipe(Effect.scoped)

NodeRuntime.runMain(program)
