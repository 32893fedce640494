import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as EventLog from "../../src/realtime/EventLog.js"
import { hashOf } from "../../src/realtime/LiveSession.js"
import * as SessionStore from "../../src/realtime/SessionStore.js"
import { open } from "./support/HubHarness.js"
import { connect } from "./support/WsClient.js"

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const events = (from: number, to: number, channel = "news") =>
  range(from, to).map((id) => ({ id, channels: [channel], type: "said", payload: id }))

describe("resume", () => {
  it.scopedLive("brings everything after lastEventId, in order, then live events: no gap, none twice", () =>
    Effect.gen(function* () {
      const { port, publish } = yield* open()
      const before = yield* connect(port)
      yield* before.subscribe("news")
      yield* publish(["news"], ["news"])
      yield* before.next("event", 2)
      before.ws.terminate()
      yield* publish(["news"], ["sport"], ["news"])
      const after = yield* connect(port)
      const connected = yield* after.resume(before.first.token, 2)
      assert.deepInclude(connected, {
        resumed: true,
        session: before.first.session,
        total: 2,
        lastEventId: 2
      })
      assert.strictEqual(connected.token, before.first.token)
      assert.deepStrictEqual(connected.channels, ["news"])
      yield* after.next("event", 2)
      yield* publish(["news"], ["sport"])
      yield* publish(["news"])
      yield* after.next("event", 4)
      assert.deepStrictEqual(after.ids(), [3, 5, 6, 8])
    })
  )

  it.scopedLive("loses and doubles nothing while events go on being published", () =>
    Effect.gen(function* () {
      const memory = yield* EventLog.makeMemory(100_000)
      // What was read is handed over a moment later, so publications fall between a page and the look at it, the last one's too.
      const log = {
        ...memory,
        readAfter: (id: number, limit: number) =>
          Effect.zipLeft(memory.readAfter(id, limit), Effect.sleep("3 millis"))
      }
      yield* memory.append(events(1, 3000))
      const { hub, port } = yield* open({ log })
      const publishing = yield* Effect.forkScoped(
        Effect.forEach(range(0, 199), (i) => {
          const some = events(3001 + i * 10, 3010 + i * 10)
          return memory
            .append(some)
            .pipe(Effect.zipRight(hub.publish(some)), Effect.zipRight(Effect.sleep("1 millis")))
        })
      )
      const clients = yield* Effect.all(Array.from({ length: 5 }, () => connect(port)))
      for (const [i, client] of clients.entries()) {
        yield* client.resume(client.first.token, i * 700, ["news"])
        yield* Effect.sleep("20 millis")
      }
      yield* Fiber.join(publishing)
      for (const [i, client] of clients.entries()) {
        yield* client.until("the last event", () => client.ids().at(-1) === 5000)
        assert.deepStrictEqual(client.ids(), range(i * 700 + 1, 5000))
      }
    })
  )

  it.scopedLive("on another process over the same log and store, also when that one is ahead or behind", () =>
    Effect.gen(function* () {
      const log = yield* EventLog.makeMemory(1000)
      const store = yield* SessionStore.makeMemory
      const one = yield* open({ log, store })
      const two = yield* open({ log, store })
      const a = yield* connect(one.port)
      yield* a.subscribe("news")
      yield* log.append(events(1, 5))
      yield* one.hub.publish(events(1, 5))
      yield* a.next("event", 5)
      a.ws.close()
      yield* a.end
      yield* Effect.sleep("20 millis")
      // The other process has published only some of what the client has seen.
      yield* two.hub.publish(events(1, 3))
      const b = yield* connect(two.port)
      assert.deepInclude(yield* b.resume(a.first.token, 5), { resumed: true, total: 2 })
      yield* b.ask({ op: "ping" }, "pong")
      yield* two.hub.publish(events(4, 5))
      yield* log.append(events(6, 7))
      yield* two.hub.publish(events(6, 7))
      yield* b.next("event", 2)
      yield* log.append(events(8, 8))
      yield* two.hub.publish(events(8, 8))
      yield* b.next("event", 3)
      assert.deepStrictEqual(b.ids(), [6, 7, 8])
      assert.deepStrictEqual(b.all("gap"), [])
    })
  )

  it.scopedLive("past the retention there is a gap that says so, then what is kept", () =>
    Effect.gen(function* () {
      const log = yield* EventLog.makeMemory(5)
      yield* log.append(events(1, 20))
      const { port } = yield* open({ log })
      const client = yield* connect(port)
      yield* client.resume(client.first.token, 3, ["news"])
      const gap = yield* client.next("gap", 1)
      assert.deepInclude(gap, { from: 3, to: 15, reason: "retention" })
      yield* client.next("event", 5)
      assert.deepStrictEqual(client.ids(), range(16, 20))
      assert.isBelow(
        client.messages.indexOf(gap),
        client.messages.findIndex(({ op }) => op === "event")
      )
      // Just within it there is none.
      const other = yield* connect(port)
      yield* other.resume(other.first.token, 15, ["news"])
      yield* other.next("event", 5)
      assert.deepStrictEqual(other.all("gap"), [])
    })
  )

  it.scopedLive("an id that has not happened here is a gap, and live events follow", () =>
    Effect.gen(function* () {
      const { port, publish } = yield* open()
      yield* publish(["news"])
      const client = yield* connect(port)
      yield* client.resume(client.first.token, 500, ["news"])
      assert.deepInclude(yield* client.next("gap", 1), { from: 1, to: 500, reason: "ahead" })
      yield* publish(["news"])
      assert.strictEqual((yield* client.next("event", 1)).id, 2)
    })
  )

  it.scopedLive("a token that is not known is an error, but events come when channels are given", () =>
    Effect.gen(function* () {
      const { port, publish } = yield* open()
      yield* publish(["news"], ["sport"])
      const client = yield* connect(port)
      const error = yield* client.ask({ op: "resume", token: "nobody's", lastEventId: 0 }, "error")
      assert.strictEqual(error.code, "unknown_session")
      const connected = yield* client.resume("nobody's", 0, ["news"])
      assert.deepInclude(connected, {
        resumed: false,
        session: client.first.session,
        token: client.first.token
      })
      assert.strictEqual((yield* client.next("event", 1)).id, 1)
      const wrong = yield* client.ask(
        { op: "resume", token: "nobody's", lastEventId: 0, channels: ["weather"] },
        "error"
      )
      assert.strictEqual(wrong.code, "unknown_channel")
    })
  )

  it.scopedLive("a session that is still connected goes to whoever resumes it, with its total", () =>
    Effect.gen(function* () {
      const { hub, port, publish } = yield* open()
      const old = yield* connect(port)
      yield* old.subscribe("news")
      const young = yield* connect(port)
      assert.deepInclude(yield* young.resume(old.first.token, 0), { resumed: true, total: 2 })
      assert.strictEqual((yield* old.end).code, 4001)
      yield* publish(["news"])
      assert.strictEqual((yield* young.next("event", 1)).id, 1)
      young.ws.close()
      yield* young.end
      yield* Effect.sleep("20 millis")
      const third = yield* connect(port)
      assert.deepInclude(yield* third.resume(old.first.token, 1), { resumed: true, total: 3 })
      assert.strictEqual(hub.unsafeNumbers().connections, 1)
    })
  )

  it.scopedLive("works without the store while that is down, and with an error when the log is", () =>
    Effect.gen(function* () {
      const broken = new SessionStore.SessionStoreError({ cause: "down" })
      const store = {
        save: () => Effect.fail(broken),
        claim: () => Effect.fail(broken),
        sweep: () => Effect.fail(broken)
      }
      const { port, publish } = yield* open({ store })
      const client = yield* connect(port)
      yield* client.subscribe("news")
      yield* publish(["news"])
      yield* client.next("event", 1)
      client.ws.terminate()
      const after = yield* connect(port)
      // The session of a connection that has just ended is still at hand.
      assert.deepInclude(yield* after.resume(client.first.token, 0), { resumed: true, total: 2 })
      yield* after.next("event", 1)
      assert.deepInclude(yield* after.resume("nobody's", 0, ["news"]), { resumed: false })

      const dead = Effect.fail(new EventLog.EventLogError({ cause: "down" }))
      const head = Effect.succeed(1)
      const other = yield* open({ log: { head, oldest: dead, readAfter: () => dead } })
      const unlucky = yield* connect(other.port)
      yield* unlucky.send({ op: "resume", token: "x", lastEventId: 0, channels: ["news"] })
      assert.strictEqual((yield* unlucky.next("error", 1)).code, "unavailable")
      assert.strictEqual((yield* unlucky.end).code, 1013)
    })
  )

  it.scopedLive(
    "asks the log only for what was missed, and what was removed only where that may be missing",
    () =>
      Effect.gen(function* () {
        const memory = yield* EventLog.makeMemory(10)
        yield* memory.append(events(1, 30))
        const asked: Array<string> = []
        const noted = <A>(what: string, effect: Effect.Effect<A, EventLog.EventLogError>) =>
          Effect.zipRight(
            Effect.sync(() => asked.push(what)),
            effect
          )
        const log: EventLog.Shape = {
          head: memory.head,
          readAfter: (id, limit) => noted(`after ${id}`, memory.readAfter(id, limit)),
          oldest: noted("oldest", memory.oldest),
          unsafeHolds: (id) => id >= 25
        }
        const { hub, port } = yield* open({ log })
        const client = yield* connect(port)
        for (const id of [30, 27, 22, 3]) yield* client.resume(client.first.token, id, ["news"])
        const gap = yield* client.next("gap", 1)
        assert.deepInclude(gap, { from: 3, to: 20, reason: "retention" })
        assert.deepStrictEqual(asked, ["after 27", "after 22", "oldest", "after 3", "oldest"])
        yield* hub.publish(events(31, 31))
        yield* client.until("31", () => client.ids().includes(31))
        assert.deepStrictEqual(client.ids(), [...range(28, 30), ...range(23, 30), ...range(21, 31)])
      })
  )

  it.scopedLive("goes on live where the log has nothing between the client's last event and the newest", () =>
    Effect.gen(function* () {
      const memory = yield* EventLog.makeMemory(10)
      const { hub, port } = yield* open({ log: { ...memory, head: Effect.succeed(1000) } })
      const client = yield* connect(port)
      yield* client.resume(client.first.token, 7, ["news"])
      yield* hub.publish(events(1001, 1001))
      yield* client.next("event", 1)
      assert.deepStrictEqual(client.ids(), [1001])
    })
  )

  it.scopedLive("a session is saved although its connection ended while it could not be", () =>
    Effect.gen(function* () {
      const memory = yield* SessionStore.makeMemory
      const [begun, failing] = [yield* Deferred.make<void>(), yield* Deferred.make<never, unknown>()]
      let total = 0
      let isDown = false
      const down = Effect.zipRight(Deferred.succeed(begun, void 0), Deferred.await(failing))
      const store: SessionStore.Shape = {
        ...memory,
        save: (sessions) => {
          if (isDown) return Effect.mapError(down, (cause) => new SessionStore.SessionStoreError({ cause }))
          total = sessions[0]?.total ?? total
          return memory.save(sessions)
        }
      }
      const { hub, port } = yield* open({ store, config: { sessionInterval: Duration.millis(100) } })
      const soon = (done: () => boolean) => Effect.repeat(Effect.sleep("5 millis"), { until: done })
      const client = yield* connect(port)
      yield* client.subscribe("news")
      yield* soon(() => total === 1)
      isDown = true
      yield* client.ask({ op: "ping" }, "pong")
      yield* Deferred.await(begun)
      client.ws.terminate()
      yield* soon(() => hub.unsafeNumbers().connections === 0)
      isDown = false
      yield* Deferred.fail(failing, "down")
      yield* soon(() => total === 2)
      const kept = yield* memory.claim(hashOf(client.first.token), 0)
      assert.strictEqual(Option.getOrNull(kept)?.total, 2)
    })
  )

  it.scopedLive("a replay goes at the speed of its reader, and ends with its connection", () =>
    Effect.gen(function* () {
      const log = yield* EventLog.makeMemory(100_000)
      const payload = "x".repeat(4000)
      let reads = 0
      yield* log.append(range(1, 20_000).map((id) => ({ id, channels: ["news"], type: "said", payload })))
      const counted = {
        ...log,
        readAfter: (id: number, limit: number) => {
          reads++
          return log.readAfter(id, limit)
        }
      }
      const { hub, port } = yield* open({ log: counted })
      const client = yield* connect(port)
      yield* client.send({ op: "resume", token: "x", lastEventId: 0, channels: ["news"] })
      yield* client.next("connected", 2)
      client.ws.pause()
      yield* Effect.sleep("150 millis")
      const stuck = reads
      assert.isBelow(stuck, 20)
      yield* Effect.sleep("50 millis")
      assert.strictEqual(reads, stuck)
      assert.isBelow(hub.unsafeNumbers().queued, 4_000_000)
      client.ws.terminate()
      yield* Effect.sleep("50 millis")
      assert.isAtMost(reads, stuck + 1)
      assert.strictEqual(hub.unsafeNumbers().connections, 0)
    })
  )
})
