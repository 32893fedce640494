/**
 * What a scenario has in hand: connections to the service, its signal, and the record of all that happens.
 *
 * @module
 */
import { monitorEventLoopDelay } from "node:perf_hooks"
import type { Expectation } from "./DrillReport.js"
import * as Exchanges from "./Exchanges.js"
import type { Stop } from "./Scenario.js"
import * as Scheduling from "./Scheduling.js"
import type { Subject } from "./Subject.js"
import type { Checks, Targets } from "./Targets.js"
import { Connection } from "./wire/Connection.js"
import type { Sent } from "./wire/Outcome.js"

/** What a stop is made of. */
export interface StopOptions {
  /** The paths, complete. */
  readonly targets: Targets
  /** Judges of bodies. */
  readonly checks: Checks
  /** What {@link Stop.terminate} sends. */
  readonly signal: NodeJS.Signals
  /** See {@link Stop}. */
  readonly graceMillis: number
  /** See {@link Stop}. */
  readonly connections: number
  /** See {@link Stop}. */
  readonly random: () => number
  /** See {@link Stop}. */
  readonly usualReadyMillis: number | undefined
  /** See {@link Stop}. */
  readonly restart: () => Promise<number>
  /** Called when the first signal has been sent. */
  readonly onSignal: () => void
}

/** A {@link Stop} from the side of whoever runs it. */
export interface StopHandle {
  /** For the scenario. */
  readonly stop: Stop
  /** Every request so far. */
  readonly sent: ReadonlyArray<Sent>
  /** What the scenario found so far. */
  readonly expectations: ReadonlyArray<Expectation>
  /** The first signal that was sent; undefined before. */
  readonly firstSignal: () => NodeJS.Signals | undefined
  /** Resolves when no request is outstanding. */
  readonly settled: () => Promise<void>
  /** Ends every connection from this side, and with them what is outstanding. */
  readonly giveUp: () => void
  /** Lets whatever the scenario waits for, or begins from now on, wait for ever, and stops the measurement of the drill's own lag. */
  readonly abandon: () => void
  /** The longest time so far in which the drill did not look at its sockets, in milliseconds. */
  readonly lag: () => number
}

/** What an abandoned scenario waits for. It is not thrown anything: what runs side by side in it would fail with nobody to notice. */
const never = <A>(): Promise<A> => new Promise(() => {})

/** A handle for one stop of the service. */
export const make = (subject: Subject, options: StopOptions): StopHandle => {
  const { host, port } = subject
  const sent: Array<Sent> = []
  const expectations: Array<Expectation> = []
  const asks = new Set<Promise<Sent>>()
  const connections = new Set<Connection>()
  const pauses = new Set<NodeJS.Timeout>()
  const loop = monitorEventLoopDelay({ resolution: 2 })
  loop.enable()
  const scheduling = Scheduling.watch(subject.pid)
  let opened = 0
  let abandoned = false
  let signalledAt: number | undefined
  let firstSignal: NodeJS.Signals | undefined

  const ask = (answer: Promise<Sent>): Promise<Sent> => {
    const recorded = answer.then((one) => {
      asks.delete(recorded)
      sent.push(one)
      return one
    })
    asks.add(recorded)
    return recorded
  }
  const signal = (name: NodeJS.Signals) => {
    if (abandoned) return
    if (signalledAt !== undefined) return subject.signal(name)
    signalledAt = performance.now()
    firstSignal = name
    subject.signal(name)
    options.onSignal()
  }

  const stop: Stop = {
    targets: options.targets,
    host,
    port,
    graceMillis: options.graceMillis,
    connections: options.connections,
    random: options.random,
    notes: {},
    exchange: Exchanges.make(options.targets, options.checks, options.random),
    connect: async (kind) => {
      if (abandoned) return never()
      const at = performance.now()
      const connection = new Connection(port, { host, id: ++opened, waited: scheduling.waited })
      connections.add(connection)
      void connection.closed.then(() => connections.delete(connection))
      const isOpen = await connection.opened
      if (abandoned) return never()
      if (isOpen) return connection
      const { ending } = await connection.closed
      // Nothing was written, so nothing is lost, however long the refusal took.
      const doneAt = performance.now()
      if (kind !== undefined)
        sent.push({ kind, connection: 0, outcome: "refused", ending, sentAt: at, doneAt })
      return undefined
    },
    ask: async (connection, exchange) => {
      return abandoned ? never() : ask(connection.request(exchange))
    },
    pipeline: async (connection, exchanges) => {
      return abandoned ? never() : Promise.all(connection.pipeline(exchanges).map(ask))
    },
    record: (one) => void sent.push(one),
    pause: (millis, connection) =>
      new Promise((resolve) => {
        if (abandoned) return
        const end = () => {
          clearTimeout(timer)
          // Whoever was abandoned in the meantime goes on waiting.
          if (pauses.delete(timer)) resolve()
        }
        const timer = setTimeout(end, millis)
        pauses.add(timer)
        void connection?.closed.then(end)
      }),
    terminate: () => {
      if (signalledAt === undefined) signal(options.signal)
    },
    signal,
    signalledAt: () => signalledAt,
    sinceSignal: () => (signalledAt === undefined ? 0 : performance.now() - signalledAt),
    exited: subject.exited,
    usualReadyMillis: options.usualReadyMillis,
    ready: subject.ready,
    expect: (name, ok, detail = "") => void expectations.push({ name, ok, detail }),
    restart: async () => {
      return abandoned ? never() : options.restart()
    }
  }

  const giveUp = () => {
    for (const connection of connections) connection.giveUp()
  }
  return {
    stop,
    sent,
    expectations,
    firstSignal: () => firstSignal,
    settled: async () => {
      while (asks.size > 0) await Promise.all(asks)
    },
    giveUp,
    abandon: () => {
      abandoned = true
      loop.disable()
      scheduling.end()
      giveUp()
      for (const timer of pauses) clearTimeout(timer)
      pauses.clear()
    },
    lag: () => loop.max / 1e6
  }
}
