/**
 * A server under test: any command that listens on `PORT`, prints `listening <port>`, and stops at SIGTERM.
 */
import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import * as Fs from "node:fs/promises"
import { createRequire } from "node:module"
import * as Os from "node:os"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"

/** How to start a server. */
export interface Command {
  /** What tables call it. */
  readonly name: string
  /** Program and arguments. */
  readonly argv: ReadonlyArray<string>
}

/** How a server's process ended. */
export interface Exit {
  /** Milliseconds of `performance.now()`. */
  readonly at: number
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A server that listens. */
export interface Target {
  readonly name: string
  readonly port: number
  readonly pid: number
  readonly exited: Promise<Exit>
  /** Sends a signal; does nothing when the process is gone. */
  readonly signal: (signal: NodeJS.Signals) => void
  /** The end of what it wrote to standard error. */
  readonly complaint: () => string
}

const startLimit = 15_000

/** Starts a server and waits until it listens; rejects with its last words when it does not in 15 s. */
export const start = (command: Command, env: Readonly<Record<string, string>> = {}): Promise<Target> =>
  new Promise((resolve, reject) => {
    const [program, ...args] = command.argv
    const child: ChildProcess = spawn(program!, args, {
      env: { ...process.env, NODE_ENV: "production", ...env, PORT: "0" },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let complaint = ""
    let output = ""
    let listening = false
    const fail = (why: string) => {
      child.kill("SIGKILL")
      reject(new Error(`${command.name} ${why}\n${complaint}`))
    }
    const timer = setTimeout(() => fail("did not listen in time"), startLimit)
    const exited = new Promise<Exit>((done) => {
      child.once("exit", (code, signal) => {
        clearTimeout(timer)
        done({ at: performance.now(), code, signal })
        if (!listening) fail(`ended before it listened, code ${code}`)
      })
    })
    child.once("error", (error) => fail(error.message))
    child.stderr!.on("data", (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(-2000)
    })
    child.stdout!.on("data", (chunk: Buffer) => {
      // Logs after the announcement are read and forgotten, so that the pipe never fills.
      if (listening) return
      output = (output + chunk.toString()).slice(-8000)
      const port = /(?:^|\n)listening (\d+)\n/.exec(output)?.[1]
      if (port === undefined) return
      listening = true
      clearTimeout(timer)
      resolve({
        name: command.name,
        port: Number(port),
        pid: child.pid!,
        exited,
        signal: (signal) => {
          child.kill(signal)
        },
        complaint: () => complaint
      })
    })
  })

/** CPU time that all threads of a process have used so far, in milliseconds; NaN where the system does not tell. */
export const cpuTime = async (pid: number): Promise<number> => {
  const folder = `/proc/${pid}/task`
  const threads = await Fs.readdir(folder).catch(() => [])
  if (threads.length === 0) return Number.NaN
  let nanoseconds = 0
  for (const thread of threads) {
    const text = await Fs.readFile(`${folder}/${thread}/schedstat`, "utf8").catch(() => "0")
    nanoseconds += Number(text.split(" ")[0])
  }
  return nanoseconds / 1e6
}

const peers = fileURLToPath(new URL("../peers/", import.meta.url))

/** The servers that the repository brings along, by name, with the file of each. */
export const known: Readonly<Record<string, string>> = {
  ours: "ours.ts",
  node: "node-http.mjs",
  fastify: "fastify.mjs",
  express: "express.mjs",
  "http-terminator": "http-terminator.mjs",
  effect: "effect-stock.ts"
}

/** The packages that a server is made of, beside Node. */
const packages: Readonly<Record<string, ReadonlyArray<string>>> = {
  fastify: ["fastify", "close-with-grace"],
  express: ["express", "@godaddy/terminus"],
  "http-terminator": ["http-terminator"],
  effect: ["effect", "@effect/platform-node"]
}

/** What a known server is, with the versions that are installed (package-lock.json pins them): `fastify 5.0.0 + close-with-grace 2.0.0`. */
export const describe = async (name: string): Promise<string> => {
  const described = (packages[name] ?? []).map(async (it) => {
    const file = new URL(`../../node_modules/${it}/package.json`, import.meta.url)
    const { version } = JSON.parse(await Fs.readFile(file, "utf8")) as { version: string }
    return `${it} ${version}`
  })
  if (name === "node") return `node:http of ${process.version}`
  return described.length === 0 ? "this repository" : (await Promise.all(described)).join(" + ")
}

/**
 * Commands for known servers. TypeScript ones are bundled into a temporary folder, so that what runs is plain
 * JavaScript without a loader; `remove` deletes it.
 */
export const prepare = async (
  names: ReadonlyArray<string>
): Promise<{ readonly commands: ReadonlyArray<Command>; readonly remove: () => Promise<void> }> => {
  const folder = await Fs.mkdtemp(Path.join(Os.tmpdir(), "bench-"))
  const commands: Array<Command> = []
  for (const name of names) {
    const file = known[name]
    if (file === undefined)
      throw new Error(`no server called ${name}; there are ${Object.keys(known).join(", ")}`)
    const entry = Path.join(peers, file)
    commands.push({
      name,
      argv: [process.execPath, file.endsWith(".ts") ? await bundle(entry, folder) : entry]
    })
  }
  return { commands, remove: () => Fs.rm(folder, { recursive: true, force: true }) }
}

/** Bundles a module with all it imports into one file in `folder` and returns the file. */
export const bundle = async (entry: string, folder: string): Promise<string> => {
  const esbuild = await import("esbuild")
  const outfile = Path.join(folder, Path.basename(entry).replace(/\.ts$/, ".mjs"))
  await esbuild.build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    logLevel: "error",
    // CommonJS packages inside an ESM bundle ask for `require`; optional native parts stay outside.
    banner: {
      js: `import { createRequire as benchRequire } from "node:module"; const require = benchRequire(${JSON.stringify(createRequire(import.meta.url).resolve("effect"))});`
    }
  })
  return outfile
}
