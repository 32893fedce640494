import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Net from "node:net"
import { connect as rawConnect, request } from "../http/support/RawClient.js"
import * as EventLog from "../../src/realtime/EventLog.js"
import * as SessionStore from "../../src/realtime/SessionStore.js"
import { open } from "./support/HubHarness.js"
import { connect, refusal } from "./support/WsClient.js"

/** A peer that speaks by hand, and answers nothing. */
const mute = (port: number) =>
  Effect.acquireRelease(
    Effect.async<Net.Socket>((resume) => {
      const socket = Net.connect({ port, host: "127.0.0.1" })
      socket.on("error", () => {})
      socket.write(
        request(
          "GET",
          "/ws",
          "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        )
      )
      socket.once("data", () => resume(Effect.succeed(socket)))
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

describe("the stop of a hub", () => {
  it.scopedLive(
    "scenario 6: everybody is told at once, events go on, then bye with the total, and 1001",
    () =>
      Effect.gen(function* () {
        const { drain, logged, port, publish, release, store } = yield* open({
          config: { reconnectSpread: Duration.millis(1000) }
        })
        const clients = yield* Effect.all(Array.from({ length: 8 }, () => connect(port)))
        for (const client of clients) yield* client.subscribe("news")
        yield* clients[0]!.ask({ op: "ping" }, "pong")
        yield* drain
        const told = yield* Effect.forEach(clients, (client) => client.next("server_shutdown", 1))
        const times = told.map(({ reconnectAfterMs }) => reconnectAfterMs).toSorted((a, b) => a - b)
        // Spread: each has an eighth of the time to itself.
        times.forEach((time, i) => assert.isTrue(time >= i * 125 && time <= (i + 1) * 125, times.join()))
        yield* publish(["news"])
        for (const client of clients) yield* client.next("event", 1)
        assert.isUndefined(clients[0]!.closed)
        const took = yield* release
        assert.isBelow(took, 500)
        for (const [i, client] of clients.entries()) {
          assert.strictEqual((yield* client.end).code, 1001)
          const last = client.messages.at(-1)
          assert.deepInclude(last, { op: "bye", bye: true, total: i === 0 ? 2 : 1 })
        }
        const [completed] = logged("ws_shutdown_completed")
        assert.deepInclude(completed, {
          level: "INFO",
          connections: 8,
          said_goodbye: 8,
          terminated: 0,
          sessions_saved: true
        })
        assert.strictEqual(logged("ws_shutdown_started").length, 1)
        for (const type of ["ws_shutdown_bye_sent", "ws_shutdown_session_saved"]) {
          const lines = logged(type)
          assert.deepStrictEqual(
            lines.map(({ session }) => session).toSorted(),
            clients.map(({ first }) => first.session).toSorted()
          )
          assert.isTrue(lines.every(({ level }) => level === "DEBUG"))
        }
        // Saved it is, and found again by another process.
        const other = yield* open({ store })
        const back = yield* connect(other.port)
        const connected = yield* back.resume(clients[0]!.first.token, 1)
        assert.deepInclude(connected, { resumed: true, session: clients[0]!.first.session, total: 3 })
        assert.deepStrictEqual(connected.channels, ["news"])
      })
  )

  it.scopedLive("scenario 16: an upgrade during the drain is refused with 503 and Retry-After", () =>
    Effect.gen(function* () {
      const { drain, hub, port } = yield* open()
      yield* connect(port)
      const racing = yield* rawConnect(port)
      const waiting = yield* Effect.forkScoped(drain)
      yield* Effect.sleep("2 millis")
      yield* racing.send(request("GET", "/ws", "connection: upgrade\r\nupgrade: websocket\r\n"))
      const answer = yield* racing.answer()
      assert.strictEqual(answer.status, 503)
      assert.strictEqual(answer.headers["retry-after"], "10")
      yield* Fiber.join(waiting)
      assert.strictEqual(hub.unsafeNumbers().connections, 1)
    })
  )

  it.scopedLive("a hub that is quiesced refuses by itself, also behind a server that goes on", () =>
    Effect.gen(function* () {
      const { hub, port, server } = yield* open()
      for (const { name, run } of server.lifecycle.internal.quiesces) {
        if (name === "realtime") yield* Effect.orDie(run)
      }
      const answer = yield* refusal(port)
      assert.strictEqual(answer.status, 503)
      assert.strictEqual(answer.headers["retry-after"], "10")
      assert.strictEqual(hub.unsafeNumbers().refused, 1)
    })
  )

  it.scopedLive("D1: what was received is handled and answered before the bye, and counted", () =>
    Effect.gen(function* () {
      const memory = yield* EventLog.makeMemory(100)
      const log = {
        ...memory,
        readAfter: (id: number, limit: number) => Effect.delay(memory.readAfter(id, limit), "120 millis")
      }
      yield* memory.append([1, 2, 3].map((id) => ({ id, channels: ["news"], type: "said", payload: id })))
      const { drain, port, release } = yield* open({ log })
      const client = yield* connect(port)
      yield* drain
      // The resume takes its time, and two more wait behind it; all three arrive together.
      const { _socket: socket } = client.ws as unknown as { readonly _socket: Net.Socket }
      socket.cork()
      yield* client.send({ op: "resume", token: client.first.token, lastEventId: 0, channels: ["news"] })
      yield* client.send({ op: "ping", nonce: "a" })
      yield* client.send({ op: "ping", nonce: "b" })
      socket.uncork()
      yield* client.next("connected", 2)
      yield* release
      assert.strictEqual((yield* client.end).code, 1001)
      assert.deepStrictEqual(client.ids(), [1, 2, 3])
      assert.deepStrictEqual(
        client.all("pong").map(({ nonce }) => nonce),
        ["a", "b"]
      )
      assert.deepInclude(client.messages.at(-1), { op: "bye", total: 3 })
      // One after the other, in the order in which they came.
      const last = client.messages.findLastIndex(({ op }) => op === "event")
      assert.isBelow(
        last,
        client.messages.findIndex(({ op }) => op === "pong")
      )
    })
  )

  it.scopedLive(
    "a message that is never done keeps nobody from their bye, nor from answering the close",
    () =>
      Effect.gen(function* () {
        const memory = yield* EventLog.makeMemory(100)
        const { drain, logged, port, release } = yield* open({
          log: { ...memory, readAfter: () => Effect.never },
          limit: 800
        })
        const client = yield* connect(port)
        yield* client.resume(client.first.token, 0, ["news"])
        yield* drain
        assert.isBelow(yield* release, 500)
        assert.strictEqual((yield* client.end).code, 1001)
        assert.deepInclude(client.messages.at(-1), { op: "bye", total: 1 })
        assert.deepInclude(logged("ws_shutdown_completed")[0], { terminated: 0 })
      })
  )

  it.scopedLive(
    "scenario 7: a peer that does not answer the close is terminated at its limit, and told of",
    () =>
      Effect.gen(function* () {
        const { drain, hub, logged, port, release } = yield* open({ limit: 500 })
        const client = yield* connect(port)
        const silent = yield* mute(port)
        yield* drain
        const took = yield* release
        // The limit of the stage is not reached: who is silent is no overrun.
        assert.isTrue(took >= 350 && took < 500, `${took}`)
        assert.strictEqual((yield* client.end).code, 1001)
        assert.strictEqual(logged("ws_shutdown_close_failed").length, 1)
        assert.include(logged("ws_shutdown_close_failed")[0]?.error, "did not answer")
        assert.deepInclude(logged("ws_shutdown_completed")[0], { connections: 2, terminated: 1 })
        yield* Effect.sleep("20 millis")
        assert.isTrue(silent.destroyed || silent.readableEnded)
        assert.strictEqual(hub.unsafeNumbers().connections, 0)
      })
  )

  it.scopedLive("a client that does not read gets what waited for it before the bye", () =>
    Effect.gen(function* () {
      const { drain, hub, port, release } = yield* open({ limit: 3000 })
      const slow = yield* connect(port)
      yield* slow.subscribe("news")
      slow.ws.pause()
      const payload = "x".repeat(8000)
      let last = 0
      // Until the network has taken what it can, and the hub holds some.
      while (hub.unsafeNumbers().queued < 200_000) {
        last++
        yield* hub.publish([{ id: last, channels: ["news"], type: "said", payload }])
        if (last % 50 === 0) yield* Effect.sleep("1 millis")
      }
      yield* drain
      const releasing = yield* Effect.forkScoped(release)
      yield* Effect.sleep("100 millis")
      slow.ws.resume()
      yield* Fiber.join(releasing)
      assert.strictEqual((yield* slow.end).code, 1001)
      assert.deepStrictEqual(
        slow.ids(),
        Array.from({ length: last }, (_, i) => i + 1)
      )
      assert.strictEqual(slow.messages.at(-1)?.op, "bye")
    })
  )

  it.scopedLive("a store that hangs, or fails, keeps nobody from their bye", () =>
    Effect.gen(function* () {
      const memory = yield* SessionStore.makeMemory
      const failing = {
        ...memory,
        save: () => Effect.fail(new SessionStore.SessionStoreError({ cause: "full" }))
      }
      for (const store of [{ ...memory, save: () => Effect.never }, failing]) {
        const { drain, logged, port, release } = yield* open({ store, limit: 600 })
        const client = yield* connect(port)
        yield* drain
        assert.isBelow(yield* release, 600)
        assert.strictEqual((yield* client.end).code, 1001)
        assert.strictEqual(client.messages.at(-1)?.op, "bye")
        assert.deepInclude(logged("ws_shutdown_completed")[0], { sessions_saved: false, terminated: 0 })
      }
    })
  )

  it.scopedLive("a release that is called off terminates who is left", () =>
    Effect.gen(function* () {
      const { drain, hub, port, release } = yield* open({ limit: 20_000 })
      yield* mute(port)
      yield* drain
      const releasing = yield* Effect.forkScoped(release)
      yield* Effect.sleep("50 millis")
      assert.strictEqual(hub.unsafeNumbers().connections, 1)
      yield* Fiber.interrupt(releasing)
      yield* Effect.sleep("20 millis")
      assert.strictEqual(hub.unsafeNumbers().connections, 0)
    })
  )

  it.scopedLive("without a drain the release does all of it", () =>
    Effect.gen(function* () {
      const { port, release } = yield* open()
      const client = yield* connect(port)
      yield* release
      assert.strictEqual((yield* client.end).code, 1001)
      assert.deepStrictEqual(
        client.messages.map(({ op }) => op),
        ["connected", "server_shutdown", "bye"]
      )
    })
  )
})
