/** The load (f): single situations, each on a server of its own. Their figures are in the notes of the stop. */
import type { Outcome } from "./Account.js"
import type { Connection } from "./Connection.js"
import { fast, slow, stream } from "./Exchanges.js"
import type { Load, Stop } from "./Stop.js"

/** The limit of in-flight requests in `limit`, in seconds. */
export const limitSeconds = 1

const round = (ms: number): number => Math.round(ms * 10) / 10

const warm = async (stop: Stop, count: number): Promise<Array<Connection>> => {
  const connections: Array<Connection> = []
  for (let i = 0; i < count; i++) {
    const connection = await stop.connect("open")
    if (connection === undefined) continue
    await stop.ask(connection, fast)
    connections.push(connection)
  }
  return connections
}

/** Sends a request on a connection that the client holds for usable, and says what came of it. */
const ask = async (stop: Stop, connection: Connection): Promise<string> => {
  if (!connection.usable) return `closed (${(await connection.closed).ending})`
  const sent = await stop.ask(connection, fast)
  const kept = sent.close === true ? ", close" : sent.status === undefined ? "" : ", keep-alive"
  const answers: Partial<Record<Outcome, string>> = { complete: "answered", declined: "503", hung: "never" }
  return (answers[sent.outcome] ?? sent.outcome) + kept
}

const late: Load = {
  id: "late",
  title: "requests on kept-alive connections 300 ms after the signal, while a slow one drains",
  run: async (stop) => {
    const [one, idleBefore, busyBefore] = await warm(stop, 3)
    await stop.pause(100)
    const slowest = stop.ask(one!, slow(1000))
    const earlier = stop.ask(busyBefore!, slow(250))
    await stop.pause(100)
    stop.terminate()
    const { close } = await earlier
    await stop.pause(150)
    const [onIdle, onBusy] = await Promise.all([
      ask(stop, idleBefore!),
      close === true ? "told to close" : ask(stop, busyBefore!)
    ])
    stop.notes["late on idle"] = onIdle
    stop.notes["late on busy"] = onBusy
    await slowest
  }
}

const withHalfOpen = (id: string, title: string, halfOpen: number): Load => ({
  id,
  title,
  run: async (stop) => {
    const [one] = await warm(stop, 1)
    for (let i = 0; i < halfOpen; i++) {
      const connection = await stop.connect("open")
      // Two of five have begun a request head and never finish it.
      if (i % 2 === 1) connection?.write("GET /fast HTTP/1.1\r\nhost: 127")
    }
    await stop.pause(100)
    const slowest = stop.ask(one!, slow(300))
    await stop.pause(50)
    stop.terminate()
    await slowest
  }
})

const streamed: Load = {
  id: "streamed",
  title: "a stream of 600 ms in flight, whose client keeps the connection for later",
  run: async (stop) => {
    const [one] = await warm(stop, 1)
    const answer = stop.ask(one!, stream(600))
    await stop.pause(300)
    stop.terminate()
    await answer
  }
}

const idle: Load = {
  id: "idle",
  title: "five idle kept-alive connections and nothing else",
  run: async (stop) => {
    const connections = await warm(stop, 5)
    await stop.pause(100)
    stop.terminate()
    const from = stop.signalledAt()!
    const endings = await Promise.all(connections.map((connection) => connection.closed))
    const last = Math.max(...endings.map((end) => end.at))
    const graceful = endings.every((end) => end.ending === "fin")
    if (endings.every((end) => end.ending !== "given up"))
      stop.notes["idle closed after"] = round(last - from)
    stop.notes["idle closed by"] = graceful ? "FIN" : endings.map((end) => end.ending).join(", ")
  }
}

const limit: Load = {
  id: "limit",
  title: `a request of 60 s with a limit of ${limitSeconds} s`,
  env: { SHUTDOWN_GRACEFUL_TIMEOUT: String(limitSeconds) },
  run: async (stop) => {
    const [one] = await warm(stop, 1)
    const endless = stop.ask(one!, slow(60_000))
    await stop.pause(100)
    stop.terminate()
    const from = stop.signalledAt()!
    const sent = await endless
    if (sent.outcome !== "hung") stop.notes["cut after"] = round(sent.doneAt - from)
    const how = sent.status === undefined ? sent.ending : `status ${sent.status}`
    stop.notes["cut as"] = sent.outcome === "hung" ? "never" : `(${how})`
  }
}

/** In the order in which the report shows them. */
export const specials: ReadonlyArray<Load> = [
  late,
  withHalfOpen("alone", "a request of 300 ms in flight", 0),
  withHalfOpen("half-open", "the same beside five half-open connections", 5),
  streamed,
  idle,
  limit
]
