/** Clients that do whatever is wrong, next to some that do nothing wrong, against the service as it is run. */
import { afterEach, assert, describe, it } from "@effect/vitest"
import * as Net from "node:net"
import { join } from "node:path"
import * as Child from "../support/Child.js"
import * as Fleet from "../support/Fleet.js"
import * as OutboxFile from "../support/OutboxFile.js"

const sockets = new Set<Net.Socket>()
/** How often the connections of those who come again have ended. */
const ended = { garbage: 0, flood: 0, fleeting: 0 }
let isOver = false

afterEach(() => {
  isOver = true
  for (const socket of sockets) socket.destroy()
  Fleet.clear()
  Child.clear()
})

/** What the hub has for its stop, and the drain for heads that are not complete. */
const websocketMillis = 2000
const idleGraceMillis = 1000
/** What a busy machine may add. */
const marginMillis = 8000

const upgrade =
  "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c3RlbGxhciBpbnNpZ2h0cw==\r\n\r\n"

/** A frame of a client, whose mask changes nothing. */
const frame = (payload: string | Buffer, first = 0x81): Buffer => {
  const body = Buffer.from(payload)
  const length = body.length < 126 ? [0x80 | body.length] : [0xfe, body.length >> 8, body.length & 255]
  return Buffer.concat([Buffer.from([first, ...length, 0, 0, 0, 0]), body])
}
const message = (what: object) => frame(JSON.stringify(what))

const channels = ["ledgers", "payments", "asset:native"]
const subscribe = message({ op: "subscribe", channels })
const everything = message({ op: "resume", token: "nobody's", lastEventId: 0, channels })

/** A connection of its own kind; it is not closed by itself when the server closes its side. */
const connect = (port: number): Net.Socket => {
  const socket = Net.connect({ port, host: "127.0.0.1", allowHalfOpen: true })
  sockets.add(socket)
  socket.on("error", () => {})
  socket.on("close", () => sockets.delete(socket))
  return socket
}

/** The first byte of a close frame. It may be in a length as well, which does no harm here. */
const closing = 0x88

/** Does it again, on a new connection, as long as there is somebody to annoy. Now and then it goes on until the connection is cut. */
const again = (kind: keyof typeof ended, act: (port: number) => Net.Socket) => {
  const annoy = (port: number): void => {
    if (isOver) return
    const socket = act(port)
    const isStubborn = Math.random() < 0.2
    socket.on("data", (chunk: Buffer) => {
      if (!isStubborn && chunk.includes(closing)) socket.destroy()
    })
    socket.on("end", () => socket.destroy())
    socket.on("close", () => {
      ended[kind]++
      setTimeout(() => annoy(port), 50)
    })
  }
  return annoy
}

const kinds: Readonly<Record<string, (port: number) => void>> = {
  /** Wants everything there is, twenty times, and reads a kilobyte of it now and then. */
  slow: (port) => {
    const socket = connect(port)
    socket.write(upgrade)
    for (let i = 0; i < 20; i++) socket.write(everything)
    socket.pause()
    const reading = setInterval(() => {
      if (socket.destroyed) return clearInterval(reading)
      socket.read(1024)
    }, 20)
  },
  /** Wants as much, and reads nothing. */
  silent: (port) => {
    const socket = connect(port)
    socket.write(upgrade)
    for (let i = 0; i < 100; i++) socket.write(everything)
    socket.pause()
  },
  /** Reads, and answers neither the close frame nor the end of the connection. */
  mute: (port) => {
    const socket = connect(port)
    socket.write(upgrade)
    socket.write(subscribe)
    socket.resume()
  },
  /** Says what is no message, what is no text, and what is no frame. */
  garbage: again("garbage", (port) => {
    const socket = connect(port)
    socket.resume()
    socket.write(upgrade)
    for (const text of ["", "{", "[]", '{"op":"toString"}', '{"op":"subscribe","channels":[1]}'])
      if (Math.random() < 0.5) socket.write(frame(text))
    if (Math.random() < 0.5)
      socket.write(frame(Buffer.from([0xff, 0xfe, 0xfd]), 0x81 + Math.floor(Math.random() * 2)))
    socket.write(Buffer.from(Array.from({ length: 500 }, () => Math.floor(Math.random() * 256))))
    return socket
  }),
  /** Says more than it may, for as long as it is let. */
  flood: again("flood", (port) => {
    const socket = connect(port)
    socket.resume()
    socket.write(upgrade)
    const many = Buffer.concat(Array.from({ length: 200 }, () => message({ op: "ping" })))
    const flooding = setInterval(() => {
      if (socket.destroyed) return clearInterval(flooding)
      if (!socket.writableNeedDrain) socket.write(many)
    }, 5)
    return socket
  }),
  /** Begins to ask for an upgrade. */
  half: (port) => void connect(port).write(upgrade.slice(0, 60)),
  /** Is gone as soon as it has asked. */
  fleeting: again("fleeting", (port) => {
    const socket = connect(port)
    socket.resume()
    socket.write(upgrade, () => setTimeout(() => socket.resetAndDestroy(), 5))
    return socket
  })
}

