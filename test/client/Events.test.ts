import { assert, describe, it } from "@effect/vitest"
import type { Item, Options } from "../../src/client/index.js"
import { confirm, connected, event, gap, open, refusal, resume, turn } from "./support/Fake.js"

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

/** A client that is subscribed to news, up to event 10. */
const subscribed = (options: Partial<Options> = {}) => {
  const test = open({ channels: ["news"], ...options })
  test.socket.greets(9)
  test.socket.says(confirm(10, "news"))
  test.socket.asked()
  return test
}

describe("events", () => {
  it("are handed out once and in rising order, whatever the server repeats", () => {
    const test = subscribed()
    test.socket.says(event(10), event(11), event(11), event(13), event(12), event(14))
    assert.deepStrictEqual(test.seen.ids, [11, 13, 14])
  })

  it("are dealt with within their call; a handler that throws holds up nothing", async () => {
    const states: Array<unknown> = []
    const test = subscribed({
      onEvent: () => states.push(test.client.resumeState())
    })
    test.socket.says(event(11))
    assert.deepStrictEqual(states, [{ token: "new", lastEventId: 11, channels: ["news"] }])

    const thrown: Array<unknown> = []
    const known = process.listeners("uncaughtException")
    process.removeAllListeners("uncaughtException")
    process.on("uncaughtException", (error) => thrown.push(error.message))
    try {
      const failing = subscribed({
        onEvent: ({ id }) => {
          throw new Error(`no ${id}`)
        }
      })
      failing.socket.says(event(11), event(12))
      await new Promise((resolve) => setImmediate(resolve))
      assert.deepStrictEqual(thrown, ["no 11", "no 12"])
      assert.strictEqual(failing.client.resumeState()?.lastEventId, 12)
    } finally {
      process.removeAllListeners("uncaughtException")
      for (const listener of known) process.on("uncaughtException", listener)
    }
  })

  it("what is no event of the protocol is told, what is new to it is ignored", () => {
    const test = subscribed()
    test.socket.says(
      "{",
      "[]",
      "7",
      '{"op":7}',
      { op: "event", id: "11" },
      { op: "wave" },
      { ...event(11), more: 1 }
    )
    assert.deepStrictEqual(test.seen.ids, [11])
    assert.deepStrictEqual(
      test.seen.refusals.map(({ code }) => code),
      range(1, 5).map(() => "unreadable")
    )
  })

  it("notices are handed on, before anything is subscribed as well", () => {
    const test = open()
    test.socket.greets(9)
    test.socket.says({ op: "notice", title: "t", message: "hello", level: "info" })
    assert.deepStrictEqual(test.seen.notices, ["hello"])
  })
})

