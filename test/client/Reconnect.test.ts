import { assert, describe, it } from "@effect/vitest"
import { WebSocket } from "ws"
import { connect } from "../../src/client/index.js"
import type { Options } from "../../src/client/index.js"
import { confirm, connected, event, FakeSocket, gap, open, resume, turn } from "./support/Fake.js"

/** A client that is subscribed to news, up to event 10. */
const subscribed = (options: Partial<Options> = {}) => {
  const test = open({ channels: ["news"], ...options })
  test.socket.greets(9)
  assert.deepStrictEqual(test.socket.asked(), [{ op: "subscribe", channels: ["news"] }])
  test.socket.says(confirm(10, "news"))
  return test
}

describe("where a client connects", () => {
  it("is what it is told; http becomes ws, and the token goes into the query", () => {
    assert.strictEqual(
      open({ url: "https://here/ws?a=1", token: "a&b" }).socket.url,
      "wss://here/ws?a=1&token=a%26b"
    )
    assert.strictEqual(open({ url: "http://here:8080/ws" }).socket.url, "ws://here:8080/ws")
  })

  it("without a WebSocket, with a URL that is none or a session that is none it says so at once", () => {
    const own = globalThis as { WebSocket?: unknown }
    const known = own.WebSocket
    try {
      own.WebSocket = undefined
      assert.throws(
        () => connect({ url: "ws://here/" }),
        /no WebSocket here .* connect\(\{ WebSocket, … \}\)/
      )
      own.WebSocket = FakeSocket
      assert.strictEqual(connect({ url: "ws://here/" }).state.status, "connecting")
    } finally {
      own.WebSocket = known
    }
    // The class of ws is one that fits.
    assert.throws(() => connect({ url: "/ws", WebSocket }))
    assert.throws(() => open({ session: { lastEventId: -1, channels: [] } }), /lastEventId/)
    assert.throws(() => open({ session: JSON.parse('{"lastEventId":"7","channels":[]}') }), /lastEventId/)
    assert.throws(() => open({ session: { token: "", lastEventId: 1, channels: [] } }), /token/)
    assert.throws(() => open({ channels: ["two words"] }), RangeError)
  })
})

