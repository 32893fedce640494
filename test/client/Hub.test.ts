import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { WebSocket } from "ws"
import { connect } from "../../src/client/index.js"
import type { Client, Options, Refusal, ServerMessage, State } from "../../src/client/index.js"
import * as EventLog from "../../src/realtime/EventLog.js"
import * as SessionStore from "../../src/realtime/SessionStore.js"
import * as HubHarness from "../realtime/support/HubHarness.js"
import { door } from "./support/Door.js"

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const events = (from: number, to: number, payload: unknown = null) =>
  range(from, to).map((id) => ({ id, channels: ["news"], type: "said", payload }))

/** Waits for a condition, in real time. */
const until = (what: string, done: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => (done() ? Effect.void : Effect.fail(what))).pipe(
    Effect.retry({ while: () => Effect.as(Effect.sleep("5 millis"), true) }),
    Effect.timeoutFail({ duration: "15 seconds", onTimeout: () => what }),
    Effect.orDie
  )

/** A client of the package, on `ws`, that comes back quickly; closed with the scope. */
const open = (url: string, options: Partial<Options> = {}) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const sockets: Array<WebSocket> = []
      const seen = {
        ids: [] as Array<number>,
        gaps: [] as Array<string>,
        states: [] as Array<State>,
        refusals: [] as Array<Refusal>,
        messages: [] as Array<ServerMessage>
      }
      const client: Client = connect({
        url,
        channels: ["news"],
        WebSocket: class extends WebSocket {
          constructor(url: string) {
            super(url)
            sockets.push(this)
          }
        },
        backoff: { baseMs: 20, capMs: 100 },
        onEvent: ({ id }) => seen.ids.push(id),
        onGap: ({ from, reason, to }) => seen.gaps.push(`${reason} ${from} ${to}`),
        onState: (state) => seen.states.push(state),
        onRefusal: (refusal) => seen.refusals.push(refusal),
        onMessage: (message) => seen.messages.push(message),
        ...options
      })
      return { client, seen, sockets }
    }),
    ({ client }) => Effect.sync(() => client.close())
  ).pipe(
    Effect.map((made) => ({
      ...made,
      opened: until("opened", () => made.client.state.status === "open"),
      has: (id: number) => until(`event ${id}`, () => made.seen.ids.at(-1) === id)
    }))
  )

/** A hub, again and again over the same log and sessions. */
const hubs = Effect.gen(function* () {
  const log = yield* EventLog.makeMemory(100_000)
  const store = yield* SessionStore.makeMemory
  let last = 0
  return {
    log,
    open: (options: HubHarness.Options = {}) => HubHarness.open({ log, store, ...options }),
    /** Appends the next `n` events, and tells these hubs. */
    happens: (
      n: number,
      ...told: ReadonlyArray<{ readonly hub: { readonly publish: EventLog.Memory["append"] } }>
    ) => {
      const some = events(last + 1, (last += n))
      return Effect.zipRight(
        log.append(some),
        Effect.forEach(told, ({ hub }) => hub.publish(some), { discard: true })
      )
    }
  }
})

