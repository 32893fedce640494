/**
 * The hub against `ws` alone, doing the same work: `npm run bench realtime -- --clients 1000,10000 --rounds 7`. See README.md beside this file.
 */
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import * as Control from "./realtime/Control.js"
import type * as Crowd from "./realtime/Crowd.js"
import type * as Subject from "./realtime/Subject.js"
import { median, quantile } from "./support/Statistics.js"
import { say, table } from "./support/Table.js"
import { bundle } from "./support/Target.js"

const { values } = parseArgs({
  options: {
    clients: { type: "string", default: "1000,10000" },
    rounds: { type: "string", default: "7" },
    messages: { type: "string", default: "10" },
    bursts: { type: "string", default: "5" }
  }
})
const rounds = Math.max(1, Number(values.rounds))
const sizes = values.clients.split(",").map(Number)
const burst = 20

const contenders = [
  { name: "hub", file: "Ours", argv: [] },
  { name: "ws", file: "Raw", argv: [] },
  // What the stop is also compared with: less work than the hub's.
  { name: "ws, no bye", file: "Raw", argv: ["notice-only"] }
] as const

/** One server's life. Microseconds and bytes; a message or burst is the median of several. */
interface Life {
  readonly connect: number
  readonly resident: number
  readonly known: number
  readonly message: number
  readonly messageCpu: number
  readonly burst: number
  readonly burstCpu: number
  readonly stop: number
  readonly stopCpu: number
  /** CPU time of the clients: where it comes near {@link stop}, they are what is measured. */
  readonly stopClients: number
}

const files = { Ours: "", Raw: "", Crowd: "" }

const live = async (nth: number, crowd: Control.Servant<Crowd.Deeds>, clients: number): Promise<Life> => {
  const { argv, file, name } = contenders[nth]!
  const server = Control.employ<Subject.Deeds>(files[file], ...argv)
  try {
    const port = await server.ask("port")
    const empty = await server.ask("memory")
    const connect = await crowd.ask("connect", { port, clients })
    const full = await server.ask("memory")
    const publish = async (count: number) => {
      await crowd.ask("expect", count)
      const from = await server.ask("publish", count)
      const wall = (await crowd.ask("received"))! - from
      return { wall, cpu: await server.ask("spent") }
    }
    const several = async (times: number, count: number) => {
      const samples: Array<Awaited<ReturnType<typeof publish>>> = []
      for (let i = 0; i < times; i++) samples.push(await publish(count))
      return { wall: median(samples.map(({ wall }) => wall)), cpu: median(samples.map(({ cpu }) => cpu)) }
    }
    const messages = Number(values.messages)
    const bursts = Number(values.bursts)
    const message = await several(messages, 1)
    const together = await several(bursts, burst)
    const busy = await crowd.ask("cpu")
    const stop = await server.ask("stop")
    const ends = Object.entries(await crowd.ask("end"))
    const stopClients = (await crowd.ask("cpu")) - busy
    const expected = 2 + messages + bursts * burst + (file === "Raw" && argv.length > 0 ? 1 : 2)
    if (ends.length !== 1 || ends[0]![0] !== `1001 after ${expected}`) {
      throw new Error(
        `${name}: clients ended ${JSON.stringify(ends)} messages, not all 1001 after ${expected}`
      )
    }
    return {
      connect,
      resident: (full.resident - empty.resident) / clients,
      known: (full.known - empty.known) / clients,
      message: message.wall,
      messageCpu: message.cpu,
      burst: together.wall,
      burstCpu: together.cpu,
      stop: stop.wall,
      stopCpu: stop.cpu,
      stopClients
    }
  } finally {
    server.dismiss()
  }
}