describe("a client that loses its connection", () => {
  it("waits a random time up to a bound that doubles up to the cap, and begins again once one has lasted", () => {
    const test = open({ backoff: { baseMs: 100, capMs: 500, resetAfterMs: 1000 } })
    const delays: Array<number | undefined> = []
    for (let i = 0; i < 5; i++) {
      delays.push(test.cut())
      const before = test.sockets.length
      test.pass(delays.at(-1)! - 1)
      assert.strictEqual(test.sockets.length, before)
      test.pass(1)
    }
    assert.deepStrictEqual(delays, [50, 100, 200, 250, 250])
    assert.strictEqual(test.sockets.length, 6)
    assert.deepInclude(test.client.state, { status: "connecting", failures: 5 })
    // Taken and lost at once is no success.
    test.socket.greets(1)
    test.pass(999)
    assert.strictEqual(test.cut({ code: 1013 }), 250)
    test.pass(250)
    test.socket.greets(1)
    test.pass(1000)
    assert.strictEqual(test.cut({ code: 1013 }), 50)
  })

  it("resumes at once, without waiting for the greeting, whose id means nothing to it", () => {
    const test = subscribed()
    test.socket.says(event(11), event(12))
    test.cut()
    test.pass(30_000)
    test.socket.opens()
    assert.deepStrictEqual(test.socket.asked(), [resume(12, "news")])
    test.socket.says(connected(99, { token: "another" }))
    // It ends before it is answered: nothing has changed.
    test.cut()
    test.pass(30_000)
    test.socket.opens()
    assert.deepStrictEqual(test.socket.asked(), [resume(12, "news")])
    test.socket.says(connected(99, { token: "another" }))
    assert.strictEqual(test.client.state.status, "connecting")
    test.socket.says(connected(12, { resumed: true, channels: ["news"] }), event(13))
    assert.deepInclude(test.client.state, { status: "open", resumed: true, session: "session of new" })
    assert.deepStrictEqual(test.seen.ids, [11, 12, 13])
    assert.deepStrictEqual(test.socket.asked(), [])
  })

  it("between the greeting and the confirmation it goes on after the greeting", () => {
    const test = open({ channels: ["news"] })
    test.socket.greets(9)
    test.cut()
    test.pass(30_000)
    test.socket.opens()
    assert.deepStrictEqual(test.socket.asked(), [
      { op: "resume", token: "new", lastEventId: 9, channels: ["news"] }
    ])
  })

  it("whose session is not known any more goes on in the new one", () => {
    const test = subscribed()
    test.cut()
    test.pass(30_000)
    test.socket.opens()
    test.socket.says(
      connected(50, { token: "second" }),
      connected(10, { token: "second", channels: ["news"] }),
      event(11)
    )
    assert.deepInclude(test.client.state, { status: "open", resumed: false, session: "session of second" })
    assert.deepStrictEqual(test.client.resumeState(), {
      token: "second",
      lastEventId: 11,
      channels: ["news"]
    })
  })

  it("comes back when the server has said, once", () => {
    const test = subscribed()
    test.socket.says({ op: "server_shutdown", message: "soon", reconnectAfterMs: 4321 })
    test.socket.says(event(11), { op: "bye", bye: true, total: 1, message: "bye" })
    assert.deepStrictEqual(test.seen.ids, [11])
    assert.strictEqual(test.cut({ code: 1001 }), 4321)
    test.pass(4320)
    assert.strictEqual(test.sockets.length, 1)
    test.pass(1)
    assert.strictEqual(test.sockets.length, 2)
    assert.strictEqual(test.cut({ code: 1001 }), 500)
  })

  it("does not believe a server that sends it away for ever", () => {
    const test = subscribed()
    test.socket.says({ op: "server_shutdown", message: "", reconnectAfterMs: 1e15 })
    assert.strictEqual(test.cut({ code: 1001 }), 600_000)
  })

  it.each([1008, 1009, 4001])("stays away after %i, unless it is asked", (code) => {
    const test = subscribed()
    assert.isUndefined(test.cut({ code, reason: "why" }))
    assert.deepStrictEqual(test.client.state, { status: "closed", close: { code, reason: "why" } })
    assert.strictEqual(test.timers.size, 0)
    test.client.reconnect()
    assert.deepInclude(test.client.state, { status: "connecting" })
    assert.strictEqual(test.sockets.length, 2)
    const always = subscribed({ reconnects: () => true })
    assert.isDefined(always.cut({ code }))
  })

  it("leaves its session to who has taken it over, and goes on with another at the same event", () => {
    const test = subscribed()
    test.cut({ code: 4001 })
    test.client.reconnect()
    test.socket.opens()
    assert.deepStrictEqual(test.socket.asked(), [])
    test.socket.says(connected(30, { token: "second" }))
    assert.deepStrictEqual(test.socket.asked(), [
      { op: "resume", token: "second", lastEventId: 10, channels: ["news"] }
    ])
  })

  it("gives up an attempt without a greeting, and a peer that is silent and does not answer", () => {
    const test = open({ channels: ["news"] })
    test.socket.opens()
    test.pass(10_000)
    assert.isTrue(test.sockets[0]!.isTerminated)
    assert.deepInclude(test.client.state, { status: "waiting" })
    test.socket.says(connected(9))
    assert.strictEqual(test.timers.size, 1)
    test.pass(500)
    test.socket.greets(9)
    test.socket.asked()
    test.pass(30_000)
    // It was heard in that time.
    assert.deepStrictEqual(test.socket.asked(), [])
    test.pass(30_000)
    assert.deepStrictEqual(test.socket.asked(), [{ op: "ping" }])
    test.socket.says({ op: "pong" })
    test.pass(40_000)
    assert.deepStrictEqual(test.socket.asked(), [{ op: "ping" }])
    test.pass(9_999)
    assert.isFalse(test.socket.isTerminated)
    const [, dead] = test.sockets
    test.pass(1)
    assert.isTrue(dead!.isTerminated)
    assert.deepInclude(test.client.state, {
      status: "waiting",
      close: { code: 1006, reason: "the server does not answer" }
    })
    // What it says after all is not heard.
    dead!.says(event(11))
    dead!.ends(1001)
    assert.deepStrictEqual(test.seen.ids, [])
  })

  it("survives attempts that cannot even be made", () => {
    const made: Array<FakeSocket> = []
    let attempts = 0
    const test = open({
      WebSocket: class extends FakeSocket {
        constructor(url: string) {
          super(url)
          if (++attempts === 2) throw new Error("not on this page")
          made.push(this)
        }
      }
    })
    made[0]!.ends()
    test.pass(500)
    assert.strictEqual(attempts, 2)
    assert.deepInclude(test.client.state, {
      status: "waiting",
      failures: 2,
      close: { code: 1006, reason: "Error: not on this page" }
    })
    test.pass(1000)
    assert.strictEqual(made.length, 2)
  })
})

describe("a client that is closed", () => {
  it("says 1000, leaves no timer, and is not called any more", async () => {
    const test = subscribed()
    const { socket } = test
    test.client.close()
    assert.strictEqual(socket.closedWith, 1000)
    assert.deepStrictEqual(test.client.state, { status: "closed" })
    socket.says(event(11))
    socket.ends(1000)
    test.client.subscribe("sport")
    await turn()
    assert.deepStrictEqual(socket.asked(), [])
    assert.strictEqual(test.timers.size, 0)
    assert.deepStrictEqual(test.seen.ids, [])
    assert.deepStrictEqual(
      test.seen.states.map(({ status }) => status),
      ["open"]
    )
    const waiting = open()
    waiting.cut()
    waiting.client.close()
    waiting.pass(100_000)
    assert.strictEqual(waiting.sockets.length, 1)
  })

  it("may be closed from within a handler", () => {
    const test = subscribed({ onEvent: ({ id }) => id === 12 && test.client.close() })
    test.socket.says(event(11), event(12), event(13), gap(13, 14, "retention"))
    assert.strictEqual(test.client.resumeState()?.lastEventId, 12)
    assert.deepStrictEqual(test.seen.gaps, [])
    const listening = subscribed({ onMessage: ({ op }) => op === "notice" && listening.client.close() })
    listening.socket.says({ op: "notice", title: "", message: "", level: "info" })
    assert.deepStrictEqual(listening.seen.notices, [])
  })
})
