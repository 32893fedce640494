/** What the drill needs to know to drill this service itself. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Fs from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { DrillOptions } from "../../drill/DrillOptions.js"

/** A word that a command line is taken apart to again. */
const quoted = (word: string): string =>
  /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`

/** No ledger comes after this one: who asks for the next waits until the time is over, or until the service stops. */
const lastSequence = 2 ** 32 - 1

/** A ledger has all its parts. */
const isLedgers = (body: Buffer): boolean => {
  try {
    const value = JSON.parse(body.toString()) as { readonly ledgers?: ReadonlyArray<unknown> }
    return Array.isArray(value.ledgers)
  } catch {
    return false
  }
}

/**
 * This very program as a service with a simulated network, and a database in a folder that is removed with the scope. Settings in the environment of the drill
 * reach it, so it is drilled as it is configured. Its long poll is what is slow; it is answered at once when the service stops, so nothing outlasts the
 * grace, and the scenarios that need a request that does are left out.
 */
export const options: Effect.Effect<
  Pick<DrillOptions, "name" | "command" | "cwd" | "url" | "env" | "targets" | "checks">,
  never,
  Scope.Scope
> = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.promise(() => Fs.mkdtemp(join(tmpdir(), "stellar-insights-drill-"))),
    (made) => Effect.promise(() => Fs.rm(made, { recursive: true, force: true }))
  )
  const program = [process.execPath, ...process.execArgv, process.argv[1]!, "serve"]
  return {
    name: "stellar-insights serve",
    command: program.map(quoted).join(" "),
    cwd: folder,
    url: "http://127.0.0.1:0",
    env: {
      SERVER_HOST: "127.0.0.1",
      SERVER_PORT: "{port}",
      DATABASE_URL: `sqlite:${join(folder, "insights.db")}`,
      STELLAR_SOURCE: "simulated",
      STELLAR_SIMULATED_INTERVAL: "1",
      // All of the drill's clients have one address.
      RATE_LIMIT_REQUESTS: "0",
      LOG_FORMAT: "json"
    },
    targets: {
      fast: "/api/ledgers?limit=1",
      slow: `/api/ledgers/next?after=${lastSequence}&timeout=1`,
      ws: "/ws",
      sse: "/api/events?channels=ledgers",
      ready: "/health/ready",
      live: "/health/live"
    },
    checks: { fast: isLedgers }
  }
})