/** What is compared: which figure, with whom, how, and what it should come to. */
const measures: ReadonlyArray<{
  readonly what: string
  readonly key: keyof Life
  readonly against: 1 | 2
  readonly target: readonly ["<=" | ">=", number] | undefined
}> = [
  { what: "stop, wall", key: "stop", against: 1, target: ["<=", 1] },
  { what: "stop, server CPU", key: "stopCpu", against: 1, target: ["<=", 1] },
  { what: "stop, CPU of the clients", key: "stopClients", against: 1, target: undefined },
  { what: "stop, wall, no bye there", key: "stop", against: 2, target: undefined },
  { what: "stop, server CPU, no bye there", key: "stopCpu", against: 2, target: undefined },
  { what: "one message to all, wall", key: "message", against: 1, target: [">=", 1] },
  { what: "one message to all, server CPU", key: "messageCpu", against: 1, target: undefined },
  { what: `${burst} events together, wall`, key: "burst", against: 1, target: [">=", 4] },
  { what: `${burst} events together, server CPU`, key: "burstCpu", against: 1, target: undefined },
  { what: "resident memory a client", key: "resident", against: 1, target: ["<=", 1.2] },
  { what: "of it known to V8", key: "known", against: 1, target: undefined },
  { what: "all connect and subscribe, wall", key: "connect", against: 1, target: undefined }
]

/** Throughputs are as much greater as their times are smaller. */
const isThroughput = (key: keyof Life): boolean => /^(message|burst)/.test(key)

const figure = (key: keyof Life, value: number): string =>
  key === "resident" || key === "known"
    ? `${(value / 1024).toFixed(2)} KiB`
    : `${(value / 1000).toFixed(value < 20_000 ? 2 : 1)} ms`

const report = (lives: ReadonlyArray<ReadonlyArray<Life>>): ReadonlyArray<ReadonlyArray<string>> =>
  measures.map(({ against, key, target, what }) => {
    const ours = lives[0]!.map((life) => life[key])
    const theirs = lives[against]!.map((life) => life[key])
    const ratios = ours.map((value, i) => (isThroughput(key) ? theirs[i]! / value : value / theirs[i]!))
    const ratio = median(ratios)
    const isMet = target === undefined || (target[0] === "<=" ? ratio <= target[1] : ratio >= target[1])
    return [
      what,
      figure(key, median(ours)),
      figure(key, median(theirs)),
      ratio.toFixed(2),
      `${quantile(ratios, 0.25).toFixed(2)}-${quantile(ratios, 0.75).toFixed(2)}`,
      target === undefined ? "" : `${target.join(" ")} ${isMet ? "met" : "MISSED"}`
    ]
  })

const main = async (): Promise<void> => {
  const folder = await Fs.mkdtemp(Path.join(Os.tmpdir(), "bench-"))
  const results: Array<{ readonly clients: number; readonly lives: ReadonlyArray<ReadonlyArray<Life>> }> = []
  let crowd: Control.Servant<Crowd.Deeds> | undefined
  try {
    for (const name of ["Ours", "Raw", "Crowd"] as const) {
      files[name] = await bundle(fileURLToPath(new URL(`realtime/${name}.ts`, import.meta.url)), folder)
    }
    crowd = Control.employ<Crowd.Deeds>(files.Crowd)
    // The crowd is compiled before anything counts; servers are new each time, as they are when they are stopped in life.
    for (const nth of [0, 1]) await live(nth, crowd, 500)
    for (const clients of sizes) {
      const lives: Array<Array<Life>> = contenders.map(() => [])
      for (let round = 0; round < rounds; round++) {
        // Back and forth: whatever drifts weighs on all alike.
        const order = contenders.map((_, i) => i)
        for (const nth of round % 2 === 0 ? order : order.toReversed()) {
          lives[nth]!.push(await live(nth, crowd, clients))
        }
        const [ours, theirs] = lives.map((all) => all.at(-1)!)
        const stop = (ours!.stop / theirs!.stop).toFixed(2)
        const cost = (ours!.stopCpu / theirs!.stopCpu).toFixed(2)
        say(`${clients} clients, round ${round + 1}: stop ${stop} times that of ws, ${cost} times the CPU`)
      }
      results.push({ clients, lives })
      const header = ["", contenders[0].name, "ws", "ratio", "quartiles", ""]
      say(`\n${clients} clients, medians of ${rounds} rounds\n${table([header, ...report(lives)])}\n`)
    }
  } finally {
    crowd?.dismiss()
    await Fs.rm(folder, { recursive: true, force: true })
  }
  const place = fileURLToPath(new URL("results/", import.meta.url))
  await Fs.mkdir(place, { recursive: true })
  const file = `${place}realtime-${new Date().toISOString().replaceAll(":", "-")}.json`
  await Fs.writeFile(file, JSON.stringify({ options: values, node: process.version, results }, null, 1))
  say(`every round is in ${file}`)
}

await main()
