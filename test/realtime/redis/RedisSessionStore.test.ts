import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as RedisSessionStore from "../../../src/realtime/redis/RedisSessionStore.js"
import { connect } from "../../redis/support/Connected.js"
import * as RedisServer from "../../support/RedisServer.js"
import { session, sessionStoreSuite } from "../support/SessionStoreSuite.js"

const { note, path } = RedisServer.tool

const open = Effect.flatMap(RedisServer.run, (server) =>
  Effect.map(connect(server), (connected) => ({
    ...connected,
    server,
    store: RedisSessionStore.make(connected.redis)
  }))
)

describe.skipIf(path === undefined)(`sessions in Redis${note}`, () => {
  sessionStoreSuite(
    "the store in Redis",
    Effect.map(open, ({ store }) => store)
  )

  it.scopedLive("another process finds what this one saved, and owns it from then on", () =>
    Effect.gen(function* () {
      const { server, store } = yield* open
      const other = RedisSessionStore.make((yield* connect(server)).redis)
      yield* store.save([session("a", { total: 3 })])
      const [claimed] = Option.toArray(yield* other.claim("hash of a", 0))
      assert.deepInclude(claimed, { total: 3, epoch: 1 })
      yield* store.save([session("a", { total: 9 })])
      assert.strictEqual(Option.getOrNull(yield* other.claim("hash of a", 0))?.total, 3)
    })
  )

  it.scopedLive(
    "a sweep removes what has expired, however much, and only that; Redis removes what nobody sweeps",
    () =>
      Effect.gen(function* () {
        const { server, store } = yield* open
        const many = Array.from({ length: 1100 }, (_, i) => session(`s${i}`, { expiresAt: 1000 }))
        yield* store.save([...many, session("stays", { expiresAt: 2000 })])
        yield* store.sweep(1999)
        const keys = yield* Effect.promise(() => server.ask("DBSIZE"))
        assert.strictEqual(keys, ":2\r\n")
        const life = yield* Effect.promise(() => server.ask(`PTTL "test:session:hash of stays"`))
        assert.isAbove(Number(life.slice(1)), 7 * 24 * 3_600_000)
        assert.strictEqual(yield* Effect.promise(() => server.ask("PTTL test:sessions")), ":-1\r\n")
      })
  )

  it.scopedLive("a Redis that is away is a failure at once", () =>
    Effect.gen(function* () {
      const { is, server, store } = yield* open
      yield* Effect.promise(server.kill)
      yield* is("degraded")
      for (const attempt of [store.save([session("a")]), store.claim("hash of a", 0), store.sweep(0)]) {
        const failed = yield* Effect.either(attempt)
        assert.strictEqual(Either.isLeft(failed) ? failed.left._tag : "no failure", "SessionStoreError")
      }
    })
  )
})
