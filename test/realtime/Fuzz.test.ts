import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Net from "node:net"
import { request } from "../http/support/RawClient.js"
import { open } from "./support/HubHarness.js"
import { connect } from "./support/WsClient.js"

/** Numbers that look random, the same each time. */
const random = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

const handshake = request(
  "GET",
  "/ws",
  "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)

const texts = [
  "",
  "{",
  "null",
  "[]",
  '{"op":"__proto__"}',
  '{"op":"constructor","channels":["news"]}',
  '{"__proto__":{"op":"ping"}}',
  '{"op":"ping","nonce":1}',
  '{"op":"ping","nonce":"\\u0000\\ud800"}',
  '{"op":"subscribe","channels":["news","news","__proto__"]}',
  '{"op":"subscribe","channels":["item:\\u0001"]}',
  '{"op":"subscribe","channels":["news","item:__proto__"]}',
  '{"op":"unsubscribe","channels":["news"]}',
  '{"op":"resume","token":"x","lastEventId":9007199254740991,"channels":["news"]}',
  '{"op":"resume","token":"x","lastEventId":0,"channels":["news"]}',
  '{"op":"resume","token":"x","lastEventId":1e308}',
  `{"op":"subscribe","channels":[${'"news",'.repeat(900)}"news"]}`,
  "[".repeat(3000),
  '{"op":"ping"}'
]

/** A frame of a client, mostly in order: with what a careless or malicious peer would get wrong. */
const frame = (next: () => number): Buffer => {
  const pick = Math.floor(next() * texts.length)
  const payload =
    next() < 0.7
      ? Buffer.from(texts[pick]!)
      : Buffer.from(Array.from({ length: Math.floor(next() * 40) }, () => Math.floor(next() * 256)))
  const opcodes = next() < 0.7 ? [1] : [0, 1, 2, 8, 9, 10, 3, 11]
  const opcode = opcodes[Math.floor(next() * opcodes.length)]!
  const flags = next() < 0.9 ? 0x80 : Math.floor(next() * 16) << 4
  const masked = next() < 0.97 ? 0x80 : 0
  const length = next() < 0.97 ? payload.length : Math.floor(next() * 65_536)
  const head =
    length < 126
      ? Buffer.from([flags | opcode, masked | length])
      : Buffer.from([flags | opcode, masked | 126, length >> 8, length & 255])
  const mask = Buffer.from([1, 2, 3, 4])
  const body = masked === 0 ? payload : Buffer.concat([mask, payload.map((byte, i) => byte ^ mask[i & 3]!)])
  return Buffer.concat([head, body])
}

/** One peer that says a few things and goes, properly or not. Ends with its connection. */
const peer = (port: number, seed: number): Effect.Effect<void> =>
  Effect.async((resume) => {
    const next = random(seed)
    const socket = Net.connect({ port, host: "127.0.0.1" })
    const done = () => resume(Effect.void)
    socket.on("error", () => {})
    socket.resume()
    socket.on("close", done)
    socket.on("end", () => socket.destroy())
    socket.once("connect", () => {
      const frames = Array.from({ length: 1 + Math.floor(next() * 12) }, () => frame(next))
      const all = Buffer.concat([Buffer.from(handshake), ...frames])
      // Cut anywhere: also inside the handshake, and inside a frame.
      const cut = Math.floor(next() * all.length)
      socket.write(all.subarray(0, cut))
      setImmediate(() => {
        if (socket.destroyed) return
        if (next() < 0.2) return void socket.destroy()
        socket.write(all.subarray(cut))
        setImmediate(() => (next() < 0.5 ? socket.destroy() : socket.end()))
      })
    })
  })

describe("fuzz", () => {
  it.scopedLive("nothing that a client sends crashes the hub, or hurts another client", () =>
    Effect.gen(function* () {
      const { hub, port, publish, release } = yield* open({ config: { messageRate: 1000 } })
      const witness = yield* connect(port)
      yield* witness.subscribe("news")
      const peers = 600
      const publications = 100
      yield* Effect.all(
        [
          Effect.forEach(
            Array.from({ length: peers }, (_, i) => i),
            (seed) => peer(port, seed),
            { concurrency: 30, discard: true }
          ),
          Effect.forEach(Array.from({ length: publications }), () =>
            Effect.zipRight(publish(["news"], ["item:__proto__"]), Effect.sleep("5 millis"))
          )
        ],
        { concurrency: 2, discard: true }
      )
      yield* witness.next("event", publications)
      assert.deepStrictEqual(
        witness.ids(),
        Array.from({ length: publications }, (_, i) => i * 2 + 1)
      )
      yield* witness.ask({ op: "ping" }, "pong")
      yield* Effect.sleep("100 millis")
      const numbers = hub.unsafeNumbers()
      // Nobody is left behind, and the peers did get through to where it matters.
      assert.deepInclude(numbers, { connections: 1, groups: 1 })
      assert.isAbove(numbers.accepted, peers / 2)
      assert.isAbove(numbers.messages, 100)
      yield* release
      assert.strictEqual((yield* witness.end).code, 1001)
    })
  )
})
