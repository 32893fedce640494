import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { connect, request } from "./support/RawClient.js"
import { serve, start } from "./support/Harness.js"

const upgrade = (path: string, protocol = "websocket") =>
  request("GET", path, `connection: upgrade\r\nupgrade: ${protocol}\r\n`)

describe("Upgrades", () => {
  it.scopedLive("a socket goes to whoever registered for the path, for as long as that is registered", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const scope = yield* Scope.make()
      yield* server.upgrades
        .register("/ws", (request, socket) => {
          socket.write(`HTTP/1.1 101 Switching Protocols\r\n\r\n`)
          socket.on("end", () => socket.end())
          socket.on("data", (chunk: Buffer) => socket.write(`${request.url} ${chunk.toString()}`))
        })
        .pipe(Scope.extend(scope))
      const client = yield* connect(server.port)
      yield* client.send(upgrade("/ws?token=1"))
      assert.strictEqual((yield* client.answer()).status, 101)
      assert.deepInclude(server.inFlight.unsafeNumbers(), { upgraded: 1, connections: 0, requests: 0 })
      yield* client.send("hello")
      yield* client.until(() => client.text === "/ws?token=1 hello")
      client.socket.destroy()
      yield* Effect.sleep("20 millis")
      assert.deepInclude(server.inFlight.unsafeNumbers(), { upgraded: 0 })
      yield* Scope.close(scope, Exit.void)
      const later = yield* connect(server.port)
      yield* later.send(upgrade("/ws"))
      assert.strictEqual((yield* later.answer()).status, 404)
      assert.strictEqual(yield* later.ended, "fin")
    })
  )

  it.scopedLive(
    "scenario 16: an upgrade that races the stop is refused with 503 and Retry-After; one before it is tracked",
    () =>
      Effect.gen(function* () {
        const server = yield* serve()
        yield* server.upgrades.register("/ws", (_, socket) => {
          socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n")
        })
        const before = yield* connect(server.port)
        const racing = yield* connect(server.port)
        yield* before.send(upgrade("/ws"))
        assert.strictEqual((yield* before.answer()).status, 101)
        const draining = yield* start(server.drain)
        yield* racing.send(upgrade("/ws"))
        const answer = yield* racing.answer()
        assert.strictEqual(answer.status, 503)
        assert.strictEqual(answer.headers["retry-after"], "10")
        assert.strictEqual(yield* racing.ended, "fin")
        // The drain does not wait for upgraded sockets, and leaves them to their owner.
        assert.isBelow(yield* Fiber.join(draining), 250)
        yield* server.close
        assert.strictEqual(before.end, undefined)
        assert.strictEqual(server.inFlight.unsafeNumbers().upgraded, 1)
      })
  )

  it.scopedLive("an offer of another protocol that nobody takes up is ignored: the request is answered", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const client = yield* connect(server.port)
      yield* client.send(upgrade("/", "h2c"))
      const answer = yield* client.answer()
      assert.strictEqual(answer.body, "hello")
      assert.strictEqual(answer.headers["connection"], "close")
      assert.strictEqual(yield* client.ended, "fin")
      assert.deepInclude(server.inFlight.unsafeNumbers(), { requests: 0, answered: 1 })
    })
  )
})
