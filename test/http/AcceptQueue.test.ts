import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Net from "node:net"
import * as AcceptQueue from "../../src/http/AcceptQueue.js"

/** A listener, and the sockets that it was given and that are not the queue's own. */
const listening = Effect.acquireRelease(
  Effect.async<{
    server: Net.Server
    queue: AcceptQueue.AcceptQueue
    accepted: Array<Net.Socket>
    port: number
  }>((resume) => {
    const accepted: Array<Net.Socket> = []
    const server = Net.createServer()
    server.listen({ port: 0, host: "127.0.0.1", backlog: 64 }, () => {
      const queue = AcceptQueue.of(server, 64)
      server.on("connection", (socket) => {
        if (queue.isOurs(socket)) return void socket.destroy()
        accepted.push(socket)
      })
      const { port } = server.address() as Net.AddressInfo
      resume(Effect.succeed({ server, queue, accepted, port }))
    })
  }),
  ({ accepted, server }) =>
    Effect.sync(() => {
      for (const socket of accepted) socket.destroy()
      server.close()
    })
)

/** Connects; what became of it. */
const connect = (port: number): Promise<string> =>
  new Promise((resolve) => {
    const socket = Net.connect({ port, host: "127.0.0.1" })
    socket.once("connect", () => {
      resolve("connected")
      socket.once("error", () => {})
    })
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(String(error.code)))
  })

const seal = (queue: AcceptQueue.AcceptQueue) =>
  new Promise<boolean | undefined>((resolve) => setImmediate(() => queue.seal(resolve)))

describe.skipIf(process.platform !== "linux")("an accept queue (told by Linux alone)", () => {
  it.scopedLive(
    "that is empty is sealed: whoever comes then is not let in, and refused once it is closed",
    () =>
      Effect.gen(function* () {
        const { accepted, port, queue, server } = yield* listening
        const [sealed, late] = yield* Effect.promise(
          () =>
            new Promise<[boolean | undefined, Promise<string>]>((resolve) =>
              setImmediate(() =>
                queue.seal((verdict) => {
                  const late = connect(port)
                  process.nextTick(() => {
                    server.close()
                    resolve([verdict, late])
                  })
                })
              )
            )
        )
        assert.isTrue(sealed)
        // Its first packet was ignored, so it asks again after a second, and hears that nobody listens.
        assert.strictEqual(yield* Effect.promise(() => late), "ECONNREFUSED")
        assert.deepStrictEqual(accepted, [])
      })
  )

  it.scopedLive("in which somebody waits is not sealed, and takes others as before", () =>
    Effect.gen(function* () {
      const { accepted, port, queue } = yield* listening
      const clients: Array<Promise<string>> = []
      const sealed = yield* Effect.promise(
        () =>
          new Promise<boolean | undefined>((resolve) =>
            setImmediate(() => {
              clients.push(connect(port), connect(port))
              // Both handshakes are over before this, and nobody has accepted them.
              process.nextTick(() => queue.seal(resolve))
            })
          )
      )
      assert.isFalse(sealed)
      clients.push(...Array.from({ length: 20 }, () => connect(port)))
      assert.deepStrictEqual(
        yield* Effect.promise(() => Promise.all(clients)),
        clients.map(() => "connected")
      )
      yield* Effect.sleep("50 millis")
      assert.strictEqual(accepted.length, clients.length)
      assert.isTrue(yield* Effect.promise(() => seal(queue)), "and is sealed when they have been accepted")
    })
  )
})