describe("nasty clients", () => {
  it("keep nothing from a good one, and hold up the stop no longer than its limit", async () => {
    isOver = false
    const child = Child.serve({
      STELLAR_SIMULATED_INTERVAL: "0.1",
      STELLAR_SIMULATED_TRANSACTIONS: "20",
      WS_QUEUE: "64kb",
      WS_RECONNECT_SPREAD: "60",
      SHUTDOWN_WEBSOCKET_TIMEOUT: String(websocketMillis / 1000),
      SHUTDOWN_IDLE_GRACE: String(idleGraceMillis / 1000)
    })
    const url = await Child.url(child)
    const port = Number(new URL(url).port)
    const fleet = await Fleet.start({
      url: `${url.replace("http", "ws")}/ws`,
      clients: 10,
      channelSets: [channels, ["ledgers"]],
      messageMillis: 200,
      saveMillis: 15_000,
      spreadMillis: 60_000
    })
    await fleet.connect(0)
    await fleet.until(({ live }) => live === fleet.size, "all subscribed")
    for (const annoy of Object.values(kinds)) for (let i = 0; i < 4; i++) annoy(port)
    const { events } = await fleet.counts()
    await fleet.until(
      (counts) =>
        Math.min(ended.garbage, ended.flood, ended.fleeting) >= 8 &&
        counts.waits.length >= 10 * fleet.size &&
        counts.events > events + 100 * fleet.size,
      "annoyed for long enough"
    )
    const { waits } = await fleet.counts()

    const signalled = performance.now()
    child.kill("SIGTERM")
    await fleet.until(({ byes, connected }) => byes === fleet.size && connected === 0, "all gone")
    const gone = performance.now() - signalled
    const { code } = await child.end
    const stopped = performance.now() - signalled
    isOver = true

    const median = waits.toSorted((a, b) => a - b)[waits.length >> 1]!
    console.log(
      `${waits.length} answers, median ${median} ms, longest ${Math.max(...waits)} ms; ended ${JSON.stringify(ended)}; the good were gone after ${Math.round(gone)} ms, the service after ${Math.round(stopped)} ms`
    )
    assert.strictEqual(code, 0, child.stdout())
    assert.isBelow(median, 500)
    assert.isBelow(stopped, idleGraceMillis + websocketMillis + marginMillis)
    // The others are waited for, the good ones do not wait.
    assert.isBelow(gone, stopped - 250)

    const outbox = OutboxFile.make(join(child.folder, "data/insights.db"))
    const seen = await fleet.compare(await outbox.more([channels, ["ledgers"]]))
    const { examples, told, whole } = await fleet.counts()
    assert.deepStrictEqual(examples, [])
    assert.deepStrictEqual(seen, { right: fleet.size, short: 0, wrong: 0 })
    assert.deepStrictEqual([told, whole], [fleet.size, fleet.size])

    const said = (event: string) => child.lines().filter(({ event_type }) => event_type === event)
    const [completed] = said("ws_shutdown_completed")
    // Those that are mute and those that are silent, at least.
    assert.isAtLeast(Number(completed?.terminated), 8)
    assert.isAtLeast(said("ws_shutdown_close_failed").length, 8)
    assert.isAtMost(Number(completed?.duration_ms), websocketMillis)
  }, 60_000)
})
