/** The service as it is shipped, over a database of simulated payments. */
import type { ChildProcess } from "node:child_process"
import { spawn, spawnSync } from "node:child_process"
import { buildSync } from "esbuild"
import Driver from "better-sqlite3"
import { once } from "node:events"
import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { say } from "../support/Table.js"

const root = fileURLToPath(new URL("../../", import.meta.url))

/** Payments to a transaction, a little less than there are. */
const paymentsPerTransaction = 1.132

/** Bundles the service, and gives the file to run. */
export const bundle = (): string => {
  const outdir = Path.join(root, "node_modules/.bench/service")
  buildSync({
    entryPoints: [Path.join(root, "src/main.ts")],
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    platform: "node",
    target: "node20",
    format: "esm",
    external: ["better-sqlite3"],
    banner: {
      js: "import { createRequire as benchRequire } from 'node:module'; const require = benchRequire(import.meta.url)"
    },
    logLevel: "error"
  })
  return Path.join(outdir, "main.mjs")
}

/** Transactions in each ledger of the database: many, so that it is made of few. */
const transactions = 490

const count = (filename: string): number => {
  const database = new Driver(filename, { readonly: true })
  try {
    return (database.prepare("SELECT count(*) AS count FROM payment").get() as { count: number }).count
  } finally {
    database.close()
  }
}

/**
 * A database of so many payments, which is kept in the folder for temporary files: made by the service's own backfill when it is not there or not complete.
 */
export const database = (program: string, payments: number): string => {
  const ledgers = Math.ceil(payments / (transactions * paymentsPerTransaction))
  const filename = Path.join(Os.tmpdir(), `stellar-insights-bench-api-${transactions}x${ledgers}.db`)
  const from = performance.now()
  const { status } = spawnSync(
    process.execPath,
    [program, "backfill", "--from", "2", "--to", String(ledgers + 1)],
    {
      stdio: ["ignore", "ignore", "inherit"],
      env: {
        ...process.env,
        DATABASE_URL: `sqlite:${filename}`,
        STELLAR_SOURCE: "simulated",
        STELLAR_SIMULATED_TRANSACTIONS: String(transactions),
        LOG_LEVEL: "warning"
      }
    }
  )
  if (status !== 0) throw new Error(`the backfill of ${filename} ended with ${status}`)
  const seconds = Math.round((performance.now() - from) / 1000)
  const size = Math.round(Fs.statSync(filename).size / 2 ** 20)
  say(`${filename}: ${count(filename)} payments in ${ledgers} ledgers, ${size} MiB; ready after ${seconds} s`)
  return filename
}

/** A port that nobody has, of those that no outgoing connection is given. */
const freePort = async (): Promise<number> => {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    const server = Net.createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false))
      server.listen(port, "127.0.0.1", () => resolve(true))
    })
    if (!isFree) continue
    server.close()
    await once(server, "close")
    return port
  }
}

/** A service that runs. */
export interface Running {
  readonly port: number
  readonly pid: number
  /** Asks for JSON. */
  readonly ask: (path: string) => Promise<Record<string, unknown>>
  /** Stops it, and gives its exit code. */
  readonly stop: () => Promise<number | null>
}

const startLimit = 120_000

/** Runs the service on a copy of a database, with a simulated ledger of `perLedger` transactions every second, until its scores are made. The copy lies in `folder`. */
export const start = async (
  program: string,
  original: string,
  folder: string,
  perLedger: number
): Promise<Running> => {
  const filename = Path.join(folder, "insights.db")
  Fs.copyFileSync(original, filename)
  const port = await freePort()
  const child: ChildProcess = spawn(process.execPath, [program, "serve"], {
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      ...process.env,
      NODE_ENV: "production",
      // All requests come from one address.
      RATE_LIMIT_REQUESTS: "0",
      SERVER_HOST: "127.0.0.1",
      SERVER_PORT: String(port),
      DATABASE_URL: `sqlite:${filename}`,
      STELLAR_SOURCE: "simulated",
      STELLAR_SIMULATED_TRANSACTIONS: String(perLedger),
      STELLAR_SIMULATED_INTERVAL: "1",
      LOG_LEVEL: "warning"
    }
  })
  const exited = once(child, "exit") as Promise<[number | null]>
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`)
    return (await response.json()) as Record<string, unknown>
  }
  const isWarm = async (): Promise<boolean> => {
    try {
      return ((await ask("/api/corridors"))["corridors"] as ReadonlyArray<unknown>).length > 0
    } catch {
      return false
    }
  }
  const from = performance.now()
  while (!(await isWarm())) {
    if (child.exitCode !== null || performance.now() - from > startLimit) {
      child.kill("SIGKILL")
      throw new Error("the service did not come to give corridors")
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  return {
    port,
    pid: child.pid!,
    ask,
    stop: async () => {
      child.kill("SIGTERM")
      return (await exited)[0]
    }
  }
}
