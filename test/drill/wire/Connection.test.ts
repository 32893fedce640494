import * as Net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Connection } from "../../../src/drill/wire/Connection.js"
import { get, post } from "../../../src/drill/wire/Exchange.js"
import type { Sent } from "../../../src/drill/wire/Outcome.js"

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"ok":true}'

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

const block = (ms: number) => {
  const until = performance.now() + ms
  while (performance.now() < until);
}

/** Runs a client against a server whose connections are handled as given. */
const against = async <A>(
  handle: (socket: Net.Socket) => void,
  run: (connection: Connection, port: number) => Promise<A>,
  waited: (from: number, to: number) => number = () => 0
): Promise<A> => {
  const sockets = new Set<Net.Socket>()
  const server = Net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on("error", () => undefined)
    handle(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as Net.AddressInfo
  const connection = new Connection(port, { waited })
  try {
    assert.isTrue(await connection.opened)
    return await run(connection, port)
  } finally {
    connection.giveUp()
    for (const socket of sockets) socket.destroy()
    server.close()
  }
}

const onData = (reply: (socket: Net.Socket) => void) => (socket: Net.Socket) => {
  socket.on("data", () => reply(socket))
}

const fast = get("/fast", { check: (body) => body.toString() === '{"ok":true}' })

const ask = (connection: Connection): Promise<Sent> => connection.request(fast)

const upload = (millis: number) =>
  post("/upload", Buffer.alloc(64 * 1024, 120), { pieces: { count: 20, every: millis / 20 } })

describe("Connection", () => {
  it("completes, and goes on with the next request", () =>
    against(
      onData((socket) => socket.write(ok)),
      async (connection) => {
        for (let i = 0; i < 3; i++) {
          const sent = await ask(connection)
          assert.strictEqual(sent.outcome, "complete")
          assert.isAtLeast(sent.firstByteAt!, sent.sentAt)
        }
        assert.isTrue(connection.usable)
      }
    ))

  it("completes when the answer and the FIN come together", () =>
    against(
      onData((socket) => socket.end(ok)),
      async (connection) => {
        assert.strictEqual((await ask(connection)).outcome, "complete")
        assert.strictEqual((await connection.closed).ending, "fin")
        assert.strictEqual((await ask(connection)).outcome, "refused")
      }
    ))

  it("completes a response whose only end is the FIN", () =>
    against(
      onData((socket) => socket.end(ok.replace("Content-Length: 11\r\n", ""))),
      async (connection) => {
        const sent = await ask(connection)
        assert.strictEqual(sent.outcome, "complete")
        assert.isTrue(sent.close)
      }
    ))

  it("obeys Connection: close", () =>
    against(
      onData((socket) => socket.write(ok.replace("\r\n", "\r\nConnection: close\r\n"))),
      async (connection) => {
        assert.isTrue((await ask(connection)).close)
        assert.isFalse(connection.usable)
      }
    ))

  it.each([
    ["wrong", ok.replace("true", "fals")],
    ["wrong", ok.replace("200 OK", "500 Oops")],
    ["wrong", "220 mail.example.org ESMTP\r\n"],
    ["wrong", ok + "HTTP/1.1 200 OK\r\n"],
    ["declined", ok.replace("200 OK", "503 Service Unavailable")]
  ])("judges a whole answer: %s", (outcome, answer) =>
    against(
      onData((socket) => socket.write(answer)),
      async (connection) => assert.strictEqual((await ask(connection)).outcome, outcome)
    )
  )

  it("reads the answers to pipelined requests, however they are cut, and tells which have none", () =>
    against(
      onData((socket) => {
        const all = ok + ok.replace("true", "fals") + ok.slice(0, 30)
        socket.write(all.slice(0, 70))
        setTimeout(() => socket.end(all.slice(70)), 20)
      }),
      async (connection) => {
        const sent = await Promise.all(connection.pipeline([fast, fast, fast, fast]))
        assert.deepStrictEqual(
          sent.map(({ outcome }) => outcome),
          ["complete", "wrong", "cut", "dropped"]
        )
      }
    ))

  it("gives what follows a 101 to whoever took the connection over, none of it lost", () =>
    against(
      onData((socket) => socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\nfirst")),
      async (connection) => {
        const sent = await connection.request(get("/ws", { accept: [101] }))
        assert.strictEqual(sent.outcome, "complete")
        connection.write("x")
        await sleep(20)
        let text = ""
        connection.onRaw((bytes) => (text += bytes.toString()))
        assert.match(text, /^firstHTTP/)
        assert.isFalse(connection.usable)
      }
    ))

  it("calls a request dropped that was read and answered by FIN", () =>
    against(
      onData((socket) => void setTimeout(() => socket.end(), 30)),
      async (connection) => {
        const sent = await ask(connection)
        assert.strictEqual(sent.outcome, "dropped")
        assert.strictEqual(sent.ending, "fin")
      }
    ))

  it("calls a request dropped that was read and answered by closing, however soon", () =>
    against(
      onData((socket) => void socket.destroy()),
      async (connection) => {
        const sent = await ask(connection)
        // By the clock this could have been a race; the server's kernel knows that it was none.
        assert.isBelow(sent.doneAt - sent.sentAt, 100)
        assert.strictEqual(sent.outcome, "dropped")
        assert.strictEqual(sent.ending, "fin")
      }
    ))

  it("does not hold against a service what it could not see while others had the processor", () =>
    against(
      onData((socket) => void setTimeout(() => socket.end(), 30)),
      async (connection) => assert.strictEqual((await ask(connection)).outcome, "late"),
      (from, to) => to - from - 1
    ))

  it("calls a request dropped that lay unread when the server closed, however short before", async () => {
    let server: Net.Socket | undefined
    const sent = await against(
      (socket) => void (server = socket),
      async (connection) => {
        await sleep(20)
        // All in one turn, the other way round: the kernel has the request when the server closes.
        const answer = ask(connection)
        server!.destroy()
        return answer
      }
    )
    assert.strictEqual(sent.outcome, "dropped")
    assert.strictEqual(sent.ending, "reset")
    assert.strictEqual(sent.hit, "request")
  })

  it("calls a request late whose FIN was already here, however long the client did not look", async () => {
    let server: Net.Socket | undefined
    const sent = await against(
      (socket) => void (server = socket),
      async (connection) => {
        await sleep(20)
        // All in one turn: the kernel has the FIN, and then the RST that answers the request, before anyone looks.
        server!.destroy()
        const answer = ask(connection)
        block(40)
        return answer
      }
    )
    assert.strictEqual(sent.outcome, "late")
    assert.strictEqual(sent.ending, "fin")
    assert.isAbove(sent.doneAt - sent.sentAt, 30)
  })

  it("calls a request late that met the FIN of a server that goes on reading", async () => {
    let server: Net.Socket | undefined
    const sent = await against(
      (socket) => void (server = socket),
      async (connection) => {
        await sleep(20)
        server!.resume()
        // Told when the kernel has the FIN, and before this side looks.
        await new Promise<void>((resolve) => server!.end(resolve))
        const answer = ask(connection)
        block(40)
        return answer
      }
    )
    assert.strictEqual(sent.outcome, "late")
  })

  it("calls a response cut that began, and says when a reset did it", async () => {
    const cut = (end: (socket: Net.Socket) => void) =>
      against(
        onData((socket) => {
          socket.write(ok.slice(0, -3))
          setTimeout(() => end(socket), 20)
        }),
        ask
      )
    const byFin = await cut((socket) => socket.end())
    assert.strictEqual(byFin.outcome, "cut")
    assert.strictEqual(byFin.ending, "fin")
    assert.isUndefined(byFin.hit)
    const byReset = await cut((socket) => socket.resetAndDestroy())
    assert.strictEqual(byReset.outcome, "cut")
    assert.strictEqual(byReset.hit, "response")
  })

  it("calls a request hung that is neither answered nor closed", () =>
    against(
      () => undefined,
      async (connection) => {
        const answer = ask(connection)
        await sleep(20)
        connection.giveUp()
        assert.strictEqual((await answer).outcome, "hung")
      }
    ))

  it("stops an upload when a whole refusal comes first", () =>
    against(
      (socket) =>
        void socket.once("data", () =>
          socket.write("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        ),
      async (connection) => {
        const sent = await connection.request(upload(2000))
        assert.strictEqual(sent.outcome, "declined")
        assert.isBelow(sent.doneAt - sent.sentAt, 1000)
        assert.isFalse(connection.usable)
      }
    ))

  it("calls an upload dropped whose connection ends under it", () =>
    against(
      (socket) => void setTimeout(() => socket.destroy(), 100),
      async (connection) => {
        assert.strictEqual((await connection.request(upload(1000))).outcome, "dropped")
      }
    ))

  it("sees that nobody listens", async () => {
    const port = await against(
      () => undefined,
      (_, port) => Promise.resolve(port)
    )
    const connection = new Connection(port)
    assert.isFalse(await connection.opened)
    assert.strictEqual((await connection.closed).ending, "refused")
    assert.strictEqual((await ask(connection)).outcome, "refused")
  })
})
