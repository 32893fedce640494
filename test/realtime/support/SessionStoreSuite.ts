/** What every session store must do, whatever it keeps sessions in. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type * as SessionStore from "../../../src/realtime/SessionStore.js"

export const session = (id: string, more: Partial<SessionStore.Session> = {}): SessionStore.Session => ({
  id,
  tokenHash: `hash of ${id}`,
  epoch: 0,
  total: 0,
  channels: [],
  lastEventId: 0,
  expiresAt: 10_000,
  ...more
})

/** Runs the tests on a store that `make` opens, empty, for each of them. Expiry must follow the `now` that is given, not a clock of the store's own. */
export const sessionStoreSuite = (
  name: string,
  make: Effect.Effect<SessionStore.Shape, unknown, Scope.Scope>
): void =>
  void describe(`${name} is a session store`, () => {
    it.scopedLive("a session is found by its token's hash as it was saved last, its epoch one higher", () =>
      Effect.gen(function* () {
        const store = yield* make
        const a = session("a", {
          total: 3,
          channels: ["news", "corridor:USD:G~EUR:G", 'quote"d'],
          lastEventId: Number.MAX_SAFE_INTEGER
        })
        yield* store.save([session("b", { total: 9 }), { ...a, total: 1, channels: [] }])
        yield* store.save([a])
        assert.deepStrictEqual(Option.getOrNull(yield* store.claim(a.tokenHash, 5000)), { ...a, epoch: 1 })
        assert.strictEqual(Option.getOrNull(yield* store.claim("hash of b", 5000))?.total, 9)
      })
    )

    it.scopedLive("what was never saved is not found", () =>
      Effect.gen(function* () {
        const store = yield* make
        yield* store.save([])
        yield* store.save([session("a")])
        assert.isNull(Option.getOrNull(yield* store.claim("hash of b", 0)))
        assert.isNull(Option.getOrNull(yield* store.claim("a", 0)))
      })
    )

    it.scopedLive(
      "every claim raises the epoch, in the store as well; two at once get two different ones",
      () =>
        Effect.gen(function* () {
          const store = yield* make
          yield* store.save([session("a")])
          const claims = yield* Effect.all(
            Array.from({ length: 5 }, () => store.claim("hash of a", 0)),
            { concurrency: "unbounded" }
          )
          const epochs = claims.map((claim) => Option.getOrNull(claim)?.epoch)
          assert.deepStrictEqual(epochs.toSorted(), [1, 2, 3, 4, 5])
        })
    )

    it.scopedLive("of many claimed at once everyone gets his own, also when others are interrupted", () =>
      Effect.gen(function* () {
        const store = yield* make
        const ids = Array.from({ length: 300 }, (_, i) => `s${i}`)
        yield* store.save(ids.map((id, i) => session(id, { total: i, expiresAt: i % 3 === 0 ? 100 : 200 })))
        const claims = yield* Effect.forEach(ids, (id) => Effect.fork(store.claim(`hash of ${id}`, 150)))
        yield* Effect.yieldNow()
        yield* Effect.forEach(
          claims.filter((_, i) => i % 7 === 0),
          (claim) => Fiber.interruptFork(claim)
        )
        for (const [i, claim] of claims.entries()) {
          const exit = yield* Fiber.await(claim)
          if (i % 7 === 0 && Exit.isInterrupted(exit)) continue
          const found = Option.getOrNull(yield* exit)
          if (i % 3 === 0) assert.isNull(found)
          else assert.deepStrictEqual([found?.id, found?.total, found?.epoch], [ids[i], i, 1])
        }
        assert.strictEqual(Option.getOrNull(yield* store.claim("hash of s1", 150))?.epoch, 2)
      })
    )

    it.scopedLive("what an earlier owner saves is ignored; what the owner saves counts", () =>
      Effect.gen(function* () {
        const store = yield* make
        yield* store.save([session("a", { total: 1 })])
        const claimed = Option.getOrThrow(yield* store.claim("hash of a", 0))
        yield* store.save([{ ...claimed, total: 5 }])
        yield* store.save([session("a", { total: 2 })])
        const again = Option.getOrThrow(yield* store.claim("hash of a", 0))
        assert.deepStrictEqual([again.total, again.epoch], [5, 2])
      })
    )

    it.scopedLive("a session expires at its moment unless it is saved again, and is swept only then", () =>
      Effect.gen(function* () {
        const store = yield* make
        yield* store.save([session("a", { expiresAt: 1000 }), session("b", { expiresAt: 1000 })])
        yield* store.sweep(999)
        assert.isTrue(Option.isSome(yield* store.claim("hash of a", 999)))
        assert.isNull(Option.getOrNull(yield* store.claim("hash of a", 1000)))
        yield* store.save([session("b", { expiresAt: 2000 })])
        yield* store.sweep(1000)
        assert.isTrue(Option.isSome(yield* store.claim("hash of b", 1999)))
        // Swept is gone, whatever the moment that is asked for.
        assert.isNull(Option.getOrNull(yield* store.claim("hash of a", 0)))
      })
    )

    it.scopedLive("many are saved in one call", () =>
      Effect.gen(function* () {
        const store = yield* make
        yield* store.save(Array.from({ length: 500 }, (_, i) => session(`s${i}`, { total: i })))
        for (const i of [0, 250, 499]) {
          assert.strictEqual(Option.getOrNull(yield* store.claim(`hash of s${i}`, 0))?.total, i)
        }
      })
    )
  })
