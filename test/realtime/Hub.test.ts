import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { open } from "./support/HubHarness.js"
import { connect, refusal } from "./support/WsClient.js"

const eventually = (what: string, done: () => boolean): Effect.Effect<void> =>
  Effect.iterate(0, {
    while: (n) => n < 400 && !done(),
    body: (n) => Effect.as(Effect.sleep("5 millis"), n + 1)
  }).pipe(Effect.flatMap(() => (done() ? Effect.void : Effect.dieMessage(`waited in vain until ${what}`))))

describe("Hub", () => {
  it.scopedLive("an event reaches those who have a channel of it, once, in order, and nobody else", () =>
    Effect.gen(function* () {
      const { hub, port, publish } = yield* open()
      const both = yield* connect(port)
      const one = yield* connect(port)
      const none = yield* connect(port)
      assert.include(both.first, { resumed: false, total: 0, lastEventId: 0 })
      const confirm = yield* both.subscribe("news", "item:1")
      assert.deepStrictEqual(confirm.channels, ["news", "item:1"])
      yield* one.subscribe("item:1")
      yield* publish(["news", "item:1"], ["sport"], ["item:1", "news"], ["news"])
      yield* publish(["item:1"])
      yield* both.next("event", 4)
      yield* one.next("event", 3)
      assert.deepStrictEqual(yield* none.ask({ op: "ping", nonce: "x" }, "pong"), { op: "pong", nonce: "x" })
      // Who listens has got everything up to there, though the last event of its channels was earlier.
      yield* publish(["sport"])
      assert.strictEqual((yield* one.ask({ op: "ping" }, "pong")).lastEventId, 6)
      assert.deepStrictEqual(
        both.all("event").map(({ channel, id }) => [id, channel]),
        [
          [1, "news"],
          [3, "item:1"],
          [4, "news"],
          [5, "item:1"]
        ]
      )
      assert.deepStrictEqual(one.ids(), [1, 3, 5])
      assert.deepStrictEqual(one.all("event")[0]?.payload, { n: 1 })
      assert.deepStrictEqual(none.ids(), [])
      assert.deepInclude(hub.unsafeNumbers(), { connections: 3, accepted: 3, messages: 4, groups: 2 })
    })
  )

  it.scopedLive("who unsubscribes hears no more of it; what is published twice is told once", () =>
    Effect.gen(function* () {
      const { hub, memory, port, publish } = yield* open()
      const client = yield* connect(port)
      yield* client.subscribe("news", "sport")
      yield* publish(["news"])
      const confirm = yield* client.ask({ op: "unsubscribe", channels: ["news"] }, "subscription_confirm")
      assert.deepStrictEqual(confirm.channels, ["sport"])
      assert.strictEqual(confirm.lastEventId, 1)
      yield* publish(["news"], ["sport"])
      yield* hub.publish(yield* memory.readAfter(0, 10))
      yield* client.ask({ op: "ping" }, "pong")
      assert.deepStrictEqual(client.ids(), [1, 3])
      assert.strictEqual(yield* hub.position, 3)
    })
  )

  it.scopedLive("a notice reaches everybody, with no channel at all", () =>
    Effect.gen(function* () {
      const { hub, port } = yield* open()
      const a = yield* connect(port)
      const b = yield* connect(port)
      assert.strictEqual(yield* hub.notice({ title: "Test", message: "hello", level: "info" }), 2)
      for (const client of [a, b]) {
        assert.deepInclude(yield* client.next("notice", 1), {
          title: "Test",
          message: "hello",
          level: "info"
        })
      }
    })
  )

  it.scopedLive("the third refusal in a row closes with 1008, and what is right in between forgives", () =>
    Effect.gen(function* () {
      const { hub, port } = yield* open()
      const client = yield* connect(port)
      assert.strictEqual((yield* client.ask("{", "error")).code, "malformed")
      const unknown = yield* client.ask({ op: "subscribe", channels: ["weather"] }, "error")
      assert.strictEqual(unknown.code, "unknown_channel")
      assert.strictEqual(unknown.channel, "weather")
      assert.include(unknown.message, "there are news, sport")
      yield* client.ask({ op: "ping" }, "pong")
      yield* client.ask("[]", "error")
      yield* Effect.sync(() => client.ws.send(Buffer.from("{}")))
      yield* client.next("error", 4)
      assert.isUndefined(client.closed)
      yield* client.ask('{"op":"subscribe","channel":"news"}', "error")
      assert.strictEqual((yield* client.end).code, 1008)
      yield* eventually("it is gone", () => hub.unsafeNumbers().connections === 0)
    })
  )

  it.scopedLive("more channels than allowed are refused, and none of them taken", () =>
    Effect.gen(function* () {
      const { port } = yield* open({ config: { maxChannels: 2 } })
      const client = yield* connect(port)
      yield* client.subscribe("news")
      const error = yield* client.ask({ op: "subscribe", channels: ["sport", "item:1"] }, "error")
      assert.strictEqual(error.code, "too_many_channels")
      assert.deepStrictEqual((yield* client.subscribe("sport")).channels, ["news", "sport"])
    })
  )

  it.scopedLive(
    "a message that is too long closes with 1009, a flood with 1008, and others do not notice",
    () =>
      Effect.gen(function* () {
        const { port, publish } = yield* open({ config: { maxMessage: 1024, messageRate: 10 } })
        const bystander = yield* connect(port)
        yield* bystander.subscribe("news")
        const long = yield* connect(port)
        yield* long.send("x".repeat(1025))
        assert.strictEqual((yield* long.end).code, 1009)
        const flood = yield* connect(port)
        for (let i = 0; i < 500; i++) yield* flood.send({ op: "ping" })
        assert.strictEqual((yield* flood.end).code, 1008)
        // What was over the rate was refused in one word, not in 480.
        assert.isAtMost(flood.all("pong").length, 30)
        assert.strictEqual(flood.all("error").length, 1)
        assert.strictEqual(flood.all("error")[0]?.code, "too_many_messages")
        yield* publish(["news"])
        yield* bystander.next("event", 1)
      })
  )

  it.scopedLive("without the token, or with a wrong one, there is no upgrade but a 401", () =>
    Effect.gen(function* () {
      const token = "0123456789abcdef"
      const { hub, port } = yield* open({ config: { authToken: Option.some(Redacted.make(token)) } })
      const none = yield* refusal(port)
      assert.strictEqual(none.status, 401)
      assert.strictEqual(none.headers["www-authenticate"], "Bearer")
      assert.strictEqual(JSON.parse(none.body).status, 401)
      const wrong = yield* refusal(port, { headers: { authorization: `Bearer ${token}x` } })
      assert.strictEqual(wrong.status, 401)
      assert.strictEqual((yield* refusal(port, { query: "?token=nope" })).status, 401)
      assert.deepInclude(hub.unsafeNumbers(), { connections: 0, refused: 3 })
      yield* connect(port, { headers: { authorization: `Bearer ${token}` } })
      yield* connect(port, { query: `?token=${token}` })
      assert.deepInclude(hub.unsafeNumbers(), { connections: 2, refused: 3 })
    })
  )

  it.scopedLive("pages of other origins may not connect; what is no page may", () =>
    Effect.gen(function* () {
      const { port } = yield* open({ config: { origins: Option.some(new Set(["https://a.example"])) } })
      assert.strictEqual((yield* refusal(port, { origin: "https://b.example" })).status, 403)
      yield* connect(port, { origin: "https://A.example" })
      yield* connect(port)
    })
  )

  it.scopedLive(
    "there is a most of connections, in all and from one address, and who leaves makes room",
    () =>
      Effect.gen(function* () {
        const crowd = yield* open({ config: { maxPerAddress: 1 } })
        const first = yield* connect(crowd.port)
        assert.strictEqual((yield* refusal(crowd.port)).status, 429)
        first.ws.close()
        yield* first.end
        yield* eventually("it has left", () => crowd.hub.unsafeNumbers().connections === 0)
        yield* connect(crowd.port)
        const full = yield* open({ config: { maxConnections: 1 } })
        yield* connect(full.port)
        const answer = yield* refusal(full.port)
        assert.strictEqual(answer.status, 503)
        assert.strictEqual(answer.headers["retry-after"], "10")
      })
  )

  it.scopedLive("a client that does not read holds up nobody: it loses the oldest, and is told which", () =>
    Effect.gen(function* () {
      const { hub, memory, port } = yield* open({ config: { queue: 64 * 1024 } })
      const slow = yield* connect(port)
      const quick = yield* connect(port)
      yield* slow.subscribe("news")
      yield* quick.subscribe("news")
      slow.ws.pause()
      const payload = "x".repeat(16_000)
      const total = 1500
      for (let id = 1; id <= total; id += 10) {
        const events = Array.from({ length: 10 }, (_, i) => ({
          id: id + i,
          channels: ["news"],
          type: "said",
          payload
        }))
        yield* memory.append(events)
        yield* hub.publish(events)
        yield* Effect.sleep("1 millis")
      }
      yield* quick.next("event", total)
      assert.isAtMost(hub.unsafeNumbers().queued, 64 * 1024)
      slow.ws.resume()
      const gap = yield* slow.next("gap", 1)
      assert.strictEqual(gap.reason, "slow")
      const at = slow.messages.indexOf(gap)
      const ids = slow.messages
        .slice(0, at)
        .flatMap((message) => (message.op === "event" ? [message.id] : []))
      // Everything before the gap is there, and the gap begins where that ends.
      assert.deepStrictEqual(
        ids,
        Array.from({ length: ids.length }, (_, i) => i + 1)
      )
      assert.strictEqual(gap.from, ids.length)
      assert.isAbove(gap.to, gap.from)
      // Asking for it again brings all of it.
      yield* slow.resume(slow.first.token, gap.from)
      yield* slow.until("the last event", () => slow.ids().at(-1) === total)
      const resumed = slow.messages.findLastIndex((message) => message.op === "connected")
      const after = slow.messages
        .slice(resumed)
        .flatMap((message) => (message.op === "event" ? [message.id] : []))
      assert.deepStrictEqual(
        after,
        Array.from({ length: total - gap.from }, (_, i) => gap.from + 1 + i)
      )
    })
  )

  it.scopedLive("a client that does not read is closed, where that is the policy", () =>
    Effect.gen(function* () {
      const { hub, port } = yield* open({ config: { queue: 64 * 1024, slowClients: "close" } })
      const slow = yield* connect(port)
      yield* slow.subscribe("news")
      slow.ws.pause()
      const payload = "x".repeat(16_000)
      for (let id = 1; id <= 1000; id++) {
        yield* hub.publish([{ id, channels: ["news"], type: "said", payload }])
        if (id % 10 === 0) yield* Effect.sleep("1 millis")
      }
      slow.ws.resume()
      assert.strictEqual((yield* slow.end).code, 1013)
      const ids = slow.ids()
      assert.deepStrictEqual(
        ids,
        Array.from({ length: ids.length }, (_, i) => i + 1)
      )
    })
  )

  it.scopedLive("sessions are saved at intervals and at the end of their connection", () =>
    Effect.gen(function* () {
      const saved: Array<ReadonlyArray<{ readonly id: string; readonly total: number }>> = []
      const store = {
        save: (sessions: (typeof saved)[number]) => Effect.sync(() => void saved.push(sessions)),
        claim: () => Effect.succeed(Option.none()),
        sweep: () => Effect.void
      }
      const { port } = yield* open({ store, config: { sessionInterval: Duration.millis(100) } })
      const client = yield* connect(port)
      yield* client.subscribe("news")
      yield* eventually("it is saved", () => saved.flat().some(({ total }) => total === 1))
      const before = saved.flat().length
      yield* Effect.sleep("250 millis")
      // Nothing has changed: nothing is saved.
      assert.strictEqual(saved.flat().length, before)
      yield* client.ask({ op: "ping" }, "pong")
      client.ws.terminate()
      yield* eventually("it is saved again", () => saved.flat().at(-1)?.total === 2)
      assert.strictEqual(saved.flat().at(-1)?.id, client.first.session)
    })
  )
})
