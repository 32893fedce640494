import { afterEach, assert, describe, it } from "@effect/vitest"
import { once } from "node:events"
import * as Net from "node:net"
import { type WebSocket, WebSocketServer } from "ws"
import { Connection } from "../../../src/drill/wire/Connection.js"
import type { Sent } from "../../../src/drill/wire/Outcome.js"
import { type Manner, WebSocketWire, upgrade } from "../../../src/drill/wire/WebSocketWire.js"

const open: Array<() => void> = []
afterEach(() => {
  for (const close of open.splice(0)) close()
})

const portOf = async (server: Net.Server | WebSocketServer): Promise<number> => {
  await once(server, "listening")
  return (server.address() as Net.AddressInfo).port
}

const connect = (port: number): Connection => {
  const connection = new Connection(port)
  open.push(() => connection.giveUp())
  return connection
}

/** A server of the `ws` package, judged by others long ago. */
const real = async (onSocket: (socket: WebSocket) => void): Promise<number> => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: true })
  server.on("connection", onSocket)
  open.push(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  return portOf(server)
}

/** What becomes of a handshake with a server that does with each socket what it is told once the first bytes are there. */
const handshake = async (answer: (socket: Net.Socket) => void): Promise<Sent> => {
  const sockets = new Set<Net.Socket>()
  const server = Net.createServer((socket) => {
    sockets.add(socket)
    socket.on("error", () => {})
    socket.once("data", () => answer(socket))
  })
  server.listen(0, "127.0.0.1")
  open.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const connection = connect(await portOf(server))
  await connection.opened
  return connection.request(upgrade("/ws"))
}

const connected = async (port: number, manner?: Manner): Promise<WebSocketWire> => {
  const connection = connect(port)
  assert.isTrue(await connection.opened)
  assert.deepInclude(await connection.request(upgrade("/ws")), { outcome: "complete", status: 101 })
  return new WebSocketWire(connection, manner)
}

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

describe("WebSocketWire", () => {
  it("speaks with a real server, in both directions and lengths", async () => {
    const port = await real((socket) =>
      socket.on("message", (data: Buffer) => socket.send(data.toString().toUpperCase()))
    )
    const wire = await connected(port)
    const texts = ["a", "b".repeat(200), "c".repeat(70_000)]
    for (const text of texts) wire.send(text)
    while (wire.said.length < 3) await pause(2)
    assert.deepStrictEqual(
      wire.said.map((one) => one.text),
      texts.map((text) => text.toUpperCase())
    )
    wire.close(1000)
    assert.deepInclude(await wire.closing, { code: 1000 })
    assert.strictEqual((await wire.ended).ending, "fin")
    assert.strictEqual(wire.fault, undefined)
  })

  it("answers the close of a server, and tells its code, its reason and what was said before", async () => {
    let heard!: (code: number) => void
    const code = new Promise<number>((resolve) => (heard = resolve))
    const port = await real((socket) => {
      socket.on("close", heard)
      socket.send("going")
      socket.close(1001, "stopping")
    })
    const wire = await connected(port)
    assert.deepInclude(await wire.closing, { code: 1001, reason: "stopping" })
    assert.strictEqual((await wire.ended).ending, "fin")
    assert.deepStrictEqual(
      wire.said.map((one) => one.text),
      ["going"]
    )
    assert.strictEqual(await code, 1001)
  })

  it("tells a close without a code, and an end without a close", async () => {
    const bare = await connected(await real((socket) => socket.close()))
    assert.deepInclude(await bare.closing, { code: 1005 })
    const gone = await connected(await real((socket) => socket.terminate()))
    assert.strictEqual(await gone.closing, undefined)
    assert.strictEqual((await gone.ended).ending, "fin")
  })

  it.each<[Manner, boolean]>([
    ["silent", true],
    ["dead", false]
  ])("one that is %s answers nothing; that it notices its end is %s", async (manner, notices) => {
    const heard: Array<string> = []
    const port = await real((socket) => {
      socket.on("pong", () => heard.push("pong"))
      socket.on("close", (code) => heard.push(String(code)))
      socket.ping()
      socket.close(1001)
      setTimeout(() => socket.terminate(), 150)
    })
    const wire = await connected(port, manner)
    const closing = await wire.closing
    assert.strictEqual(closing?.code, 1001)
    assert.deepStrictEqual(heard, [])
    const end = await Promise.race([wire.ended, pause(250)])
    assert.strictEqual(end !== undefined, notices)
    while (heard.length === 0) await pause(2)
    assert.deepStrictEqual(heard, ["1006"])
  })

  it.each<[string, (socket: Net.Socket) => void, Partial<Sent>]>([
    [
      "a refusal",
      (socket) => socket.end("HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno"),
      { outcome: "declined" }
    ],
    ["an end without a word", (socket) => socket.destroy(), { outcome: "dropped" }],
    [
      "a 101 without the proof",
      (socket) => socket.write("HTTP/1.1 101 X\r\nSec-WebSocket-Accept: x\r\n\r\n"),
      { outcome: "wrong" }
    ]
  ])("a handshake that ends in %s", async (_, answer, expected) => {
    assert.deepInclude(await handshake(answer), expected)
  })

  it("a server that breaks the protocol is found out", async () => {
    const wire = await connected(
      await real((socket) =>
        (socket as unknown as { _socket: Net.Socket })._socket.write(Buffer.from([0xf1, 0]))
      )
    )
    assert.strictEqual(await wire.closing, undefined)
    assert.strictEqual(wire.fault, "reserved bits are set")
  })
})
