/**
 * How long `GET /api/corridors` takes while ledgers come in: `npm run bench api -- --seconds 60`.
 *
 * The service as it is shipped, with all of its tasks, runs over a database of a million payments and ingests a ledger every second. Meanwhile 500 requests
 * a second are due by the clock, from another process, on kept-alive connections. Two turns: the endpoint as it is asked by default, and with parameters of all
 * kinds, some thousand different ones, so that nearly every answer has to be made anew.
 *
 * The million payments are simulated, and a recorded ledger cannot follow them in one chain. So the ledgers of the load are simulated too: they are
 * committed to the large database, whose indexes are what makes a commit slow, which a second database beside it would not show. A simulated ledger has as
 * many transactions as a recorded one at protocol 26 (260), twice its payments and half its bytes (0.5 MB), and is made in the service's own process: that takes
 * about 20 ms, more than unpacking and decoding the other half would. `--transactions 490` has all of its bytes, and four times its payments.
 */
import { fork } from "node:child_process"
import { once } from "node:events"
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import type { Order, Outcome } from "./api/OpenLoad.js"
import * as Service from "./api/Service.js"
import { quantile, random } from "./support/Statistics.js"
import { say, table } from "./support/Table.js"
import { bundle, cpuTime } from "./support/Target.js"

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    rate: { type: "string", default: "500" },
    connections: { type: "string", default: "32" },
    payments: { type: "string", default: "1000000" },
    transactions: { type: "string", default: "260" },
    seed: { type: "string", default: "1" }
  }
})

/** Milliseconds that 99 of 100 answers may take. */
const target = 20

/** Parameters of all kinds. */
const mixed = (assets: ReadonlyArray<string>): ReadonlyArray<string> => {
  const next = random(Number(values.seed))
  const below = (most: number) => Math.floor(next() * most)
  const pick = <A>(of: ReadonlyArray<A>): A => of[below(of.length)]!
  return Array.from({ length: 5000 }, () => {
    const query = new URLSearchParams()
    if (below(4) > 0) query.set("window", pick(["1h", "24h", "7d", "30d"]))
    if (below(2) > 0) query.set("sort", pick(["attempts", "successRate", "score"]))
    if (below(3) === 0) query.set("source", pick(assets))
    if (below(5) === 0) query.set("destination", pick(assets))
    if (below(4) === 0) query.set("minAttempts", String(below(2000)))
    if (below(4) === 0) query.set("minSuccessRate", (next() / 2).toFixed(3))
    if (below(6) === 0) query.set("maxSuccessRate", (0.5 + next() / 2).toFixed(3))
    if (below(2) > 0) query.set("limit", String(1 + below(100)))
    return `/api/corridors?${query}`
  })
}

const main = async (): Promise<void> => {
  const program = Service.bundle()
  const original = Service.database(program, Number(values.payments))
  const folder = await Fs.mkdtemp(Path.join(Os.tmpdir(), "bench-api-"))
  const load = fork(await bundle(fileURLToPath(new URL("api/OpenLoad.ts", import.meta.url)), folder))
  let service: Service.Running | undefined
  try {
    service = await Service.start(program, original, folder, Number(values.transactions))
    const { ask, pid, port } = service
    const run = async (paths: ReadonlyArray<string>, seconds: number) => {
      const last = async () => Number((await ask("/api/ledgers/latest"))["sequence"])
      const [ledger, cpu, from] = [await last(), await cpuTime(pid), performance.now()]
      const order: Order = {
        port,
        paths,
        rate: Number(values.rate),
        connections: Number(values.connections),
        duration: seconds * 1000
      }
      load.send(order)
      const [outcome] = (await once(load, "message")) as [Outcome]
      const elapsed = performance.now() - from
      return {
        ...outcome,
        ledgers: (((await last()) - ledger) * 1000) / elapsed,
        server: ((await cpuTime(pid)) - cpu) / elapsed
      }
    }
    const known = (await ask("/api/corridors?window=30d&limit=200"))["corridors"] as ReadonlyArray<{
      source: string
    }>
    const turns = [
      ["/api/corridors", ["/api/corridors"]],
      ["with mixed parameters", mixed([...new Set(known.map(({ source }) => source))])]
    ] as const
    say(
      `${values.rate} requests/s on ${values.connections} connections, ${values.seconds} s each, node ${process.version}`
    )
    // The first seconds compile both sides.
    for (const [, paths] of turns) await run(paths, 5)
    const results: Array<{ name: string } & Awaited<ReturnType<typeof run>>> = []
    for (const [name, paths] of turns) results.push({ name, ...(await run(paths, Number(values.seconds))) })

    const rows = results.map(({ bytes, cpu, late, latencies, ledgers, name, server }) => {
      const good = latencies.filter((each) => each !== null && !Number.isNaN(each))
      const at = (q: number) => quantile(good, q).toFixed(1)
      const bad = latencies.length - good.length
      return [
        name,
        at(0.5),
        at(0.99),
        `< ${target}`,
        bad === 0 && quantile(good, 0.99) < target ? "met" : "MISSED",
        at(0.999),
        at(1),
        String(bad),
        late.toFixed(1),
        (bytes / good.length / 1024).toFixed(1),
        ledgers.toFixed(2),
        (server * 100).toFixed(0),
        (cpu * 100).toFixed(0)
      ]
    })
    say(
      table([
        [
          "requests",
          "p50, ms",
          "p99, ms",
          "target",
          "",
          "p99.9",
          "most",
          "bad",
          "client late at most, ms",
          "KiB each",
          "ledgers/s",
          "server CPU, %",
          "client CPU, %"
        ],
        ...rows
      ])
    )
    for (const { name, wrong } of results) for (const one of wrong) say(`${name}: ${one}`)
    const into = fileURLToPath(new URL("results/", import.meta.url))
    await Fs.mkdir(into, { recursive: true })
    const file = `${into}api-${new Date().toISOString().replaceAll(":", "-")}.json`
    const written = results.map(({ latencies, ...result }) => ({
      ...result,
      latencies: latencies.map((each) => (each === null ? null : Math.round(each * 100) / 100))
    }))
    await Fs.writeFile(file, JSON.stringify({ options: values, node: process.version, results: written }))
    say(`every latency is in ${file}`)
    if (rows.some((row) => row.includes("MISSED"))) process.exitCode = 1
  } finally {
    load.kill()
    const code = await service?.stop()
    if (code !== undefined && code !== 0) say(`the service ended with ${code}`)
    await Fs.rm(folder, { recursive: true, force: true })
  }
}

await main()
