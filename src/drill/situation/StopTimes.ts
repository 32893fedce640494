/**
 * How long a stop takes: idle, under light and heavy load, and with WebSockets. The limits are those that operators were promised; what was measured is in
 * the notes as `stopped in`.
 *
 * @module
 */
import type { Scenario, Stop } from "../Scenario.js"
import type { Target } from "../Targets.js"
import type { Connection } from "../wire/Connection.js"
import type { Exchange } from "../wire/Exchange.js"
import { after, expectGone, join, later, warm } from "./Clients.js"

/** Asks without an end, and with `think()` ms between an answer and the next request, until the signal was sent or the connection is not to be used. */
const keepAsking = async (
  stop: Stop,
  connection: Connection,
  next: () => Exchange,
  think: () => number
): Promise<void> => {
  while (connection.usable && stop.signalledAt() === undefined) {
    await stop.ask(connection, next())
    await stop.pause(think(), connection)
  }
}

/** Some clients that ask in turn for what the service has. */
const load = async (
  stop: Stop,
  count: number,
  thinkMillis: number,
  choice: ReadonlyArray<() => Exchange>
): Promise<ReadonlyArray<Promise<void>>> =>
  (await warm(stop, count)).map((connection, i) =>
    later(keepAsking(stop, connection, choice[i % choice.length]!, () => stop.random() * thinkMillis))
  )

const timed = (
  what: string,
  title: string,
  limit: number,
  needs: ReadonlyArray<Target>,
  begin: (stop: Stop) => Promise<ReadonlyArray<Promise<void>>>
): Scenario => ({
  id: `stop-time-${what}`,
  title,
  scenarios: [],
  needs,
  settings: { SHUTDOWN_ANNOUNCE_DELAY: "0" },
  run: async (stop) => {
    const clients = await begin(stop)
    await stop.pause(500)
    stop.terminate()
    await expectGone(stop, `${title}: stopped within ${limit / 1000} s`, limit)
    stop.notes["stopped in"] = after(stop, (await stop.exited).at)
    await Promise.all(clients)
  }
})

const fast = (stop: Stop) => (): Exchange => stop.exchange("fast")

/** What of the service's paths makes load: those that are given. */
const mixture = (stop: Stop, slowMillis: number): ReadonlyArray<() => Exchange> => {
  const { echo, slow, stream, upload } = stop.targets
  return [
    fast(stop),
    ...(slow === undefined ? [] : [() => stop.exchange("slow", { millis: slowMillis })]),
    ...(echo === undefined ? [] : [() => stop.exchange("echo")]),
    ...(upload === undefined ? [] : [() => stop.exchange("upload", { sendMillis: slowMillis })]),
    ...(stream === undefined ? [] : [() => stop.exchange("stream", { millis: slowMillis })])
  ]
}

/** Idle, light and heavy load, WebSockets. */
export const stopTimes: ReadonlyArray<Scenario> = [
  timed("idle", "idle, two connections open", 2000, [], async (stop) => {
    await warm(stop, 2)
    return []
  }),
  timed("light", "light load, eight clients", 5000, [], (stop) => load(stop, 8, 100, mixture(stop, 300))),
  timed("heavy", "heavy load, all clients at once", 15_000, [], (stop) =>
    load(stop, stop.connections, 10, mixture(stop, 2000))
  ),
  timed("web-sockets", "sixteen WebSockets beside a light load", 10_000, ["ws"], async (stop) => {
    const members = await join(stop, 16)
    for (const { wire } of members) wire.send("hello")
    return load(stop, 8, 100, mixture(stop, 300))
  })
]
