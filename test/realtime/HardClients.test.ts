import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import { request } from "../http/support/RawClient.js"
import { open } from "./support/HubHarness.js"
import { connect } from "./support/WsClient.js"

/** A client's text, masked with zeros. */
const text = (content: string): Buffer => {
  const bytes = Buffer.from(content)
  return Buffer.concat([Buffer.from([0x81, 0x80 | bytes.length, 0, 0, 0, 0]), bytes])
}

const handshake = request(
  "GET",
  "/ws",
  "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)
/** A server's close frame with 1001, and what a client answers: a ping that crossed it, and its own close frame. */
const goingAway = Buffer.from([0x88, 2, 0x03, 0xe9])
const answerToClose = Buffer.from([0x89, 0x80, 0, 0, 0, 0, 0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9])

const subscribe = text('{"op":"subscribe","channels":["news"]}')

/** A peer that speaks by hand, and answers nothing by itself. `then` is what it does once it has been answered. */
const peer = (
  port: number,
  then: (socket: Net.Socket) => void
): Effect.Effect<Net.Socket, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<Net.Socket>((resume) => {
      const socket = Net.connect({ port, host: "127.0.0.1" })
      socket.on("error", () => {})
      socket.once("close", () => resume(Effect.succeed(socket)))
      socket.once("data", () => {
        then(socket)
        resume(Effect.succeed(socket))
      })
      socket.write(handshake)
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

/** Does something every few milliseconds while the connection is there. */
const often = (socket: Net.Socket, act: () => void) => {
  const timer = setInterval(act, 2)
  socket.once("close", () => clearInterval(timer))
}

/** Wants everything, and never reads again. */
const silent = (socket: Net.Socket) => {
  socket.write(subscribe)
  socket.pause()
}

/** Wants and reads everything, but never says anything again: no pong, no close frame. */
const deaf = (socket: Net.Socket) => {
  socket.write(subscribe)
  socket.resume()
}

/** Wants everything, and reads it by the hundred bytes. */
const slow = (socket: Net.Socket) => {
  socket.write(subscribe)
  socket.pause()
  often(socket, () => socket.read(100))
}

/** Sends more messages than may be, also when it has been closed for that. */
const flooder = (socket: Net.Socket) => {
  const many = Buffer.concat(Array.from({ length: 50 }, () => text('{"op":"ping"}')))
  socket.resume()
  often(socket, () => socket.writableNeedDrain || socket.write(many))
}

/** Sends what is no message. */
const babbler = (socket: Net.Socket) => {
  socket.resume()
  often(socket, () => socket.write(text("{{{{")))
}

/** Sends what is no frame. */
const stranger = (socket: Net.Socket) => {
  socket.resume()
  often(socket, () => socket.write(Buffer.alloc(50, 0xff)))
}

/** As a peer that comes back whenever it has been thrown out; `count` is of that. */
const returning = (port: number, then: (socket: Net.Socket) => void, count: { ended: number }) =>
  peer(port, then).pipe(
    Effect.flatMap((socket) =>
      Effect.async<void>((resume) => {
        socket.on("end", () => socket.destroy())
        if (socket.destroyed) resume(Effect.void)
        else socket.once("close", () => resume(Effect.void))
      })
    ),
    Effect.scoped,
    Effect.tap(() => Effect.sync(() => count.ended++)),
    Effect.zipRight(Effect.sleep("5 millis")),
    Effect.forever,
    Effect.forkScoped
  )

describe("hard clients, all at once", () => {
  it.scopedLive("none delays the others, and none delays the stop beyond its limit", () =>
    Effect.gen(function* () {
      const limit = 2000
      const queue = 256 * 1024
      const { drain, hub, logged, port, release } = yield* open({
        limit,
        config: { queue, messageRate: 200 }
      })
      const polite = yield* Effect.all(Array.from({ length: 4 }, () => connect(port)))
      for (const client of polite) yield* client.subscribe("news")
      for (const kind of [silent, silent, deaf, deaf, slow, slow]) yield* peer(port, kind)
      const counts = [flooder, babbler, stranger].map((kind) => ({ kind, ended: 0 }))
      for (const count of counts) yield* returning(port, count.kind, count)

      const payload = "x".repeat(4000)
      let last = 0
      /** Publishes ten events, and waits until everybody who behaves has them. Gives the milliseconds. */
      const round = Effect.suspend(() => {
        const events = Array.from({ length: 10 }, () => ({
          id: ++last,
          channels: ["news"],
          type: "said",
          payload
        }))
        return hub.publish(events).pipe(
          Effect.zipRight(Effect.forEach(polite, (client) => client.next("event", last))),
          Effect.timed,
          Effect.map(([duration]) => Duration.toMillis(duration))
        )
      })
      let worst = 0
      // Until the network holds what it can and the hub as much as it may, and everybody has been thrown out who has to be.
      while (
        last < 500 ||
        hub.unsafeNumbers().queued < 2 * (queue - 50_000) ||
        counts.some(({ ended }) => ended < 1)
      ) {
        worst = Math.max(worst, yield* round)
        assert.isBelow(last, 20_000, JSON.stringify([counts, hub.unsafeNumbers()]))
      }
      assert.isBelow(worst, 2000)
      for (const client of polite) yield* client.ask({ op: "ping" }, "pong")

      yield* drain
      assert.isBelow(yield* round, 2000)
      const releasing = yield* Effect.forkScoped(release)
      for (const client of polite) {
        assert.strictEqual((yield* client.end).code, 1001)
        assert.deepInclude(client.messages.at(-1), { op: "bye", total: 2 })
        assert.deepStrictEqual(
          client.ids(),
          Array.from({ length: last }, (_, i) => i + 1)
        )
      }
      // Nobody who behaves has waited for those who do not answer: these have still their time.
      assert.isNull(Option.getOrNull(yield* Fiber.poll(releasing)))
      assert.isBelow(yield* Fiber.join(releasing), limit)
      const [completed] = logged("ws_shutdown_completed")
      assert.isAtLeast(Number(completed?.["terminated"]), 4)
      yield* Effect.iterate(hub.unsafeNumbers().connections, {
        while: (connections) => connections > 0,
        body: () =>
          Effect.as(Effect.sleep("5 millis"), 0).pipe(Effect.map(() => hub.unsafeNumbers().connections))
      })
    })
  )

  it.scopedLive(
    "one that answers the close but never ends its own side holds up nothing, and loses nothing",
    () =>
      Effect.gen(function* () {
        const { drain, hub, logged, port, release } = yield* open({ limit: 8000 })
        let received = Buffer.alloc(0)
        const socket = yield* Effect.acquireRelease(
          Effect.sync(() => Net.connect({ port, host: "127.0.0.1", allowHalfOpen: true })),
          (socket) => Effect.sync(() => socket.destroy())
        )
        socket.on("error", () => {})
        const ended = new Promise<void>((resolve) => socket.once("end", resolve))
        socket.on("data", (chunk: Buffer) => {
          received = Buffer.concat([received, chunk])
          if (received.subarray(-4).equals(goingAway)) socket.write(answerToClose)
        })
        socket.write(handshake)
        const client = yield* connect(port)
        yield* drain
        assert.isBelow(yield* release, 4000)
        assert.strictEqual((yield* client.end).code, 1001)
        yield* Effect.promise(() => ended)
        assert.include(received.toString("latin1"), '"bye":true')
        // Nothing follows a close frame, not even the answer to a ping.
        assert.isTrue(received.subarray(-4).equals(goingAway))
        assert.deepInclude(logged("ws_shutdown_completed")[0], { said_goodbye: 2, terminated: 0 })
        assert.strictEqual(hub.unsafeNumbers().connections, 0)
      })
  )
})
