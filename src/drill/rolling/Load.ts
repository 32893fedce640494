/**
 * Requests at a fixed rate, whether or not the ones before have been answered, spread over kept-alive connections.
 *
 * @module
 */
import { Connection } from "../wire/Connection.js"
import type { Exchange } from "../wire/Exchange.js"
import type { Sent } from "../wire/Outcome.js"

/** One kind of request, and how often it is drawn. */
export interface Share {
  readonly weight: number
  readonly exchange: (random: () => number) => Exchange
}

/** What is sent, how fast, to where. */
export interface Options {
  readonly port: number
  /** Requests a second. */
  readonly rate: number
  readonly connections: number
  readonly mix: ReadonlyArray<Share>
  /** Uniform in [0, 1). */
  readonly random: () => number
}

/** A request that did not get the answer it should have: its times are of `performance.now()`. */
export type Loss = Sent

/** What the load has come to so far. */
export interface Counts {
  readonly requests: number
  readonly complete: number
  /** By method and path. */
  readonly kinds: Readonly<Record<string, number>>
  /** All that are not complete, `late` and `refused` among them: a client behind a balancer is owed an answer to everything. */
  readonly losses: ReadonlyArray<Loss>
  /** From the moment a request was due to its answer, of those that are complete, in milliseconds, unsorted. */
  readonly latencies: ReadonlyArray<number>
  /** Requests that were due and could not be sent, since no connection became free until the end. */
  readonly unsent: number
  /** Connections that were opened, the first ones included. */
  readonly opened: number
}

/** A load under way. */
export interface Load {
  readonly counts: () => Counts
  /** Sends nothing more, waits for answers for `patience` milliseconds, gives up on the others, and closes. */
  readonly stop: (patience: number) => Promise<Counts>
}

const draw = (mix: ReadonlyArray<Share>, random: () => number): Exchange => {
  const whole = mix.reduce((sum, { weight }) => sum + weight, 0)
  let at = random() * whole
  for (const { exchange, weight } of mix) {
    at -= weight
    if (at < 0) return exchange(random)
  }
  return mix.at(-1)!.exchange(random)
}

/** Begins at once. */
export const start = (options: Options): Load => {
  const { connections, mix, port, random, rate } = options
  const kinds: Record<string, number> = {}
  const losses: Array<Loss> = []
  const latencies: Array<number> = []
  const pending = new Set<Promise<void>>()
  const waiting: Array<number> = []
  let requests = 0
  let complete = 0
  let opened = 0
  const open = () => {
    opened++
    return new Connection(port)
  }
  const all = Array.from({ length: connections }, open)
  let turn = 0
  let isOver = false

  /** The next connection that can take a request; those that have ended are replaced on the way. */
  const free = (): Connection | undefined => {
    for (let i = 0; i < connections; i++) {
      turn = (turn + 1) % connections
      const connection = all[turn]!
      if (connection.usable) return connection
      if (connection.end !== undefined) all[turn] = open()
    }
    return undefined
  }

  const send = (connection: Connection, dueAt: number) => {
    const exchange = draw(mix, random)
    const asking = connection.request(exchange).then((sent) => {
      pending.delete(asking)
      requests++
      kinds[sent.kind] = (kinds[sent.kind] ?? 0) + 1
      if (sent.outcome === "complete") {
        complete++
        latencies.push(sent.doneAt - dueAt)
      } else losses.push(sent)
      // One that asked not to be used again closes; its place is taken when its turn comes.
      flush()
    })
    pending.add(asking)
  }

  /** Requests for which no connection was free wait, and their waiting counts. */
  const flush = () => {
    if (isOver) return
    while (waiting.length > 0) {
      const connection = free()
      if (connection === undefined) return
      send(connection, waiting.shift()!)
    }
  }

  const from = performance.now()
  let issued = 0
  let timer: NodeJS.Timeout | undefined
  const tick = () => {
    const now = performance.now()
    for (; from + (issued * 1000) / rate <= now; issued++) waiting.push(from + (issued * 1000) / rate)
    flush()
    timer = setTimeout(tick, Math.max(1, from + (issued * 1000) / rate - performance.now()))
  }
  timer = setTimeout(tick, 50)

  const counts = (): Counts => ({
    requests,
    complete,
    kinds,
    losses,
    latencies,
    unsent: waiting.length,
    opened
  })
  return {
    counts,
    stop: async (patience) => {
      clearTimeout(timer)
      const until = performance.now() + patience
      while ((pending.size > 0 || waiting.length > 0) && performance.now() < until) {
        flush()
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      isOver = true
      for (const connection of all) connection.giveUp()
      await Promise.all(pending)
      return counts()
    }
  }
}
