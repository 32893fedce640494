/**
 * Kept-alive clients: a connection each, on which they send until it is closed, they are told to close, or they have no more to say.
 *
 * @module
 */
import type { Scenario, Stop } from "../Scenario.js"
import { times } from "../Scenario.js"
import type { Exchange } from "../wire/Exchange.js"

/** One such client. */
export interface Client {
  /** When its connection opens, from the start (ms). */
  readonly opensAt: number
  /** How long it waits before its first request (ms). */
  readonly first: number
  /** How long it waits before each other request (ms). */
  readonly think: () => number
  /** What it sends. */
  readonly next: () => Exchange
  /** Asked before each request. */
  readonly more: () => boolean
  /** Closes its connection when it has no more to say, instead of keeping it for later. */
  readonly leaves?: boolean
}

/** Runs a client to its end. */
export const client = async (stop: Stop, client: Client): Promise<void> => {
  await stop.pause(client.opensAt)
  const connection = await stop.connect("connect")
  if (connection === undefined) return
  await stop.pause(client.first, connection)
  while (connection.usable && client.more()) {
    await stop.ask(connection, client.next())
    await stop.pause(client.think(), connection)
  }
  if (client.leaves === true) connection.giveUp()
}

/** Sends the signal after this many milliseconds. */
export const terminateAt = async (stop: Stop, millis: number): Promise<void> => {
  await stop.pause(millis)
  stop.terminate()
}

/** Requests as an ordinary service gets them: a third of them POST, where a path for that is given. */
export const mixed = (stop: Stop, i: number): Exchange =>
  i % 3 === 0 && stop.targets.echo !== undefined
    ? stop.exchange("echo", { bytes: 100 + Math.floor(stop.random() * 8000) })
    : stop.exchange("fast")

/** Kept-alive clients that hardly think. */
export const busy: Scenario = {
  id: "kept-alive-busy",
  title: "kept-alive clients with 0-20 ms think time",
  scenarios: [2, 4],
  needs: ["fast"],
  run: async (stop) => {
    const clients = times(stop.connections, (i) =>
      client(stop, {
        opensAt: i,
        first: 0,
        think: () => stop.random() * 20,
        next: () => stop.exchange("fast"),
        // A service that goes on answering is left alone after a while, its connections open as in a pool.
        more: () => stop.sinceSignal() < 1500
      })
    )
    await Promise.all([terminateAt(stop, 600), ...clients])
  }
}

/** More of them, that think for long: many of their connections are idle at the signal. */
export const thoughtful: Scenario = {
  id: "kept-alive-thoughtful",
  title: "four times as many kept-alive clients with 0-5 s think time, a third of them POST",
  scenarios: [2, 3],
  needs: ["fast"],
  run: async (stop) => {
    const most = Math.min(5500, stop.graceMillis / 2)
    const clients = times(4 * stop.connections, (i) =>
      client(stop, {
        opensAt: i,
        first: stop.random() * 1500,
        think: () => stop.random() * 5000,
        next: () => mixed(stop, i),
        more: () => stop.sinceSignal() < most
      })
    )
    await Promise.all([terminateAt(stop, 1500), ...clients])
  }
}

/** Requests that take a while are in flight at the signal. */
export const slow: Scenario = {
  id: "slow-in-flight",
  title: "slow requests in flight at the signal",
  scenarios: [5, 13],
  needs: ["fast", "slow"],
  run: async (stop) => {
    const clients = times(Math.max(4, stop.connections / 4), (i) =>
      client(stop, {
        opensAt: i * 5,
        first: 0,
        think: () => 0,
        next: () => stop.exchange("slow", { millis: 500 }),
        more: () => stop.signalledAt() === undefined
      })
    )
    // Idle ones beside them: closing these must not take the busy ones along.
    const idle = times(4, async () => {
      const connection = await stop.connect("connect")
      if (connection !== undefined) await stop.ask(connection, stop.exchange("fast"))
    })
    await Promise.all([terminateAt(stop, 400), ...clients, ...idle])
  }
}

/** Requests sent in one write: the answers must all come. */
export const pipelined: Scenario = {
  id: "pipelined",
  title: "clients that send four requests in one write, one after another",
  scenarios: [],
  needs: ["fast"],
  run: async (stop) => {
    const one = async (i: number) => {
      await stop.pause(i * 3)
      const connection = await stop.connect("connect")
      while (connection?.usable === true && stop.sinceSignal() < 500) {
        await stop.pipeline(
          connection,
          times(4, () => stop.exchange("fast"))
        )
        await stop.pause(stop.random() * 10, connection)
      }
      connection?.giveUp()
    }
    const clients = times(Math.max(4, stop.connections / 4), one)
    await Promise.all([terminateAt(stop, 400), ...clients])
  }
}