describe("a client of the hub", () => {
  it.scopedLive("comes back after a restart when it was asked to, and has missed nothing", () =>
    Effect.gen(function* () {
      const { happens, open: hub } = yield* hubs
      const one = yield* hub({ config: { reconnectSpread: Duration.millis(300) } })
      const way = yield* door(one.port)
      const { client, has, opened, seen } = yield* open(way.url)
      yield* opened
      yield* happens(3, one)
      yield* one.drain
      yield* happens(2, one)
      yield* has(5)
      way.leadsTo = undefined
      yield* one.release
      yield* until("waiting", () => client.state.status === "waiting")
      const hint = seen.messages.find((message) => message.op === "server_shutdown")
      assert.isDefined(hint)
      assert.deepInclude(seen.states.at(-1), {
        status: "waiting",
        delayMs: hint?.reconnectAfterMs,
        failures: 0,
        close: { code: 1001, reason: "" }
      })
      assert.deepInclude(seen.messages.at(-1), { op: "bye", total: 1 })
      yield* happens(4)
      const two = yield* hub()
      way.leadsTo = two.port
      yield* has(9)
      yield* happens(1, two)
      yield* has(10)
      assert.deepStrictEqual(seen.ids, range(1, 10))
      assert.deepInclude(client.state, { status: "open", resumed: true })
    })
  )

  it.scopedLive(
    "loses and doubles nothing while its connection is cut again and again, and servers take turns",
    () =>
      Effect.gen(function* () {
        const { happens, open: hub } = yield* hubs
        const both = [yield* hub(), yield* hub()] as const
        const way = yield* door(both[0].port)
        const one = yield* open(way.url)
        yield* one.opened
        const other = yield* open(way.url, {
          session: { lastEventId: 0, channels: ["news"] },
          backoff: { baseMs: 5, capMs: 30 }
        })
        yield* other.opened
        for (const i of range(1, 25)) {
          yield* happens(40, both[0])
          if (i % 3 !== 0) yield* Effect.sleep("3 millis")
          way.leadsTo = i % 4 === 0 ? undefined : both[i % 2]!.port
          way.cut()
          yield* Effect.sleep(`${i % 5} millis`)
          // The other one hears of it later, as from another process.
          yield* both[1].hub.publish(events(i * 40 - 39, i * 40))
        }
        way.leadsTo = both[1].port
        way.cut()
        for (const { has, seen } of [one, other]) {
          yield* has(1000)
          assert.deepStrictEqual(seen.ids, range(1, 1000))
          assert.deepStrictEqual(seen.gaps, [])
        }
        // On a busy machine fewer attempts come between two cuts.
        assert.isAbove(way.passed, 5)
      })
  )

  it.scopedLive("goes on in another page's life, where it was, with what it has kept", () =>
    Effect.gen(function* () {
      const { happens, open: hub } = yield* hubs
      const one = yield* hub()
      const url = `ws://127.0.0.1:${one.port}/ws`
      const before = yield* open(url)
      yield* before.opened
      yield* happens(3, one)
      yield* before.has(3)
      const kept = JSON.stringify(before.client.resumeState())
      before.client.close()
      yield* happens(3, one)
      const after = yield* open(url, { channels: undefined, session: JSON.parse(kept) })
      yield* after.has(6)
      assert.deepStrictEqual(after.seen.ids, [4, 5, 6])
      assert.deepInclude(after.client.state, { status: "open", resumed: true })
    })
  )

  it.scopedLive("stops when somebody goes on with its session; called back, it leaves it to them", () =>
    Effect.gen(function* () {
      const { happens, open: hub } = yield* hubs
      const one = yield* hub()
      const url = `ws://127.0.0.1:${one.port}/ws`
      const first = yield* open(url)
      yield* first.opened
      const second = yield* open(url, { session: first.client.resumeState() })
      yield* until("taken over", () => first.client.state.status === "closed")
      assert.strictEqual(first.seen.states.at(-1)?.status, "closed")
      assert.deepInclude(first.client.state, {
        close: { code: 4001, reason: "the session was resumed on another connection" }
      })
      yield* happens(2, one)
      first.client.reconnect()
      yield* happens(2, one)
      for (const { has, seen } of [first, second]) {
        yield* has(4)
        assert.deepStrictEqual(seen.ids, [1, 2, 3, 4])
      }
      assert.strictEqual(second.sockets.length, 1)
    })
  )

  it.scopedLive("stops at a close by policy", () =>
    Effect.gen(function* () {
      const one = yield* HubHarness.open()
      const { client, opened, sockets } = yield* open(`ws://127.0.0.1:${one.port}/ws`)
      yield* opened
      for (const text of ["1", "2", "3"]) sockets[0]!.send(text)
      yield* until("closed", () => client.state.status === "closed")
      assert.deepInclude(client.state, { close: { code: 1008, reason: "three refusals in a row" } })
      yield* Effect.sleep("150 millis")
      assert.strictEqual(sockets.length, 1)
    })
  )

  it.scopedLive(
    "keeps trying where it is refused before the upgrade, and is let in with the right token",
    () =>
      Effect.gen(function* () {
        const authToken = Option.some(Redacted.make("a secret of 16 ch".replaceAll(" ", "-")))
        const one = yield* HubHarness.open({ config: { authToken } })
        const url = `ws://127.0.0.1:${one.port}/ws`
        const wrong = yield* open(url, { token: "another" })
        yield* until(
          "three attempts",
          () => wrong.seen.states.filter(({ status }) => status === "waiting").length >= 3
        )
        assert.deepInclude(
          wrong.seen.states.find(({ status }) => status === "waiting"),
          { close: { code: 1006, reason: "" } }
        )
        const right = yield* open(url, { token: "a-secret-of-16-ch" })
        yield* right.opened
      })
  )

  it.scopedLive("is told of channels that there are not, however many, and keeps the others", () =>
    Effect.gen(function* () {
      const { happens, open: hub } = yield* hubs
      const one = yield* hub()
      const { client, has, opened, seen, sockets } = yield* open(`ws://127.0.0.1:${one.port}/ws`, {
        channels: ["a", "news", "b", "c", "d", "sport", "e"]
      })
      yield* opened
      yield* happens(1, one)
      yield* has(1)
      assert.deepStrictEqual(
        seen.refusals.flatMap(({ channels }) => channels),
        ["a", "b", "c", "d", "e"]
      )
      assert.deepStrictEqual(client.channels, ["news", "sport"])
      assert.strictEqual(sockets.length, 1)
    })
  )

  it.scopedLive(
    "that reads too slowly loses nothing: it has the server begin again where events were dropped",
    () =>
      Effect.gen(function* () {
        const { log, open: hub } = yield* hubs
        const one = yield* hub({ config: { queue: 16 * 1024 } })
        const { has, opened, seen, sockets } = yield* open(`ws://127.0.0.1:${one.port}/ws`)
        yield* opened
        sockets[0]!.pause()
        const payload = "x".repeat(100_000)
        for (const id of range(1, 120)) {
          const some = events(id, id, payload)
          yield* log.append(some)
          yield* one.hub.publish(some)
        }
        sockets[0]!.resume()
        yield* has(120)
        assert.deepStrictEqual(seen.ids, range(1, 120))
        assert.deepStrictEqual(seen.gaps, [])
        assert.isAbove(seen.messages.filter(({ op }) => op === "gap").length, 0)
        assert.strictEqual(sockets.length, 1)
      })
  )

  it.scopedLive("with a loop that is slow keeps little, and gets everything in time", () =>
    Effect.gen(function* () {
      const { happens, open: hub } = yield* hubs
      const one = yield* hub()
      const { client, opened, seen } = yield* open(`ws://127.0.0.1:${one.port}/ws`, { buffer: 50 })
      const ids: Array<number> = []
      const loop = (async () => {
        for await (const item of client) {
          if (item.op === "event") ids.push(item.id)
          if (ids.length % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
          if (ids.length === 2000) break
        }
      })()
      yield* opened
      for (const _ of range(1, 20)) yield* happens(100, one)
      yield* Effect.promise(() => loop)
      assert.deepStrictEqual(ids, range(1, 2000))
      assert.isAbove(seen.messages.filter(({ op }) => op === "connected").length, 2)
    })
  )
})
