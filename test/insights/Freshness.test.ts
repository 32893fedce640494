/** Who changes what answers are made of says so: once for what came in a row, and for everything that came. */
import { assert, describe, it } from "@effect/vitest"
import * as SqlError from "@effect/sql/SqlError"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as Cache from "../../src/cache/Cache.js"
import * as Freshness from "../../src/insights/Freshness.js"
import * as LedgerBell from "../../src/insights/LedgerBell.js"
import * as LedgerStore from "../../src/insights/LedgerStore.js"

const settle = Effect.zipRight(Effect.yieldNow(), TestClock.adjust(0))

/** A store whose cursor is the test's, and a cache that notes with which ledger it was invalidated, and takes as long as the test wants. */
const make = Effect.gen(function* () {
  const bell = LedgerBell.make(10)
  const state = { cursor: 10, isBroken: false, reads: 0, gate: Option.none<Deferred.Deferred<void>>() }
  const told: Array<number> = []
  const store = {
    cursor: Effect.suspend(() => {
      state.reads += 1
      return state.isBroken
        ? Effect.fail(new SqlError.SqlError({ cause: new Error("broken"), message: "broken" }))
        : Effect.succeedSome({ sequence: state.cursor, hash: "" })
    }),
    awaitAfter: bell.awaitAfter
  } as unknown as LedgerStore.Shape
  const cache = {
    invalidate: (...tags: ReadonlyArray<string>) =>
      Effect.suspend(() => {
        assert.deepStrictEqual(tags, [Freshness.ledger])
        told.push(state.cursor)
        return Option.match(state.gate, { onNone: () => Effect.void, onSome: Deferred.await })
      })
  } as unknown as Cache.Shape
  yield* Layer.build(
    Layer.provide(Freshness.layer, [
      Layer.succeed(LedgerStore.LedgerStore, store),
      Layer.succeed(Cache.Cache, cache)
    ])
  )
  yield* settle
  const commit = Effect.suspend(() => bell.ring(++state.cursor))
  return { commit, state, told }
})

describe("what makes answers outdated", () => {
  it.scoped("is told with each ledger, and not before there is a new one", () =>
    Effect.gen(function* () {
      const { commit, told } = yield* make
      assert.deepStrictEqual(told, [])
      for (const _ of [1, 2, 3]) yield* Effect.zipRight(commit, settle)
      assert.deepStrictEqual(told, [11, 12, 13])
    })
  )

  it.scoped("is told once of what came while others were being told, and none of it is forgotten", () =>
    Effect.gen(function* () {
      const { commit, state, told } = yield* make
      const gate = yield* Deferred.make<void>()
      state.gate = Option.some(gate)
      yield* Effect.zipRight(commit, settle)
      for (const _ of [1, 2, 3]) yield* Effect.zipRight(commit, settle)
      assert.deepStrictEqual(told, [11])
      state.gate = Option.none()
      yield* Deferred.succeed(gate, void 0)
      yield* settle
      assert.deepStrictEqual(told, [11, 14])
    })
  )

  it.scoped("is told when the database can be read again, which is tried once in a second", () =>
    Effect.gen(function* () {
      const { commit, state, told } = yield* make
      state.isBroken = true
      const { reads } = state
      yield* Effect.zipRight(commit, settle)
      yield* TestClock.adjust("2500 millis")
      assert.strictEqual(state.reads - reads, 3)
      assert.deepStrictEqual(told, [])
      state.isBroken = false
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(told, [11])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(told, [11])
    })
  )
})
