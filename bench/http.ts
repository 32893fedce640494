/**
 * What the draining server costs while nothing is being stopped: its throughput against that of the server it
 * replaces, in pairs. See README.md beside this file.
 *
 *     npx tsx bench/http.ts [--pairs 10] [--seconds 3] [--connections 32] [--servers ours,effect] [--path /fast]
 *                           [--client own|wrk]
 *
 * The ratio is that of the first server to the second.
 */
import type { ChildProcess } from "node:child_process"
import { execFile, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs, promisify } from "node:util"
import type { Order, Throughput } from "./http/Load.js"
import { median, quantile, short, spread } from "./support/Statistics.js"
import { say, table } from "./support/Table.js"
import type { Command, Target } from "./support/Target.js"
import { bundle, cpuTime, prepare, start } from "./support/Target.js"

const has = (program: string): boolean =>
  spawnSync(program, ["--version"], { stdio: "ignore" }).error === undefined

const { values } = parseArgs({
  options: {
    pairs: { type: "string", default: "10" },
    seconds: { type: "string", default: "3" },
    connections: { type: "string", default: "32" },
    servers: { type: "string", default: "ours,effect" },
    path: { type: "string", default: "/fast" },
    client: { type: "string", default: has("wrk") ? "wrk" : "own" }
  }
})

const pairs = Number(values.pairs)
const connections = Number(values.connections)
const pinned = has("taskset") && Os.availableParallelism() > 1
const serverCore = pinned ? ["taskset", "-c", "0"] : []
const clientCore = pinned ? ["taskset", "-c", "1"] : []

interface Run extends Throughput {
  /** CPU time of the server, in microseconds a request: what a busy neighbour cannot distort much. */
  readonly cost: number
}

interface Client {
  readonly run: (port: number, seconds: number) => Promise<Throughput>
  readonly close: () => void
}

const ownClient = async (folder: string): Promise<Client> => {
  const file = await bundle(fileURLToPath(new URL("http/Load.ts", import.meta.url)), folder)
  const [program, ...args] = [...clientCore, process.execPath, file]
  const child: ChildProcess = spawn(program!, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] })
  return {
    run: async (port, seconds) => {
      const order: Order = { port, path: values.path, connections, duration: seconds * 1000 }
      child.send(order)
      const [answer] = (await once(child, "message")) as [Throughput]
      return answer
    },
    close: () => {
      child.kill()
    }
  }
}

const wrkClient: Client = {
  run: async (port, seconds) => {
    const [program, ...args] = [
      ...clientCore,
      "wrk",
      "-t1",
      `-c${connections}`,
      `-d${Math.ceil(seconds)}s`,
      "--latency"
    ]
    const { stdout } = await promisify(execFile)(program!, [
      ...args,
      `http://127.0.0.1:${port}${values.path}`
    ])
    const figure = (pattern: RegExp): number => Number(pattern.exec(stdout)?.[1] ?? Number.NaN)
    const latency = (percent: number): number => {
      const [, value, unit] = new RegExp(`${percent}%\\s+([\\d.]+)(us|ms|s)`).exec(stdout) ?? []
      return Number(value) * (unit === "us" ? 0.001 : unit === "s" ? 1000 : 1)
    }
    const errors = [...stdout.matchAll(/(?:connect|read|write|timeout|responses:?) (\d+)/g)]
    return {
      requests: figure(/(\d+) requests in /),
      rate: figure(/Requests\/sec:\s+([\d.]+)/),
      p50: latency(50),
      p99: latency(99),
      errors: errors.reduce((sum, match) => sum + Number(match[1]), 0),
      cpu: Number.NaN
    }
  },
  close: () => undefined
}

const main = async (): Promise<void> => {
  const folder = await Fs.mkdtemp(Path.join(Os.tmpdir(), "bench-"))
  const { commands, remove } = await prepare(values.servers.split(","))
  if (commands.length !== 2) throw new Error("--servers takes two names")
  const client = values.client === "wrk" ? wrkClient : await ownClient(folder)
  const targets: Array<Target> = []
  const runs: Array<Array<Run>> = [[], []]
  try {
    for (const { argv, name } of commands) {
      const command: Command = { name, argv: [...serverCore, ...argv] }
      targets.push(await start(command))
    }
    const where = pinned ? "servers on core 0, client on core 1" : "not pinned"
    say(`${pairs} pairs of ${values.seconds} s, ${connections} connections, GET ${values.path}, ${where}`)
    say(`client: ${values.client}, node ${process.version}`)
    const load = async (nth: number, seconds: number): Promise<Run> => {
      const { pid, port } = targets[nth]!
      const before = await cpuTime(pid)
      const throughput = await client.run(port, seconds)
      const used = (await cpuTime(pid)) - before
      return { ...throughput, cost: (used * 1000) / throughput.requests }
    }
    // Both are compiled and have grown their heaps before anything counts.
    for (let i = 0; i < 2; i++) for (const nth of [0, 1]) await load(nth, 1.5)
    for (let pair = 0; pair < pairs; pair++) {
      // ABBA: whatever drifts during the minute weighs on both alike.
      for (const nth of pair % 2 === 0 ? [0, 1] : [1, 0])
        runs[nth]!.push(await load(nth, Number(values.seconds)))
      const [a, b] = runs.map((run) => run.at(-1)!.rate)
      say(`pair ${pair + 1}: ${short(a!)} to ${short(b!)} requests/s, ratio ${(a! / b!).toFixed(3)}`)
    }
  } finally {
    client.close()
    for (const target of targets) target.signal("SIGKILL")
    await remove()
    await Fs.rm(folder, { recursive: true, force: true })
  }

  const rows = runs.map((run, i) => [
    commands[i]!.name,
    spread(run.map((one) => Math.round(one.rate))),
    spread(run.map((one) => Math.round(one.cost * 10) / 10)),
    median(run.map((one) => one.p50)).toFixed(2),
    median(run.map((one) => one.p99)).toFixed(2),
    String(run.reduce((sum, one) => sum + one.errors, 0)),
    short(median(run.map((one) => one.cpu * 100)))
  ])
  say(
    "\n" +
      table([
        ["server", "requests/s", "server CPU, µs/request", "p50, ms", "p99, ms", "errors", "client CPU, %"],
        ...rows
      ])
  )
  const names = commands.map((command) => command.name).join(" / ")
  const summary = (what: string, ratios: ReadonlyArray<number>): string => {
    const at = (q: number): string => quantile(ratios, q).toFixed(3)
    return `${names}, ${what}: median ratio ${at(0.5)}, quartiles ${at(0.25)}-${at(0.75)}, least ${at(0)}, most ${at(1)}`
  }
  const ratios = runs[0]!.map((one, i) => one.rate / runs[1]![i]!.rate)
  const costs = runs[0]!.map((one, i) => runs[1]![i]!.cost / one.cost)
  say("\n" + summary("requests/s", ratios))
  say(summary("requests per CPU second", costs))

  const results = fileURLToPath(new URL("results/", import.meta.url))
  await Fs.mkdir(results, { recursive: true })
  const file = `${results}http-${new Date().toISOString().replaceAll(":", "-")}.json`
  await Fs.writeFile(
    file,
    JSON.stringify({ options: values, node: process.version, ratios, costs, runs }, null, 1)
  )
  say(`every run is in ${file}`)
}

await main()
