import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as EventLoop from "../../src/http/EventLoop.js"
import * as EventLog from "../../src/realtime/EventLog.js"
import { open } from "./support/HubHarness.js"
import { ask, listen, refusal } from "./support/SseClient.js"
import { connect } from "./support/WsClient.js"

const eventually = (what: string, done: () => boolean): Effect.Effect<void> =>
  Effect.iterate(0, {
    while: (n) => n < 1600 && !done(),
    body: (n) => Effect.as(Effect.sleep("5 millis"), n + 1)
  }).pipe(Effect.flatMap(() => (done() ? Effect.void : Effect.dieMessage(`waited in vain until ${what}`))))

/** Events of one channel with a payload of 16,000 characters. */
const long = (first: number, count: number, channels = ["news"]) =>
  Array.from({ length: count }, (_, i) => ({
    id: first + i,
    channels,
    type: "said",
    payload: "x".repeat(16_000)
  }))

describe("server-sent events", () => {
  it.scopedLive("an event reaches the streams of its channels, once, in order, beside WebSockets", () =>
    Effect.gen(function* () {
      const { hub, port, publish } = yield* open()
      const both = yield* listen(port, "/events?channel=news&channel=item:1&channel=news")
      const one = yield* listen(port, "/events?channel=item:1")
      const ws = yield* connect(port)
      yield* ws.subscribe("news")
      assert.deepInclude(both.response.headers, {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
        connection: "close"
      })
      const connected = yield* both.next("connected")
      assert.deepStrictEqual(connected.data, { channels: ["news", "item:1"], lastEventId: 0 })
      assert.isAtLeast(both.retry, 1000)
      assert.isAtMost(both.retry, 6000)
      yield* publish(["news", "item:1"], ["sport"], ["item:1", "news"])
      yield* publish(["item:1"])
      yield* both.next("said", 3)
      yield* one.next("said", 3)
      yield* ws.next("event", 2)
      assert.deepStrictEqual(both.all("said")[0], {
        event: "said",
        id: "1",
        data: { id: 1, channel: "news", type: "said", payload: { n: 1 } }
      })
      assert.deepStrictEqual(
        both.all("said").map(({ data }) => [data.id, data.channel]),
        [
          [1, "news"],
          [3, "item:1"],
          [4, "item:1"]
        ]
      )
      assert.deepStrictEqual(one.ids(), [1, 3, 4])
      assert.deepStrictEqual(ws.ids(), [1, 3])
      assert.deepInclude(hub.unsafeNumbers(), { connections: 1, streams: 2, accepted: 3 })
    })
  )

  it.scopedLive(
    "who comes back gets what it missed from the log and then live, no gap and nothing twice",
    () =>
      Effect.gen(function* () {
        const { append, hub, memory, port, publish } = yield* open()
        yield* publish(...Array.from({ length: 1200 }, (_, i) => [i % 2 === 0 ? "news" : "sport"]))
        // What the log has and the hub has not been told of yet is not lost, nor told twice.
        yield* append(["news"], ["news"])
        const client = yield* listen(port, "/events?channel=news", { headers: { "last-event-id": "101" } })
        yield* client.next("said", 551)
        yield* hub.publish(yield* memory.readAfter(1190, 100))
        yield* publish(["news"])
        yield* client.next("said", 552)
        const expected = Array.from({ length: 550 }, (_, i) => 103 + 2 * i).filter((id) => id <= 1200)
        assert.deepStrictEqual(client.ids(), [...expected, 1201, 1202, 1203])
        assert.deepStrictEqual(client.all("gap"), [])
        assert.strictEqual(client.lastEventId, "1203")
      })
  )

  it.scopedLive("events published in the middle of a replay come after it, each once", () =>
    Effect.gen(function* () {
      const memory = yield* EventLog.makeMemory(10_000)
      let reading: (() => Effect.Effect<void>) | undefined
      const log: EventLog.Shape = {
        ...memory,
        readAfter: (id, limit) =>
          Effect.tap(memory.readAfter(id, limit), () => Effect.suspend(() => reading?.() ?? Effect.void))
      }
      yield* memory.append(long(1, 700, ["news"]).map((event) => ({ ...event, payload: null })))
      const { hub, port } = yield* open({ log })
      let next = 700
      reading = () => {
        if (next >= 1500) return Effect.void
        const events = [{ id: ++next, channels: ["news"], type: "said", payload: null }]
        return Effect.zipRight(memory.append(events), hub.publish(events))
      }
      const client = yield* listen(port, "/events?channel=news", { headers: { "last-event-id": "0" } })
      yield* client.next("said", 700)
      yield* client.until("the last one", () => client.ids().at(-1) === next)
      assert.deepStrictEqual(
        client.ids(),
        Array.from({ length: next }, (_, i) => i + 1)
      )
    })
  )

  it.scopedLive("a replay goes at the speed of its reader, and leaves nothing out", () =>
    Effect.gen(function* () {
      const memory = yield* EventLog.makeMemory(10_000)
      const total = 8000
      const payload = "x".repeat(2000)
      yield* memory.append(long(1, total).map((event) => ({ ...event, payload })))
      let reads = 0
      const readAfter = (id: number, limit: number) =>
        Effect.zipRight(
          Effect.sync(() => reads++),
          memory.readAfter(id, limit)
        )
      const { hub, port } = yield* open({ log: { ...memory, readAfter } })
      const client = yield* listen(port, "/events?channel=news", { headers: { "last-event-id": "0" } })
      client.response.pause()
      let before = -1
      yield* Effect.suspend(() => {
        before = reads
        return Effect.sleep("50 millis")
      }).pipe(Effect.repeat({ until: () => reads === before && reads > 0 }))
      // A page holds a megabyte, and the system takes a few of them.
      assert.isBelow(reads, 15)
      assert.isBelow(hub.unsafeNumbers().queued, 2_500_000)
      client.response.resume()
      yield* client.next("said", total)
      assert.deepStrictEqual(
        client.ids(),
        Array.from({ length: total }, (_, i) => i + 1)
      )
      assert.deepStrictEqual(client.all("gap"), [])
    })
  )

  it.scopedLive("past the retention, and ahead of the log, a gap says so and moves the client on", () =>
    Effect.gen(function* () {
      const memory = yield* EventLog.makeMemory(3)
      yield* memory.append(long(1, 10).map((event) => ({ ...event, payload: null })))
      const { port } = yield* open({ log: memory })
      const late = yield* listen(port, "/events?channel=news", { headers: { "last-event-id": "2" } })
      yield* late.next("said", 3)
      const gap = yield* late.next("gap")
      assert.deepInclude(gap.data, { from: 2, to: 7, reason: "retention" })
      assert.strictEqual(gap.id, "7")
      assert.deepStrictEqual(late.ids(), [8, 9, 10])
      assert.isBelow(late.events.indexOf(gap), late.events.indexOf(late.all("said")[0]!))
      const ahead = yield* listen(port, "/events?channel=news", { headers: { "last-event-id": "900" } })
      assert.deepInclude((yield* ahead.next("gap")).data, { from: 10, to: 900, reason: "ahead" })
      assert.strictEqual(ahead.lastEventId, "10")
    })
  )

  it.scopedLive("a client that does not read holds up nobody: it loses the oldest, and is told which", () =>
    Effect.gen(function* () {
      const { hub, memory, port } = yield* open({ config: { queue: 64 * 1024 } })
      const slow = yield* listen(port, "/events?channel=news")
      const quick = yield* listen(port, "/events?channel=news")
      yield* slow.next("connected")
      slow.response.pause()
      const total = 1500
      for (let id = 1; id <= total; id += 10) {
        const events = long(id, 10)
        yield* memory.append(events)
        yield* hub.publish(events)
        yield* quick.next("said", id + 9)
        assert.isAtMost(hub.unsafeNumbers().queued, 170_000)
      }
      assert.deepStrictEqual(quick.all("gap"), [])
      slow.response.resume()
      yield* slow.until("all that is left", () => slow.ids().at(-1) === total)
      const missing: Array<number> = []
      for (const { data } of slow.all("gap")) {
        assert.strictEqual(data.reason, "slow")
        for (let id = data.from + 1; id <= data.to; id++) missing.push(id)
      }
      assert.isAbove(missing.length, 0)
      assert.deepStrictEqual(
        [...slow.ids(), ...missing].toSorted((a, b) => a - b),
        Array.from({ length: total }, (_, i) => i + 1)
      )
      // In order: what a gap stands for is not seen after it.
      assert.deepStrictEqual(
        slow.ids(),
        slow.ids().toSorted((a, b) => a - b)
      )
    })
  )

  it.scopedLive("with the other policy its stream ends, and it goes on where it was", () =>
    Effect.gen(function* () {
      const { hub, memory, port } = yield* open({ config: { queue: 64 * 1024, slowClients: "close" } })
      const slow = yield* listen(port, "/events?channel=news", { headers: { "last-event-id": "0" } })
      yield* slow.next("connected")
      slow.response.pause()
      const total = 1000
      for (let id = 1; id <= total; id += 10) {
        const events = long(id, 10)
        yield* memory.append(events)
        yield* hub.publish(events)
        yield* Effect.sleep("1 millis")
      }
      assert.strictEqual(hub.unsafeNumbers().queued, 0)
      slow.response.resume()
      assert.strictEqual(yield* slow.end, "end")
      const again = yield* listen(port, "/events?channel=news", {
        headers: { "last-event-id": slow.lastEventId }
      })
      yield* again.until("the last one", () => again.ids().at(-1) === total)
      assert.deepStrictEqual(
        [...slow.ids(), ...again.ids()],
        Array.from({ length: total }, (_, i) => i + 1)
      )
    })
  )

  it.scopedLive("a notice reaches every stream that does not have the channel", () =>
    Effect.gen(function* () {
      const { hub, port } = yield* open()
      const news = yield* listen(port, "/events?channel=news")
      const sport = yield* listen(port, "/events?channel=sport")
      yield* Effect.all([news.next("connected"), sport.next("connected")])
      const notice = { title: "t", message: "two\nlines", level: "info" } as const
      assert.strictEqual(yield* hub.notice(notice, { unless: "news" }), 1)
      assert.deepStrictEqual((yield* sport.next("notice")).data, notice)
      assert.deepStrictEqual(news.all("notice"), [])
    })
  )

  it.scopedLive("token, origin, limits and channels are as for WebSockets, and so are the refusals", () =>
    Effect.gen(function* () {
      const token = "sixteen-letters-"
      const { hub, port } = yield* open({
        config: {
          authToken: Option.some(Redacted.make(token)),
          origins: Option.some(new Set(["https://here.example"])),
          maxPerAddress: 2,
          maxChannels: 2
        }
      })
      const path = "/events?channel=news"
      const none = yield* refusal(port, path)
      assert.strictEqual(none.status, 401)
      assert.strictEqual(none.headers["www-authenticate"], "Bearer")
      assert.strictEqual(none.headers["content-type"], "application/problem+json")
      const bearer = { authorization: `Bearer ${token}` }
      assert.strictEqual(
        (yield* refusal(port, path, { headers: { authorization: "Bearer wrong" } })).status,
        401
      )
      const elsewhere = { ...bearer, origin: "https://there.example" }
      assert.strictEqual((yield* refusal(port, path, { headers: elsewhere })).status, 403)
      const unknown = yield* refusal(port, "/events?channel=nothing", { headers: bearer })
      assert.strictEqual(unknown.status, 400)
      assert.deepStrictEqual(JSON.parse(unknown.body).errors, [
        {
          parameter: "channels",
          value: "nothing",
          allowed: `must be names of channels, not "nothing": there are news, sport and item:<name>`
        }
      ])
      assert.strictEqual((yield* refusal(port, "/events", { headers: bearer })).status, 400)
      const many = "/events?channel=news&channel=sport&channel=item:1"
      assert.strictEqual((yield* refusal(port, many, { headers: bearer })).status, 400)
      const here = { ...bearer, origin: "https://here.example" }
      const first = yield* listen(port, path, { headers: here })
      assert.deepInclude(first.response.headers, {
        "access-control-allow-origin": "https://here.example",
        vary: "origin"
      })
      yield* listen(port, `${path}&token=${token}`)
      assert.strictEqual((yield* refusal(port, path, { headers: bearer })).status, 429)
      assert.deepInclude(hub.unsafeNumbers(), { streams: 2, accepted: 2 })
    })
  )

  it.scopedLive("WebSockets and streams share the limit of connections", () =>
    Effect.gen(function* () {
      const { port } = yield* open({ config: { maxConnections: 2 } })
      yield* connect(port)
      yield* listen(port, "/events?channel=news")
      const { headers, status } = yield* refusal(port, "/events?channel=news")
      assert.strictEqual(status, 503)
      assert.strictEqual(headers["retry-after"], "10")
    })
  )

  it.scopedLive("who goes away is forgotten at once; a HEAD leaves nobody behind", () =>
    Effect.gen(function* () {
      const { hub, port, publish } = yield* open()
      const scope = yield* Scope.make()
      const client = yield* Scope.extend(listen(port, "/events?channel=news"), scope)
      yield* client.next("connected")
      assert.strictEqual(hub.unsafeNumbers().streams, 1)
      yield* Scope.close(scope, Exit.void)
      yield* eventually("it is gone", () => hub.unsafeNumbers().streams === 0)
      assert.strictEqual(hub.unsafeNumbers().groups, 0)
      const head = yield* ask(port, "/events?channel=news", {
        method: "HEAD",
        headers: { "last-event-id": "0" }
      })
      assert.strictEqual(head.statusCode, 200)
      assert.strictEqual(head.headers["content-type"], "text/event-stream; charset=utf-8")
      yield* eventually("it is gone", () => hub.unsafeNumbers().streams === 0)
      yield* publish(["news"])
      assert.strictEqual(hub.unsafeNumbers().queued, 0)
    })
  )

  it.scopedLive("a heartbeat says how far the client is; one who leaves them unread is cut", () =>
    Effect.gen(function* () {
      const { hub, memory, port, publish } = yield* open({ config: { heartbeat: Duration.millis(150) } })
      const quiet = yield* listen(port, "/events?channel=sport")
      const stuck = yield* listen(port, "/events?channel=news")
      yield* stuck.next("connected")
      yield* publish(["news"], ["news"])
      yield* quiet.until("heartbeats", () => quiet.comments >= 2)
      // It has seen none of them, and yet need not be told of them again.
      assert.strictEqual(quiet.lastEventId, "2")
      assert.deepStrictEqual(quiet.ids(), [])
      stuck.response.pause()
      let id = 2
      yield* Effect.gen(function* () {
        const events = long(id + 1, 10)
        id += 10
        yield* memory.append(events)
        yield* hub.publish(events)
        yield* Effect.sleep("2 millis")
      }).pipe(Effect.repeat({ until: () => hub.unsafeNumbers().dead > 0 || id > 60_000 }))
      assert.strictEqual(hub.unsafeNumbers().dead, 1)
      yield* eventually("it is gone", () => hub.unsafeNumbers().streams === 1)
      assert.isUndefined(quiet.closed)
    })
  )

  it.scopedLive("a log that cannot be read ends the stream, and the client keeps its place", () =>
    Effect.gen(function* () {
      const memory = yield* EventLog.makeMemory(10)
      const log = {
        ...memory,
        head: Effect.succeed(1),
        readAfter: () => Effect.fail(new EventLog.EventLogError({ cause: "gone" }))
      }
      const { hub, port } = yield* Logger.withMinimumLogLevel(open({ log }), LogLevel.None)
      const client = yield* listen(port, "/events?channel=news", { headers: { "last-event-id": "0" } })
      assert.strictEqual(yield* client.end, "end")
      assert.deepStrictEqual(
        client.events.map(({ event }) => event),
        ["connected", "unavailable"]
      )
      yield* eventually("it is gone", () => hub.unsafeNumbers().streams === 0)
      assert.strictEqual(client.lastEventId, "0")
    })
  )

  it.scopedLive("when the hub quiesces each is told another time and ends; who comes later is refused", () =>
    Effect.gen(function* () {
      const { hub, port, publish, server } = yield* open({
        config: { reconnectSpread: Duration.seconds(60) }
      })
      const clients = yield* Effect.forEach(Array.from({ length: 20 }), () =>
        listen(port, "/events?channel=news")
      )
      yield* Effect.forEach(clients, (client) => client.next("connected"))
      yield* publish(["news"], ["sport"], ["sport"])
      yield* server.lifecycle.internal.advance("draining")
      const quiesces = [...server.lifecycle.internal.quiesces].filter(({ name }) => name === "realtime")
      assert.strictEqual(quiesces.length, 1)
      yield* Effect.orDie(Effect.forEach(quiesces, ({ run }) => run, { discard: true }))
      for (const client of clients) {
        assert.strictEqual(yield* client.end, "end")
        assert.deepStrictEqual(client.ids(), [1])
        const last = client.events.at(-1)!
        assert.strictEqual(last.event, "server_shutdown")
        assert.strictEqual(last.data.reconnectAfterMs, client.retry)
        // After the idle grace.
        assert.isAtLeast(client.retry, 1000)
        assert.isAtMost(client.retry, 61_000)
        // What it need not be told again: it comes back with this.
        assert.strictEqual(client.lastEventId, "3")
      }
      // A share of the spread for each.
      const times = clients.map(({ retry }) => retry - 1000).toSorted((a, b) => a - b)
      times.forEach((time, i) => {
        assert.isAtLeast(time, i * 3000)
        assert.isAtMost(time, (i + 1) * 3000)
      })
      const late = yield* refusal(port, "/events?channel=news")
      assert.strictEqual(late.status, 503)
      assert.strictEqual(late.headers["retry-after"], "10")
      assert.deepInclude(hub.unsafeNumbers(), { streams: 0 })
    })
  )

  it.scopedLive(
    "what was published before the quiesce is sent before the last word, however much it is",
    () =>
      Effect.gen(function* () {
        const { drain, hub, memory, port } = yield* open({ limit: 5000, graceful: 6000 })
        const client = yield* listen(port, "/events?channel=news")
        yield* client.next("connected")
        client.response.pause()
        const events = long(1, 60)
        yield* memory.append(events)
        for (const event of events) yield* hub.publish([event])
        const draining = yield* Effect.fork(drain)
        yield* Effect.sleep("20 millis")
        client.response.resume()
        assert.strictEqual(yield* client.end, "end")
        assert.deepStrictEqual(
          client.ids(),
          events.map(({ id }) => id)
        )
        assert.strictEqual(client.events.at(-1)?.event, "server_shutdown")
        yield* Fiber.join(draining)
      })
  )

  it.scopedLive(
    "scenario 15: who reads is told and the stream ends; who never reads is cut at the hub's limit, and the drain is done",
    () =>
      Effect.gen(function* () {
        const { drain, hub, memory, port, release, server } = yield* open({ limit: 1000, graceful: 8000 })
        const reading = yield* listen(port, "/events?channel=news")
        const deaf = yield* listen(port, "/events?channel=news")
        yield* Effect.all([reading.next("connected"), deaf.next("connected")])
        deaf.response.pause()
        // More than the sockets' buffers take.
        for (let id = 1; id <= 1000; id += 10) {
          const events = long(id, 10)
          yield* memory.append(events)
          yield* hub.publish(events)
          yield* reading.next("said", id + 9)
        }
        const [took] = yield* Effect.timed(drain)
        assert.strictEqual(reading.closed, "end")
        assert.strictEqual(reading.events.at(-1)?.event, "server_shutdown")
        assert.strictEqual(reading.ids().length, 1000)
        assert.isAtLeast(Duration.toMillis(took), 750)
        assert.isBelow(Duration.toMillis(took), 7000)
        // Whoever was cut at the hub's own limit is no request that the drain had to cut.
        assert.deepStrictEqual(server.interrupted(), [])
        assert.strictEqual(hub.unsafeNumbers().streams, 0)
        deaf.response.resume()
        assert.strictEqual(yield* deaf.end, "cut")
        assert.isBelow(yield* release, 5000)
      })
  )

  it.scopedLive(
    "scenario 15: who leaves no more than the last words unread is cut at the hub's limit as well",
    () =>
      Effect.gen(function* () {
        const { drain, hub, memory, port, responses } = yield* open({ limit: 1000, graceful: 8000 })
        const deaf = yield* listen(port, "/events?channel=news")
        yield* deaf.next("connected")
        deaf.response.pause()
        const [response] = responses
        // Until the system takes no more, by so little that the response takes it: it is written and ended, and yet not with the client.
        for (let id = 1; response!.writableLength === 0; id++) {
          const event = { id, channels: ["news"], type: "said", payload: "x".repeat(15_000) }
          yield* memory.append([event])
          yield* hub.publish([event])
          yield* Effect.repeatN(EventLoop.turn, 3)
        }
        assert.isFalse(response!.writableNeedDrain)
        const [took] = yield* Effect.timed(drain)
        assert.isTrue(response!.writableEnded)
        assert.isAtLeast(Duration.toMillis(took), 750)
        assert.isBelow(Duration.toMillis(took), 7000)
        assert.strictEqual(hub.unsafeNumbers().streams, 0)
      })
  )
})
