/** A real child process of the service or of a small program, with what it said and how it ended. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { build } from "esbuild"

const root = resolve(import.meta.dirname, "../..")

/** The bundled program, as `npm run build:bin` makes it. */
export const bin = join(root, "dist/bin/stellar-insights.mjs")

const bundled = new Map<string, string>()

/** Arguments that run a program of the tests, bundled once as the service itself is, so that its start is quick. */
export const program = async (name: string): Promise<ReadonlyArray<string>> => {
  const known = bundled.get(name)
  if (known !== undefined) return [known]
  const outfile = join(root, `dist/test/${process.pid}/${name.replace(/\.ts$/, ".mjs")}`)
  await build({
    entryPoints: [join(root, "test/process/programs", name)],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    external: ["better-sqlite3"],
    logLevel: "warning",
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);'
    }
  })
  bundled.set(name, outfile)
  return [outfile]
}

export interface End {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** From the start of the process, in milliseconds. */
  readonly afterMillis: number
}

export interface Child {
  readonly process: ChildProcess
  readonly pid: number
  /** A folder of its own, which is its working directory. */
  readonly folder: string
  /** Everything on stdout so far. */
  readonly stdout: () => string
  readonly stderr: () => string
  /** Lines of stdout that are JSON objects. */
  readonly lines: () => Array<Record<string, unknown>>
  /** Waits until stdout or stderr matches; throws with the output when the process ends first or `millis` pass. */
  readonly says: (pattern: RegExp, millis?: number) => Promise<RegExpExecArray>
  readonly kill: (signal: NodeJS.Signals) => boolean
  readonly end: Promise<End>
}

const children = new Set<ChildProcess>()
const folders = new Set<string>()

/** An empty folder that is removed after the test. */
export const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), "stellar-insights-"))
  folders.add(made)
  return made
}

/** Ends what tests have left over. */
export const clear = (): void => {
  for (const child of children) child.kill("SIGKILL")
  children.clear()
  for (const made of folders) rmSync(made, { recursive: true, force: true })
  folders.clear()
}

/** Environment of a child: nothing of ours but the path. All tests come from one address, so there is no limit to what it may ask. */
const environment = (env: Record<string, string>) => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  NODE_OPTIONS: "",
  RATE_LIMIT_REQUESTS: "0",
  ...env
})

/** Starts node, or another `command`, with `args`. */
export const start = (
  args: ReadonlyArray<string>,
  env: Record<string, string> = {},
  cwd: string = folder(),
  command: string = process.execPath
): Child => {
  const started = performance.now()
  const child = spawn(command, args, {
    cwd,
    env: environment(env),
    stdio: ["ignore", "pipe", "pipe"]
  })
  children.add(child)
  let stdout = ""
  let stderr = ""
  const waiting = new Set<() => void>()
  const heard = () => {
    for (const check of waiting) check()
  }
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text
    heard()
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text
    heard()
  })
  const end = once(child, "close").then(([code, signal]): End => {
    children.delete(child)
    return { code, signal, afterMillis: performance.now() - started }
  })
  const output = () => `stdout:\n${stdout}\nstderr:\n${stderr}`
  const says = (pattern: RegExp, millis = 20_000) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const finish = (error?: Error) => {
        clearTimeout(timer)
        waiting.delete(check)
        if (error !== undefined) reject(error)
      }
      const check = () => {
        const match = pattern.exec(stdout) ?? pattern.exec(stderr)
        if (match === null) return
        finish()
        resolve(match)
      }
      const timer = setTimeout(
        () => finish(new Error(`never said ${pattern} within ${millis} ms\n${output()}`)),
        millis
      )
      waiting.add(check)
      void end.then(() => {
        check()
        finish(new Error(`ended before it said ${pattern}\n${output()}`))
      })
      check()
    })
  return {
    process: child,
    pid: child.pid!,
    folder: cwd,
    stdout: () => stdout,
    stderr: () => stderr,
    lines: () =>
      stdout.split("\n").flatMap((line) => {
        try {
          return line.startsWith("{") ? [JSON.parse(line) as Record<string, unknown>] : []
        } catch {
          return []
        }
      }),
    says,
    kill: (signal) => child.kill(signal),
    end
  }
}

/** Starts the service on free ports, a fast simulation and JSON lines, unless `env` says otherwise. */
export const serve = (env: Record<string, string> = {}, cwd?: string): Child =>
  start(
    [bin, "serve"],
    {
      SERVER_PORT: "0",
      SERVER_HOST: "127.0.0.1",
      STELLAR_SIMULATED_TRANSACTIONS: "5",
      LOG_FORMAT: "json",
      ...env
    },
    cwd
  )

/** Where a service that says it listens does so. */
export const url = async (child: Child): Promise<string> => {
  const match = await child.says(/(http:\/\/[\d.]+:\d+)/)
  await child.says(/"service_ready"|ready/)
  return match[1]!
}
