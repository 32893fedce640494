/** What is started: the service as it is shipped, and what it is compared with. */
import type { ChildProcess } from "node:child_process"
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import * as Fs from "node:fs"
import * as Http from "node:http"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import * as Figures from "./Figures.js"

const root = fileURLToPath(new URL("../../", import.meta.url))

/** Bundles the service as it is shipped, and gives the file to run. */
export const bundle = (): string => {
  const outdir = Path.join(root, "node_modules/.bench/startup")
  execFileSync(process.execPath, [".scripts/bundle.mjs", outdir], { cwd: root, stdio: "inherit" })
  return Path.join(outdir, "stellar-insights.mjs")
}

/** How long each part of a start took, in milliseconds from the exec. */
export interface Start {
  /** Until the port was open. */
  readonly listening: number
  /** Until the first 200 of what says that it is ready. */
  readonly ready: number
  /** CPU of all threads until then. */
  readonly cpu: number
  /** Resident memory then, in MB. */
  readonly memory: number
}

/** A server that runs. */
export interface Running {
  readonly pid: number
  readonly start: Start
  /** Stops it; rejects when it does not end with 0. */
  readonly stop: () => Promise<void>
}

/** A program that opens a port, and how it is known that it has. */
export interface Subject {
  readonly argv: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
  /** Finds the port in what it prints. */
  readonly listening: RegExp
  /** Answers 200 when it is ready. */
  readonly path: string
}

/** The service, on a database. */
export const service = (
  program: string,
  filename: string,
  env: Readonly<Record<string, string>> = {}
): Subject => ({
  argv: [program, "serve"],
  env: {
    SERVER_HOST: "127.0.0.1",
    SERVER_PORT: "0",
    DATABASE_URL: `sqlite:${filename}`,
    STELLAR_SOURCE: "simulated",
    LOG_FORMAT: "json",
    ...env
  },
  listening: /"url":"http:\/\/127\.0\.0\.1:(\d+)"/,
  path: "/health/ready"
})

/** A page of code on Effect as it comes, bundled into one file. */
export const peer = (file: string): Subject => ({
  argv: [file],
  env: { PORT: "0" },
  listening: /^listening (\d+)$/m,
  path: "/fast"
})

const startLimit = 60_000

/** How often it is asked whether it is ready, in milliseconds. */
const pause = 2

const status = (port: number, path: string): Promise<number | undefined> =>
  new Promise((resolve) => {
    Http.get({ host: "127.0.0.1", port, path, agent: false }, (response) => {
      response.resume()
      response.on("end", () => resolve(response.statusCode))
    }).on("error", () => resolve(undefined))
  })

/** Starts it and waits until it is ready. */
export const start = async ({ argv, env, listening, path }: Subject): Promise<Running> => {
  const from = performance.now()
  const child: ChildProcess = spawn(process.execPath, argv, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { PATH: process.env["PATH"], NODE_ENV: "production", ...env },
    cwd: "/"
  })
  const exited = once(child, "exit") as Promise<[number | null]>
  let output = ""
  let opened: { readonly at: number; readonly port: number } | undefined
  child.stdout!.on("data", (chunk: Buffer) => {
    if (opened !== undefined) return
    output += chunk.toString()
    const port = listening.exec(output)?.[1]
    if (port !== undefined) opened = { at: performance.now() - from, port: Number(port) }
  })
  while (opened === undefined || (await status(opened.port, path)) !== 200) {
    if (child.exitCode !== null || performance.now() - from > startLimit) {
      child.kill("SIGKILL")
      throw new Error(`${argv.join(" ")} was not ready\n${output}`)
    }
    await new Promise((resolve) => setTimeout(resolve, pause))
  }
  const ready = performance.now() - from
  const pid = child.pid!
  return {
    pid,
    start: { listening: opened.at, ready, cpu: Figures.used(pid).cpu, memory: Figures.resident(pid) },
    stop: async () => {
      child.kill("SIGTERM")
      const [code] = await exited
      if (code !== 0) throw new Error(`${argv.join(" ")} ended with ${code}`)
    }
  }
}

/** A Node that has nothing to do: how long it lives, and the CPU that it takes. */
export const nothing = async (): Promise<Start> => {
  const from = performance.now()
  const child = spawn(process.execPath, ["-p", "const { user, system } = process.cpuUsage(); user + system"])
  let output = ""
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString()
  })
  await once(child, "close")
  return {
    listening: Number.NaN,
    ready: performance.now() - from,
    cpu: Number(output) / 1000,
    memory: Number.NaN
  }
}

/** Removes a database with all that SQLite and the service have laid beside it. */
export const remove = (filename: string): void => {
  const folder = Path.dirname(filename)
  Fs.rmSync(folder, { recursive: true, force: true })
  Fs.mkdirSync(folder, { recursive: true })
}
