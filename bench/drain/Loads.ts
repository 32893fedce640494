/** The loads (a) to (e); (f) is in Specials. */
import type { Connection, Exchange } from "./Connection.js"
import { busy, echo, fast, slow, stream, upload } from "./Exchanges.js"
import type { Load, Stop } from "./Stop.js"

interface Client {
  /** When its connection opens, from the start (ms). */
  readonly opensAt: number
  /** How long it waits before its first request (ms). */
  readonly first: number
  /** How long it waits before each other request (ms). */
  readonly think: () => number
  readonly next: () => Exchange
  /** Asked before each request. */
  readonly more: () => boolean
  /** Closes its connection when it has no more to say, instead of keeping it for later. */
  readonly leaves?: boolean
}

/** One kept-alive connection that sends until it is closed, told to close, or has no more to say. */
const keptAlive = async (stop: Stop, client: Client): Promise<void> => {
  await stop.pause(client.opensAt)
  const connection = await stop.connect("open")
  if (connection === undefined) return
  await stop.pause(client.first, connection)
  while (connection.usable && client.more()) {
    await stop.ask(connection, client.next())
    await stop.pause(client.think(), connection)
  }
  if (client.leaves === true) connection.giveUp()
}

const times = <A>(count: number, make: (i: number) => A): Array<A> =>
  Array.from({ length: count }, (_, i) => make(i))

const terminateAt = async (stop: Stop, ms: number): Promise<void> => {
  await stop.pause(ms)
  stop.terminate()
}

const table: Load = {
  id: "a",
  title: "64 kept-alive clients, 0-20 ms think time",
  run: async (stop) => {
    const clients = times(64, (i) =>
      keptAlive(stop, {
        opensAt: i,
        first: 0,
        think: () => stop.random() * 20,
        next: () => fast,
        // A server that goes on answering is left alone after a while, its connections open as in a pool.
        more: () => stop.sinceSignal() < 1500
      })
    )
    await Promise.all([terminateAt(stop, 1000), ...clients])
  }
}

const quiet: Load = {
  id: "b",
  title: "512 kept-alive clients, 0-5 s think time, a third of them POST",
  run: async (stop) => {
    const clients = times(512, (i) =>
      keptAlive(stop, {
        opensAt: i / 2,
        first: stop.random() * 2000,
        think: () => stop.random() * 5000,
        next: () => (i % 3 === 0 ? echo(stop.random()) : fast),
        more: () => stop.sinceSignal() < 5500
      })
    )
    await Promise.all([terminateAt(stop, 3000), ...clients])
  }
}

const openRate: Load = {
  id: "c",
  title: "500 new connections a second, up to the signal and 400 ms beyond",
  run: async (stop) => {
    const signal = terminateAt(stop, 1000)
    const visits: Array<Promise<void>> = []
    const from = performance.now()
    const visit = async () => {
      const connection = await stop.connect("GET /fast")
      if (connection === undefined) {
        if (stop.signalledAt() === undefined) stop.notes["refused before the signal"] = "yes"
        return
      }
      await stop.ask(connection, fast)
      connection.giveUp()
    }
    while (stop.sinceSignal() < 400) {
      // Open loop: what is due by the clock is sent, however slow the answers are.
      while (visits.length < (performance.now() - from) / 2) visits.push(visit())
      await stop.pause(1)
    }
    await Promise.all([signal, ...visits])
  }
}

const blocked: Load = {
  id: "d",
  title: "event loop blocked for 30 ms at the signal, 160 new and 32 kept-alive requests meanwhile",
  run: async (stop) => {
    const asker = await stop.connect("open")
    const kept = await Promise.all(times(32, () => stop.connect("open")))
    const open = [asker, ...kept].filter((connection) => connection !== undefined)
    for (let i = 0; i < 20; i++) await Promise.all(open.map((connection) => stop.ask(connection, fast)))
    await stop.ask(asker!, busy(30))
    asker!.giveUp()
    // The block begins 2 ms after the answer; all of what follows falls into it.
    await stop.pause(5)
    const from = performance.now()
    stop.terminate()
    // Everybody leaves when answered: how long idle connections are kept is the subject of (b) and (f).
    const askAndLeave = async (connection: Connection | undefined) => {
      if (connection === undefined) return
      await stop.ask(connection, fast)
      connection.giveUp()
    }
    const visits: Array<Promise<unknown>> = []
    for (let i = 0; i < 160; i++) {
      while (performance.now() - from < i / 8) await stop.pause(1)
      visits.push(stop.connect("GET /fast").then(askAndLeave))
      const neighbour = i % 5 === 0 ? kept[i / 5] : undefined
      if (neighbour !== undefined) visits.push(askAndLeave(neighbour))
    }
    stop.notes["sent within (ms)"] = performance.now() - from
    await Promise.all(visits)
  }
}

const inFlight: Load = {
  id: "e",
  title: "16 uploads and 16 streams of 1 s each and 8 requests of 500 ms in flight at the signal",
  run: async (stop) => {
    const endless = (next: () => Exchange, opensAt: number, leaves = false) =>
      keptAlive(stop, {
        opensAt,
        leaves,
        first: 0,
        think: () => 0,
        next,
        more: () => stop.signalledAt() === undefined
      })
    await Promise.all([
      terminateAt(stop, 2000),
      ...times(16, (i) => endless(() => upload(1000), i * 60)),
      // Their response heads were out before the signal, so nothing can tell these clients to close; they do as downloads do.
      ...times(16, (i) => endless(() => stream(1000), i * 60 + 30, true)),
      ...times(8, (i) => endless(() => slow(500), i * 60))
    ])
  }
}

/** In the order of their letters. */
export const loads: ReadonlyArray<Load> = [table, quiet, openRate, blocked, inFlight]
