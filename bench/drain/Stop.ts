/** One stop of one server under one load. */
import { monitorEventLoopDelay } from "node:perf_hooks"
import type { Exit, Target } from "../support/Target.js"
import type { Sent, Tally } from "./Account.js"
import { tally } from "./Account.js"
import type { Exchange } from "./Connection.js"
import { Connection } from "./Connection.js"

/** What a load has in hand while it runs against a server. */
export interface Stop {
  readonly port: number
  /** Uniform in [0, 1), from the seed. */
  readonly random: () => number
  /** Facts of this stop beside the requests: milliseconds, or words to be counted over the stops. */
  readonly notes: Record<string, number | string>
  /** Opens a connection; undefined when it was refused, which is recorded under `kind`. */
  readonly connect: (kind?: string) => Promise<Connection | undefined>
  /** Sends a request and records it. */
  readonly ask: (connection: Connection, exchange: Exchange) => Promise<Sent>
  /** Waits, but no longer than the connection lives. */
  readonly pause: (ms: number, connection?: Connection) => Promise<void>
  /** Sends SIGTERM, once. */
  readonly terminate: () => void
  /** When the signal was sent, of `performance.now()`; undefined before. */
  readonly signalledAt: () => number | undefined
  /** Milliseconds since the signal; 0 before. */
  readonly sinceSignal: () => number
  /** The exit of the server, also when it had to be killed. */
  readonly exited: Promise<Exit>
}

/** A way to load a server around its signal. */
export interface Load {
  readonly id: string
  readonly title: string
  /** Settings of the server, in its environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Resolves when nothing more will be sent. Must call `terminate`. */
  readonly run: (stop: Stop) => Promise<void>
}

/** What one stop showed. */
export interface StopResult extends Tally {
  readonly server: string
  readonly load: string
  /** From the signal to the exit; undefined when the server had to be killed. */
  readonly exitAfterSignal: number | undefined
  /** From the last whole response, or the signal if that was later, to the exit. */
  readonly exitAfterSlowest: number | undefined
  /** Exit code, the name of a signal, or `never`. */
  readonly exit: string
  /** The longest time in which the bench itself did not look at its sockets (ms). */
  readonly lag: number
  readonly notes: Readonly<Record<string, number | string>>
}

/** How long connections are left to end by themselves once the server's process is gone (ms). */
const afterExit = 4000

/**
 * Runs a load. `active` resolves when the load sends nothing more; `result` when the server is gone, or was killed
 * because `cap` milliseconds had passed since the signal.
 */
export const runStop = (
  target: Target,
  load: Load,
  options: { readonly random: () => number; readonly cap: number }
): { readonly active: Promise<void>; readonly result: Promise<StopResult> } => {
  const sent: Array<Sent> = []
  const asks = new Set<Promise<Sent>>()
  const connections = new Set<Connection>()
  const notes: Record<string, number | string> = {}
  const loop = monitorEventLoopDelay({ resolution: 2 })
  loop.enable()
  let signalledAt: number | undefined
  let killed = false
  let cap: NodeJS.Timeout | undefined
  const giveUp = () => {
    for (const connection of connections) connection.giveUp()
    target.signal("SIGKILL")
  }
  const open = (): Connection => {
    const connection = new Connection(target.port)
    connections.add(connection)
    void connection.closed.then(() => connections.delete(connection))
    return connection
  }
  const stop: Stop = {
    port: target.port,
    random: options.random,
    notes,
    exited: target.exited,
    connect: async (kind) => {
      const at = performance.now()
      const connection = open()
      if (await connection.opened) return connection
      const { ending } = await connection.closed
      // Nothing was written, so nothing is lost, however long the refusal took.
      if (kind !== undefined)
        sent.push({ kind, outcome: "refused", ending, sentAt: at, doneAt: performance.now() })
      return undefined
    },
    ask: (connection, exchange) => {
      const answer = connection.request(exchange)
      asks.add(answer)
      return answer.then((one) => {
        asks.delete(answer)
        sent.push(one)
        return one
      })
    },
    pause: (ms, connection) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, ms)
        void connection?.closed.then(() => {
          clearTimeout(timer)
          resolve()
        })
      }),
    terminate: () => {
      if (signalledAt !== undefined) return
      signalledAt = performance.now()
      target.signal("SIGTERM")
      cap = setTimeout(() => {
        killed = true
        giveUp()
      }, options.cap)
    },
    signalledAt: () => signalledAt,
    sinceSignal: () => (signalledAt === undefined ? 0 : performance.now() - signalledAt)
  }

  const active = load
    .run(stop)
    .catch((error: unknown) => {
      giveUp()
      throw error
    })
    .finally(() => loop.disable())

  const collect = async (): Promise<StopResult> => {
    const exit = await target.exited
    clearTimeout(cap)
    if (signalledAt === undefined) {
      giveUp()
      throw new Error(`${target.name} ended before it was told to, in load ${load.id}\n${target.complaint()}`)
    }
    // The kernel closes what the process leaves; a client whose first packet was ignored asks again after 1 s, then 2 s.
    await Promise.race([
      Promise.all([active, ...asks]),
      new Promise((resolve) => setTimeout(resolve, afterExit))
    ])
    giveUp()
    await active
    const counted = tally(sent, signalledAt)
    const slowest = Math.max(signalledAt, counted.lastWholeAt ?? 0)
    return {
      ...counted,
      server: target.name,
      load: load.id,
      exitAfterSignal: killed ? undefined : exit.at - signalledAt,
      exitAfterSlowest: killed ? undefined : exit.at - slowest,
      exit: killed ? "never" : String(exit.code ?? exit.signal),
      lag: loop.max / 1e6,
      notes
    }
  }
  return { active, result: collect() }
}