describe("where a client goes on", () => {
  it("with a kept session there, with its channels or others; lastEventId counts more", () => {
    const session = { token: "kept", lastEventId: 7, channels: ["news"] }
    const test = open({ session })
    test.socket.opens()
    assert.deepStrictEqual(test.socket.asked(), [{ op: "resume", ...session }])
    assert.deepStrictEqual(test.client.resumeState(), session)
    const other = open({ session, channels: ["sport"], lastEventId: 5 })
    other.socket.opens()
    assert.deepStrictEqual(other.socket.asked(), [
      { op: "resume", token: "kept", lastEventId: 5, channels: ["sport"] }
    ])
    const none = open({ session: null, lastEventId: 5, channels: ["news"] })
    none.socket.greets(9)
    assert.deepStrictEqual(none.socket.asked(), [resume(5, "news")])
    assert.isUndefined(open().client.resumeState())
  })

  it("a confirmation moves it on, but not while events are still to be resumed", async () => {
    const test = subscribed()
    assert.strictEqual(test.client.resumeState()?.lastEventId, 10)
    test.client.subscribe("sport")
    await turn()
    assert.deepStrictEqual(test.socket.asked(), [{ op: "subscribe", channels: ["sport"] }])
    // Events were dropped just before it was confirmed.
    test.socket.says(event(11), gap(11, 14, "slow"), event(15), confirm(15, "news", "sport"), event(16))
    assert.deepStrictEqual(test.socket.asked(), [resume(11, "news", "sport")])
    assert.strictEqual(test.client.resumeState()?.lastEventId, 11)
    test.socket.says(event(17), connected(11, { resumed: true, channels: ["news", "sport"] }))
    test.socket.says(...range(12, 18).map((id) => event(id)))
    assert.deepStrictEqual(test.seen.ids, range(11, 18))
    assert.deepStrictEqual(test.seen.gaps, [])
  })

  it("where events are gone the gap is handed out, and counts as dealt with", () => {
    const test = subscribed()
    test.cut()
    test.pass(30_000)
    test.socket.opens()
    test.socket.says(connected(40), connected(10, { resumed: true, channels: ["news"] }))
    test.socket.says(gap(10, 20, "retention"))
    assert.strictEqual(test.client.resumeState()?.lastEventId, 20)
    test.socket.says(event(21))
    assert.deepStrictEqual(test.seen.gaps, [[10, 20, "retention"]])
    assert.deepStrictEqual(test.seen.ids, [21])
  })

  it("in another database, whose ids are lower, it goes on with those, after a gap", () => {
    const test = subscribed()
    test.cut()
    test.pass(30_000)
    test.socket.opens()
    test.socket.says(
      connected(3),
      connected(10, { channels: ["news"] }),
      gap(3, 10, "ahead"),
      event(4),
      event(5)
    )
    assert.deepStrictEqual(test.seen.gaps, [[3, 10, "ahead"]])
    assert.deepStrictEqual(test.seen.ids, [4, 5])
    assert.strictEqual(test.client.resumeState()?.lastEventId, 5)
  })

  it("who wants nothing has nothing to resume; who wants something again is asked about another database", async () => {
    const test = subscribed()
    test.client.unsubscribe("news")
    await turn()
    assert.deepStrictEqual(test.socket.asked(), [{ op: "unsubscribe", channels: ["news"] }])
    test.socket.says(confirm(12))
    test.cut()
    test.pass(30_000)
    test.socket.greets(20, "second")
    assert.deepStrictEqual(test.socket.asked(), [])
    assert.strictEqual(test.client.state.status, "open")
    assert.strictEqual(test.client.resumeState()?.lastEventId, 20)
    test.client.subscribe("sport")
    await turn()
    assert.deepStrictEqual(test.socket.asked(), [{ op: "subscribe", channels: ["sport"] }])
    test.socket.says(confirm(21, "sport"))
    test.client.unsubscribe("sport")
    await turn()
    test.socket.says(confirm(21))
    test.cut()
    test.pass(30_000)
    // Behind us: it may only be slow, or know nothing of our ids.
    test.socket.greets(3, "third")
    test.socket.asked()
    test.client.subscribe("news")
    await turn()
    assert.deepStrictEqual(test.socket.asked(), [
      { op: "resume", token: "second", lastEventId: 21, channels: ["news"] }
    ])
  })
})

