import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as EventLoop from "../../src/http/EventLoop.js"
import { open } from "./support/HubHarness.js"
import { connect } from "./support/WsClient.js"

/** Lets sockets catch up: the clock of these tests is not the one that the network goes by. */
const turns = Effect.repeatN(EventLoop.turn, 50)

describe("heartbeat", () => {
  it.scoped(
    "every client is pinged at each interval and not before; who leaves two unanswered is dead at the next",
    () =>
      Effect.gen(function* () {
        const { hub, port } = yield* open({ config: { heartbeat: Duration.seconds(30) } })
        const alive = yield* connect(port)
        const dead = yield* connect(port, { autoPong: false })
        yield* TestClock.adjust("29999 millis")
        yield* turns
        assert.deepStrictEqual([alive.pings, dead.pings], [0, 0])
        for (const n of [1, 2]) {
          yield* TestClock.adjust(n === 1 ? "1 millis" : "30 seconds")
          yield* alive.until("a ping", () => alive.pings === n)
          yield* dead.until("a ping", () => dead.pings === n)
          yield* turns
        }
        yield* TestClock.adjust("29999 millis")
        yield* turns
        assert.strictEqual(hub.unsafeNumbers().connections, 2)
        yield* TestClock.adjust("1 millis")
        yield* alive.until("a ping", () => alive.pings === 3)
        assert.strictEqual((yield* dead.end).code, 1006)
        yield* turns
        assert.deepInclude(hub.unsafeNumbers(), { connections: 1, dead: 1 })
      })
  )

  it.scoped("anything that a client says shows that it is alive", () =>
    Effect.gen(function* () {
      const { hub, port } = yield* open({ config: { heartbeat: Duration.seconds(30) } })
      const client = yield* connect(port, { autoPong: false })
      for (let n = 1; n <= 5; n++) {
        yield* TestClock.adjust("30 seconds")
        yield* client.until("a ping", () => client.pings === n)
        yield* client.ask({ op: "ping" }, "pong")
      }
      assert.deepInclude(hub.unsafeNumbers(), { connections: 1, dead: 0 })
    })
  )

  it.scoped("D5: it stops when the hub quiesces", () =>
    Effect.gen(function* () {
      const { port, server } = yield* open({ config: { heartbeat: Duration.seconds(30) } })
      const client = yield* connect(port)
      yield* TestClock.adjust("30 seconds")
      yield* client.until("a ping", () => client.pings === 1)
      for (const { name, run } of server.lifecycle.internal.quiesces) {
        if (name === "realtime") yield* Effect.orDie(run)
      }
      yield* client.next("server_shutdown", 1)
      yield* TestClock.adjust("5 minutes")
      yield* client.ask({ op: "ping" }, "pong")
      assert.strictEqual(client.pings, 1)
    })
  )

  it.scoped("the rate of messages goes by the clock: what was too much is allowed again a moment later", () =>
    Effect.gen(function* () {
      const { port } = yield* open({ config: { messageRate: 10 } })
      const client = yield* connect(port)
      for (let i = 0; i < 21; i++) yield* client.send({ op: "ping" })
      assert.strictEqual((yield* client.next("error", 1)).code, "too_many_messages")
      assert.strictEqual(client.all("pong").length, 20)
      yield* TestClock.adjust("99 millis")
      yield* client.send({ op: "ping" })
      yield* turns
      assert.strictEqual(client.all("pong").length, 20)
      yield* TestClock.adjust("1 millis")
      yield* client.ask({ op: "ping" }, "pong")
      assert.strictEqual(client.all("pong").length, 21)
    })
  )
})
