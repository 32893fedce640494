/** A drill of one server in some situations, made small enough for a test. */
import * as Effect from "effect/Effect"
import { build } from "esbuild"
import { join } from "node:path"
import * as Drill from "../../../src/drill/Drill.js"
import type { DrillReport } from "../../../src/drill/DrillReport.js"
import type { Scenario } from "../../../src/drill/Scenario.js"
import { situations } from "../../../src/drill/situation/Situations.js"

const root = join(import.meta.dirname, "../../..")

/** The situations of these names, in this order. */
export const named = (...ids: ReadonlyArray<string>): ReadonlyArray<Scenario> =>
  ids.map((id) => {
    const found = situations.find((situation) => situation.id === id)
    if (found === undefined) throw new Error(`no situation ${id}`)
    return found
  })

const paths = {
  fast: "/fast",
  slow: "/slow?ms={ms}",
  upload: "/upload",
  sse: "/sse",
  ws: "/ws",
  ready: "/ready",
  live: "/live"
}

/** The server on node:http that does everything right, but for `fault`. */
export const plain = (fault: string, options: Partial<Drill.DrillOptions> = {}) =>
  Drill.run({
    command: `${process.execPath} ${join(root, "test/drill/servers-situation/wrong.mjs")} ${fault}`,
    url: "http://127.0.0.1:0",
    targets: paths,
    connections: 16,
    seed: 1,
    stops: 1,
    scenarios: situations,
    ...options
  })

/** Our own server: bundled into `folder`, as services are that want to start quickly. */
export const bundled = async (folder: string): Promise<string> => {
  const outfile = join(folder, "service.mjs")
  await build({
    entryPoints: [join(root, "test/drill/programs/service.ts")],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "warning",
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);'
    }
  })
  return outfile
}

/** A drill of our own server, bundled as `file`. */
export const ours = (file: string, scenarios: ReadonlyArray<Scenario>) =>
  Drill.run({
    command: `${process.execPath} ${file}`,
    url: "http://127.0.0.1:0",
    env: { SHUTDOWN_IDLE_GRACE: "500 millis", START_MS: "100", LOG_LEVEL: "warn" },
    shortGrace: { env: { SHUTDOWN_GRACEFUL_TIMEOUT: "1" }, graceMillis: 4000 },
    targets: {
      ...paths,
      echo: "/echo",
      stream: "/stream?ms={ms}",
      ready: "/health/ready",
      live: "/health/live"
    },
    connections: 16,
    seed: 1,
    stops: 1,
    scenarios
  })

/** What a drill found wrong, in lines. */
export const wrongs = ({ verdict }: DrillReport): ReadonlyArray<string> => [
  ...verdict.failed.map((one) => `${one.scenario}: ${one.name} (${one.detail})`),
  ...verdict.lost.map((one) => `${one.scenario}: ${one.request.kind} ${one.request.outcome}`)
]

/** Runs `drill` for each of `all`, some at a time, and says what each found wrong. */
export const several = <A>(
  atATime: number,
  all: ReadonlyArray<A>,
  drill: (one: A) => Effect.Effect<DrillReport, Drill.DrillError>
): Promise<ReadonlyArray<ReadonlyArray<string>>> =>
  Effect.runPromise(
    Effect.forEach(
      all,
      (one) =>
        Effect.match(drill(one), { onSuccess: wrongs, onFailure: ({ message }) => [`no drill: ${message}`] }),
      { concurrency: atATime }
    )
  )
