/** D3: sessions kept in Redis are found by another process, and a Redis that is away costs a session and no event. */
import { afterEach, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import * as WsClient from "../realtime/support/WsClient.js"
import * as Child from "../support/Child.js"
import * as RedisServer from "../support/RedisServer.js"
import * as TableDump from "../support/TableDump.js"

afterEach(Child.clear)

const { note, path } = RedisServer.tool

const start = async (env: Record<string, string>) => {
  const child = Child.serve({
    WS_SESSION_STORE: "redis",
    WS_SESSION_INTERVAL: "0.1",
    // Whoever waits for what a killed process did goes on soon.
    LEASE_TTL: "1",
    STELLAR_SIMULATED_INTERVAL: "0.2",
    ...env
  })
  return { child, port: Number(new URL(await Child.url(child)).port) }
}

/** Lines about the session store, in order. */
const said = (child: Child.Child) =>
  child.lines().flatMap(({ event_type }) => {
    const type = String(event_type)
    return /^ws_session_(save|claim|sweep)_failed$/.test(type)
      ? ["away"]
      : type === "ws_session_store_back"
        ? ["back"]
        : []
  })

const pings = (client: WsClient.WsClient, times: number) =>
  Effect.repeatN(client.ask({ op: "ping" }, "pong"), times - 1)

const lastId = (client: WsClient.WsClient) => client.ids().at(-1)!

/** What was told in a session, over all of its connections: each event once, in order, and none left out. */
const assertNoneMissed = (file: string, ids: ReadonlyArray<number>) => {
  const between = TableDump.reading(file, (database) =>
    database
      .prepare("SELECT id FROM outbox WHERE kind = 'ledger_closed' AND id >= ? AND id <= ? ORDER BY id")
      .pluck()
      .all(ids[0], ids.at(-1))
  )
  assert.deepStrictEqual(ids, between as ReadonlyArray<number>)
}

describe.skipIf(path === undefined)(`WS_SESSION_STORE=redis${note}`, () => {
  it.scopedLive(
    "a client goes on at another process, after a kill, after a stop, and while Redis is away",
    () =>
      Effect.gen(function* () {
        const redis = yield* RedisServer.run
        const file = join(Child.folder(), "insights.db")
        const env = { REDIS_URL: redis.url, DATABASE_URL: `sqlite:${file}` }
        const [one, two] = yield* Effect.promise(async () => [await start(env), await start(env)] as const)

        // Killed, so that only what was saved at intervals is there.
        const first = yield* WsClient.connect(one.port)
        yield* first.subscribe("ledgers")
        yield* pings(first, 3)
        yield* first.next("event")
        const { session, token } = first.first
        const isSaved = Effect.promise(() => redis.ask("KEYS *session:*")).pipe(
          Effect.repeat({ until: (keys) => keys.includes(":session:") })
        )
        yield* isSaved
        yield* Effect.sleep("300 millis")
        one.child.kill("SIGKILL")
        yield* first.end
        const second = yield* WsClient.connect(two.port)
        const resumed = yield* second.resume(token, lastId(first))
        // Five messages: the subscription, three pings, and the resumption itself.
        assert.deepInclude(resumed, { resumed: true, session, channels: ["ledgers"], total: 5 })
        yield* second.next("event", 2)

        // Stopped, which saves what is newest.
        const three = yield* Effect.promise(() => start(env))
        yield* pings(second, 2)
        two.child.kill("SIGTERM")
        const { total } = yield* second.next("bye", 1)
        assert.strictEqual(total, 7)
        yield* second.end
        assert.strictEqual((yield* Effect.promise(() => two.child.end)).code, 0)
        const third = yield* WsClient.connect(three.port)
        const again = yield* third.resume(resumed.token, lastId(second))
        assert.deepInclude(again, { resumed: true, session, total: total + 1 })
        yield* third.next("event", 2)
        const rows = TableDump.reading(file, (database) =>
          database.prepare("SELECT count(*) FROM realtime_session").pluck().get()
        )
        assert.strictEqual(rows, 0)

        // Away: who is there stays, and who comes back gets a new session and every event.
        yield* Effect.promise(() => redis.kill())
        yield* Effect.promise(() => three.child.says(/redis_degraded/))
        const before = third.ids().length
        yield* pings(third, 1)
        yield* third.next("event", before + 2)
        const elsewhere = yield* WsClient.connect(three.port)
        const other = yield* elsewhere.resume(resumed.token.replace(/^./, "_"), lastId(third), ["ledgers"])
        assert.deepInclude(other, { resumed: false, channels: ["ledgers"] })
        assert.notStrictEqual(other.session, session)
        yield* elsewhere.next("event", 2)
        yield* Effect.promise(() => three.child.says(/ws_session_(save|claim|sweep)_failed/))
        yield* Effect.sleep("500 millis")
        assert.deepStrictEqual(said(three.child), ["away"])

        // Back, and empty: what has changed since is saved, and found.
        yield* Effect.promise(() => redis.start())
        yield* Effect.promise(() => three.child.says(/ws_session_store_back/))
        yield* pings(third, 1)
        yield* isSaved
        assert.deepStrictEqual(said(three.child), ["away", "back"])
        const seen = third.ids()
        three.child.kill("SIGTERM")
        assert.strictEqual((yield* third.next("bye", 1)).total, total + 3)
        assert.strictEqual((yield* Effect.promise(() => three.child.end)).code, 0)
        assertNoneMissed(file, [...first.ids(), ...second.ids(), ...seen])
        assert.deepStrictEqual(
          elsewhere.ids().slice(0, 2),
          third
            .ids()
            .filter((id) => id > other.lastEventId)
            .slice(0, 2)
        )
      })
  )

  it("needs REDIS_URL, and says so", async () => {
    const child = Child.serve({ WS_SESSION_STORE: "redis" })
    assert.strictEqual((await child.end).code, 2)
    assert.match(`${child.stdout()}${child.stderr()}`, /WS_SESSION_STORE.*needs REDIS_URL/)
  })
})