describe("subscriptions", () => {
  it("are asked for one at a time: the difference of what is wanted to what there is", async () => {
    const test = subscribed()
    test.client.subscribe("a", "b")
    test.client.subscribe("c", "a")
    test.client.unsubscribe("b", "news")
    await turn()
    assert.deepStrictEqual(test.socket.asked(), [{ op: "subscribe", channels: ["a", "c"] }])
    test.client.unsubscribe("c")
    test.client.subscribe("d")
    await turn()
    assert.deepStrictEqual(test.socket.asked(), [])
    test.socket.says(confirm(12, "news", "a", "c"))
    assert.deepStrictEqual(test.socket.asked(), [{ op: "subscribe", channels: ["d"] }])
    test.socket.says(confirm(12, "news", "a", "c", "d"))
    assert.deepStrictEqual(test.socket.asked(), [{ op: "unsubscribe", channels: ["news", "c"] }])
    test.socket.says(confirm(12, "a", "d"))
    assert.deepStrictEqual(test.socket.asked(), [])
    assert.deepStrictEqual(test.client.channels, ["a", "d"])
  })

  it("what cannot be a channel, or is too much, throws, and nothing of it is wanted", () => {
    const test = subscribed()
    assert.throws(() => test.client.subscribe("fine", "not fine"), RangeError, "not fine")
    assert.throws(() => test.client.subscribe(...range(1, 1000).map((i) => `c${i}`)), RangeError, "1001")
    assert.deepStrictEqual(test.client.channels, ["news"])
  })

  it("without a connection, or in one that is resuming, they come with the resume or after it", async () => {
    const test = subscribed()
    test.cut()
    test.client.subscribe("sport")
    await turn()
    test.pass(30_000)
    test.socket.opens()
    assert.deepStrictEqual(test.socket.asked(), [resume(10, "news", "sport")])
    test.client.subscribe("more")
    await turn()
    test.socket.says(connected(40))
    assert.deepStrictEqual(test.socket.asked(), [])
    test.socket.says(connected(10, { resumed: true, channels: ["news", "sport"] }), event(11))
    assert.deepStrictEqual(test.socket.asked(), [{ op: "subscribe", channels: ["more"] }])
  })

  it("who drops all channels while they are being resumed, and wants one again, has missed nothing of it", async () => {
    const test = subscribed()
    test.cut()
    test.pass(30_000)
    test.socket.opens()
    test.client.unsubscribe("news")
    await turn()
    test.socket.says(connected(40, { token: "other" }))
    test.client.subscribe("news")
    await turn()
    test.socket.says(connected(10, { resumed: true, channels: ["news"] }), event(11))
    assert.deepStrictEqual(test.socket.asked(), [resume(10, "news")])
    assert.deepStrictEqual(test.seen.ids, [11])
  })

  it("a channel that is refused is told and given up, the others are asked for again", async () => {
    const test = subscribed()
    test.client.subscribe("a", 'odd"name', "b")
    await turn()
    test.socket.asked()
    test.socket.says(refusal("unknown_channel", "there are a, b and news", 'odd"name'))
    assert.deepStrictEqual(test.socket.asked(), [{ op: "ping" }, { op: "subscribe", channels: ["a", "b"] }])
    assert.deepInclude(test.seen.refusals[0], { code: "unknown_channel", channels: ['odd"name'] })
    test.socket.says(refusal("too_many_channels", "a client may have 1 channels"))
    assert.deepInclude(test.seen.refusals[1], { code: "too_many_channels", channels: ["a", "b"] })
    assert.deepStrictEqual(test.socket.asked(), [{ op: "ping" }])
    assert.deepStrictEqual(test.client.channels, ["news"])
  })

  it("a channel that is not there any more does not keep the others from being resumed", () => {
    const test = open({ session: { token: "new", lastEventId: 7, channels: ["gone", "news"] } })
    test.socket.opens()
    test.socket.says(connected(9, { token: "other" }), refusal("unknown_channel", "no such", "gone"))
    assert.deepStrictEqual(test.socket.asked().slice(1), [{ op: "ping" }, resume(7, "news")])
    test.socket.says({ op: "pong" }, connected(7, { resumed: true, channels: ["news"] }), event(8))
    assert.deepStrictEqual(test.seen.ids, [8])
    const all = open({ session: { token: "new", lastEventId: 7, channels: ["gone"] } })
    all.socket.opens()
    all.socket.says(connected(9), refusal("unknown_channel", "in other words"))
    assert.strictEqual(all.client.state.status, "open")
    assert.deepStrictEqual(all.client.channels, [])
  })

  it("a channel on which nothing happens is resumed from where the server last said that it was", () => {
    const test = subscribed()
    const before = test.client.resumeState()!.lastEventId
    test.socket.says({ op: "pong", lastEventId: before + 50 })
    assert.strictEqual(test.client.resumeState()?.lastEventId, before + 50)
    test.socket.says({ op: "pong" }, { op: "pong", lastEventId: before })
    assert.strictEqual(test.client.resumeState()?.lastEventId, before + 50)
    // Before the resume is answered, nothing of that counts.
    const back = open({ session: { token: "new", lastEventId: 7, channels: ["news"] } })
    back.socket.opens()
    back.socket.says({ op: "pong", lastEventId: 50 })
    assert.strictEqual(back.client.resumeState()?.lastEventId, 7)
  })

  it("what was not handled because there was too much is asked again a second later", async () => {
    const test = subscribed()
    test.client.subscribe("a")
    await turn()
    test.socket.asked()
    test.socket.says(refusal("too_many_messages", "more than 50 a second"))
    test.pass(999)
    assert.deepStrictEqual(test.socket.asked(), [])
    test.pass(1)
    assert.deepStrictEqual(test.socket.asked(), [{ op: "subscribe", channels: ["a"] }])
    // It was another one; and now there is more to be asked, which is not asked twice.
    test.socket.says(gap(10, 11, "slow"), refusal("too_many_messages", "more than 50 a second"))
    test.pass(1000)
    assert.deepStrictEqual(test.socket.asked(), [resume(10, "news", "a")])
    test.socket.says(confirm(11, "news", "a"))
    assert.deepStrictEqual(test.socket.asked(), [])
    test.socket.says(refusal("too_many_messages", "more than 50 a second"))
    test.cut({ code: 1008 })
    assert.strictEqual(test.timers.size, 0)
  })

  it("what is told otherwise is handed on", () => {
    const test = subscribed()
    test.socket.says(refusal("unavailable", "events cannot be read now"))
    assert.deepStrictEqual(test.seen.refusals, [
      { code: "unavailable", message: "events cannot be read now", channels: [] }
    ])
  })
})

