import * as Net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import type { Sent } from "../../bench/drain/Account.js"
import { Connection } from "../../bench/drain/Connection.js"
import { echo, fast, upload } from "../../bench/drain/Exchanges.js"

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"ok":true}'

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

const block = (ms: number) => {
  const until = performance.now() + ms
  while (performance.now() < until);
}

/** Runs a client against a server whose connections are handled as given. */
const against = async <A>(
  handle: (socket: Net.Socket) => void,
  run: (connection: Connection, port: number) => Promise<A>
): Promise<A> => {
  const sockets = new Set<Net.Socket>()
  const server = Net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on("error", () => undefined)
    handle(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as Net.AddressInfo
  const connection = new Connection(port)
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

const ask = (connection: Connection): Promise<Sent> => connection.request(fast)

describe("a connection of the drain bench", () => {
  it("completes, and goes on with the next request", () =>
    against(
      onData((socket) => socket.write(ok)),
      async (connection) => {
        for (let i = 0; i < 3; i++) assert.strictEqual((await ask(connection)).outcome, "complete")
        assert.isTrue(connection.usable)
      }
    ))

  it("completes when the answer and the FIN come together", () =>
    against(
      onData((socket) => socket.end(ok)),
      async (connection) => {
        assert.strictEqual((await ask(connection)).outcome, "complete")
        assert.strictEqual((await connection.closed).ending, "fin")
        const next = await ask(connection)
        assert.strictEqual(next.outcome, "refused")
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

  it("tells a wrong answer from the right one", () =>
    against(
      onData((socket) => socket.write(ok)),
      async (connection) => {
        assert.strictEqual((await connection.request(echo(0.5))).outcome, "wrong")
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
  })

  it("calls a request raced whose FIN was already here, however long the client did not look", async () => {
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
    assert.strictEqual(sent.outcome, "raced")
    assert.strictEqual(sent.ending, "fin")
    assert.isAbove(sent.doneAt - sent.sentAt, 30)
  })

  it("calls a response cut that began", () =>
    against(
      onData((socket) => socket.end(ok.slice(0, -3))),
      async (connection) => {
        assert.strictEqual((await ask(connection)).outcome, "cut")
      }
    ))

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
