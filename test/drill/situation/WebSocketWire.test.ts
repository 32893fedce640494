import { afterEach, assert, describe, it } from "@effect/vitest"
import { once } from "node:events"
import * as Net from "node:net"
import { type WebSocket, WebSocketServer } from "ws"
import { type Handshake, WebSocketWire } from "../../../src/drill/wire/WebSocketWire.js"

const open: Array<{ close: () => void }> = []
afterEach(() => {
  for (const one of open.splice(0)) one.close()
})

const portOf = async (server: Net.Server | WebSocketServer): Promise<number> => {
  await once(server, "listening")
  return (server.address() as Net.AddressInfo).port
}

const client = (options: ConstructorParameters<typeof WebSocketWire>[0]): WebSocketWire => {
  const wire = new WebSocketWire(options)
  open.push({ close: () => wire.giveUp() })
  return wire
}

/** A server of the `ws` package, judged by others long ago. */
const real = async (onSocket: (socket: WebSocket) => void): Promise<number> => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: true })
  server.on("connection", onSocket)
  open.push({
    close: () => {
      for (const socket of server.clients) socket.terminate()
      server.close()
    }
  })
  return portOf(server)
}

/** A server that does with each socket what it is told once the first bytes are there. */
const raw = async (answer: (socket: Net.Socket, request: string) => void): Promise<number> => {
  const sockets = new Set<Net.Socket>()
  const server = Net.createServer((socket) => {
    sockets.add(socket)
    socket.on("error", () => {})
    socket.once("data", (chunk: Buffer) => answer(socket, chunk.toString("latin1")))
  })
  server.listen(0, "127.0.0.1")
  open.push({
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    }
  })
  return portOf(server)
}

const connected = async (port: number, responsive = true): Promise<WebSocketWire> => {
  const wire = client({ port, responsive })
  assert.isTrue(await wire.opened)
  assert.deepStrictEqual(await wire.upgrade("/ws"), { outcome: "open" })
  return wire
}

const handshake = async (answer: (socket: Net.Socket, request: string) => void): Promise<Handshake> => {
  const wire = client({ port: await raw(answer) })
  await wire.opened
  return wire.upgrade("/ws")
}

describe("WebSocketWire", () => {
  it("speaks with a real server, in both directions and lengths", async () => {
    const port = await real((socket) =>
      socket.on("message", (data: Buffer) => socket.send(data.toString().toUpperCase()))
    )
    const wire = await connected(port)
    const texts = ["a", "b".repeat(200), "c".repeat(70_000)]
    for (const text of texts) wire.send(text)
    while (wire.said.length < 3) await new Promise((resolve) => setTimeout(resolve, 2))
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

  it("one that is not responsive answers nothing and stays until it is terminated", async () => {
    let ended = false
    const port = await real((socket) => {
      socket.on("close", () => (ended = true))
      socket.ping()
      socket.on("pong", () => assert.fail("answered a ping"))
      socket.close(1001)
      setTimeout(() => socket.terminate(), 150)
    })
    const from = performance.now()
    const wire = await connected(port, false)
    const closing = await wire.closing
    assert.strictEqual(closing?.code, 1001)
    assert.isFalse(ended)
    const end = await wire.ended
    assert.isAbove(end.at - from, 140)
    assert.strictEqual(end.ending, "fin")
  })

  it.each<[string, (socket: Net.Socket, request: string) => void, Partial<Handshake>]>([
    [
      "a refusal with a body",
      (socket) => socket.end("HTTP/1.1 503 No\r\nRetry-After: 10\r\nContent-Length: 2\r\n\r\nno"),
      { outcome: "declined", status: 503, head: "retry-after: 10\r\ncontent-length: 2" }
    ],
    [
      "a refusal that lasts until the end",
      (socket) => socket.end("HTTP/1.1 404 No\r\n\r\nno"),
      { outcome: "declined", status: 404 }
    ],
    [
      "a refusal in chunks",
      (socket) => socket.write("HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n"),
      { outcome: "declined", status: 503 }
    ],
    [
      "a refusal without its end",
      (socket) => socket.end("HTTP/1.1 503 No\r\nContent-Length: 20\r\n\r\nno"),
      { outcome: "cut", why: "fin" }
    ],
    ["an end without a word", (socket) => socket.end(), { outcome: "dropped", why: "fin" }],
    ["a reset", (socket) => socket.resetAndDestroy(), { outcome: "dropped", why: "reset" }],
    ["another language", (socket) => socket.end("SSH-2.0\r\n\r\n"), { outcome: "wrong" }],
    [
      "a 101 without proof",
      (socket) => socket.write("HTTP/1.1 101 X\r\nSec-WebSocket-Accept: x\r\n\r\n"),
      { outcome: "wrong" }
    ]
  ])("tells %s", async (_, answer, expected) => {
    assert.deepInclude(await handshake(answer), expected)
  })

  it("tells a refused connection from one that was closed before anything was asked", async () => {
    const server = Net.createServer()
    server.listen(0, "127.0.0.1")
    const port = await portOf(server)
    server.close()
    await once(server, "close")
    const refused = client({ port })
    assert.isFalse(await refused.opened)
    assert.strictEqual((await refused.ended).ending, "refused")
    assert.deepStrictEqual(await refused.upgrade("/"), { outcome: "refused", why: "refused" })
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