describe("a loop over a client", () => {
  it("gets events and gaps; what it works on is not dealt with yet", async () => {
    const test = subscribed()
    const seen: Array<readonly [number, number | undefined]> = []
    const loop = (async () => {
      for await (const item of test.client) {
        seen.push([item.op === "gap" ? item.to : item.id, test.client.resumeState()?.lastEventId])
        if (seen.length === 3) break
      }
    })()
    test.socket.says(event(12), gap(12, 14, "retention"))
    assert.strictEqual(test.client.resumeState()?.lastEventId, 10)
    test.socket.says(event(15), event(16))
    await loop
    assert.deepStrictEqual(seen, [
      [12, 10],
      [14, 12],
      [15, 14]
    ])
    assert.strictEqual(test.client.resumeState()?.lastEventId, 16)
  })

  it("that is slow has the server wait: what is too much is left, and resumed when there is room", async () => {
    const test = subscribed({ buffer: 4 })
    const loop = test.client[Symbol.asyncIterator]()
    const first = loop.next()
    test.socket.says(...range(11, 30).map((id) => event(id)))
    const ids = [((await first).value as Item & { id: number }).id]
    assert.deepStrictEqual(test.seen.ids, range(11, 14))
    // Neither a confirmation nor a gap further on says anything about what was left.
    test.socket.says(confirm(30, "news"), gap(30, 40, "retention"))
    assert.deepStrictEqual(test.seen.gaps, [])
    assert.strictEqual(test.client.resumeState()?.lastEventId, 10)
    const next = async () => ids.push(((await loop.next()).value as Item & { id: number }).id)
    await next()
    assert.deepStrictEqual(test.socket.asked(), [resume(14, "news")])
    test.socket.says(event(31), connected(14, { resumed: true, channels: ["news"] }))
    test.socket.says(event(15), event(16))
    while (ids.length < 6) await next()
    assert.deepStrictEqual(ids, range(11, 16))
  })

  it("ends with the client, after what has come; with an error when the server has ended it", async () => {
    const test = subscribed()
    const take = async (seen: Array<number>) => {
      for await (const item of test.client) seen.push(item.op === "gap" ? item.to : item.id)
    }
    const one: Array<number> = []
    const ended = take(one)
    test.socket.says(event(11))
    test.cut({ code: 1008, reason: "a flood" })
    assert.match(String(await ended.catch((error: unknown) => error)), /for good: 1008 a flood/)
    assert.deepStrictEqual(one, [11])
    test.client.reconnect()
    const two: Array<number> = []
    const again = take(two)
    test.socket.opens()
    test.socket.says(connected(11), connected(11, { resumed: true, channels: ["news"] }), event(12))
    test.client.close()
    await again
    assert.deepStrictEqual(two, [12])
  })
})
