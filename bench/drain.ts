/**
 * Stops servers under load, again and again, and accounts for every request. See README.md beside this file.
 *
 *     npx tsx bench/drain.ts [--stops 20] [--only a,b,c,d,e,f] [--servers ours,node,fastify,effect]
 *                            [--command "name=node server.mjs"] [--seed 1] [--cap 12] [--verbose]
 */
import * as Fs from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { loads } from "./drain/Loads.js"
import { loadTable, specialTable } from "./drain/Report.js"
import { specials } from "./drain/Specials.js"
import type { Load, StopResult } from "./drain/Stop.js"
import { runStop } from "./drain/Stop.js"
import { random } from "./support/Statistics.js"
import { say } from "./support/Table.js"
import type { Command } from "./support/Target.js"
import { known, prepare, start } from "./support/Target.js"

const { values } = parseArgs({
  options: {
    stops: { type: "string", default: "20" },
    only: { type: "string", default: "a,b,c,d,e,f" },
    servers: { type: "string" },
    command: { type: "string", multiple: true, default: [] },
    seed: { type: "string" },
    cap: { type: "string", default: "12" },
    verbose: { type: "boolean", default: false }
  }
})

const stops = Number(values.stops)
const cap = Number(values.cap) * 1000
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed)
const wanted = values.only.split(",")
const servers = values.servers?.split(",") ?? (values.command.length > 0 ? [] : Object.keys(known))

// A server that lingers after the load has ended is waited for while the next one runs: an idle process disturbs
// nobody, and a peer that never exits would otherwise cost its cap at every stop.
const patience = 700
const mostLingering = 8

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

const one = async (command: Command, load: Load, nth: number): Promise<{ result: Promise<StopResult> }> => {
  const target = await start(command, load.env)
  const { active, result } = runStop(target, load, { random: random(seed + nth), cap })
  // What went wrong is thrown where the result is awaited.
  result.catch(() => undefined)
  await active
  await Promise.race([result, sleep(patience)])
  return { result }
}

/** Every server in turn, `stops` times over, so that what disturbs the machine disturbs them alike. */
const campaign = async (commands: ReadonlyArray<Command>, load: Load): Promise<Array<StopResult>> => {
  const results: Array<StopResult> = []
  const lingering = new Set<Promise<unknown>>()
  for (let nth = 0; nth < stops; nth++) {
    for (const command of commands) {
      const { result } = await one(command, load, nth)
      const kept = result.then((it) => {
        results.push(it)
        lingering.delete(kept)
        if (values.verbose) for (const example of it.examples) say(`  ${load.id} ${it.server}: ${example}`)
      })
      lingering.add(kept)
      if (lingering.size >= mostLingering) await Promise.race(lingering)
    }
  }
  await Promise.all(lingering)
  return results.sort(
    (x, y) => commands.findIndex((c) => c.name === x.server) - commands.findIndex((c) => c.name === y.server)
  )
}

const main = async (): Promise<void> => {
  const { commands: prepared, remove } = await prepare(servers)
  const given = values.command.map((text): Command => {
    const [name, line] = text.split(/=(.*)/s)
    return { name: name!, argv: line!.split(" ") }
  })
  const commands = [...prepared, ...given]
  const all: Array<StopResult> = []
  const from = performance.now()
  say(`seed ${seed}, ${stops} stops each, killed ${values.cap} s after the signal, node ${process.version}`)
  try {
    for (const load of loads) {
      if (!wanted.includes(load.id)) continue
      const results = await campaign(commands, load)
      all.push(...results)
      say(`\n(${load.id}) ${load.title}\n${loadTable(results)}`)
    }
    if (wanted.includes("f")) {
      const results: Array<StopResult> = []
      for (const special of specials) results.push(...(await campaign(commands, special)))
      all.push(...results)
      say(`\n(f) single situations; times in ms, median and longest\n${specialTable(results)}`)
    }
  } finally {
    await remove()
  }
  const folder = fileURLToPath(new URL("results/", import.meta.url))
  await Fs.mkdir(folder, { recursive: true })
  const file = `${folder}drain-${new Date().toISOString().replaceAll(":", "-")}.json`
  await Fs.writeFile(file, JSON.stringify({ seed, stops, cap, node: process.version, results: all }, null, 1))
  say(`\n${((performance.now() - from) / 60_000).toFixed(1)} minutes; every stop is in ${file}`)
}

await main()
