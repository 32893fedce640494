/** Events: what they say, under which ids, and how consumers go through them. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as LedgerStore from "../../src/insights/LedgerStore.js"
import * as Outbox from "../../src/insights/Outbox.js"
import * as OutboxTable from "../../src/insights/tables/OutboxTable.js"
import * as Made from "./Made.js"
import * as Service from "./Service.js"

const made = Service.chain(100, 10).map((facts) => Made.full(facts, { payments: 20 }))

/** A store that begins with the ledger of that index. */
const fresh = (first: number, last: number) =>
  Effect.gen(function* () {
    const context = yield* Effect.flatMap(Service.fresh, (config) => Layer.build(Service.storeOn(config)))
    const store = yield* Effect.provide(LedgerStore.LedgerStore, context)
    yield* store.claim("a network")
    yield* Effect.forEach(made.slice(first, last), store.commit)
    return { store, outbox: yield* Effect.provide(Outbox.Outbox, context) }
  })

/** All events, read a few at a time. */
const all = (outbox: Outbox.Shape) =>
  Effect.gen(function* () {
    const events: Array<Outbox.Event> = []
    for (;;) {
      const page = yield* outbox.readAfter(events.at(-1)?.id ?? 0, 17)
      if (page.length === 0) return events
      events.push(...page)
    }
  })
const alert = (key: string, ledger: number): Outbox.NewEvent => ({
  kind: "health_alert",
  key,
  ledger,
  payload: { key, rate: 0.5 }
})

describe("the outbox", () => {
  it.scoped("tells of a ledger, its payments, corridors and pools, in this order", () =>
    Effect.gen(function* () {
      const { outbox } = yield* fresh(0, 1)
      const [ledger] = made
      const { corridors, facts, payments, pools } = ledger!
      const events = yield* all(outbox)
      const kinds = events.map(({ kind }) => kind)
      const others = corridors.filter(
        (one) => one.success + one.failedOwn + one.rolledBack + one.noOpResult > 0
      )
      assert.isBelow(others.length, corridors.length)
      assert.deepStrictEqual(kinds, [
        "ledger_closed",
        ...payments.map(() => "new_payment"),
        ...others.map(() => "corridor_update"),
        ...pools.images.map(() => "pool_update")
      ])
      for (const { closedAt, ledger } of events) {
        assert.deepStrictEqual({ closedAt, ledger }, { closedAt: facts.closeTime, ledger: facts.sequence })
      }
      assert.deepStrictEqual(events[0]!.payload, {
        sequence: 100,
        hash: facts.hash,
        protocol: 23,
        txCount: 3,
        successTx: 2,
        failedTx: 1,
        opCount: 4
      })
      const ofPayments = events.filter(({ kind }) => kind === "new_payment")
      for (const [index, { self: _self, ...payment }] of payments.entries()) {
        const text = (value: bigint | null) => (value === null ? null : String(value))
        const { fromMuxedId, srcAmount, toMuxedId, dstAmount, toid } = payment
        assert.strictEqual(ofPayments[index]!.key, String(toid))
        assert.deepStrictEqual(ofPayments[index]!.payload, {
          ...payment,
          toid: String(toid),
          srcAmount: String(srcAmount),
          dstAmount: String(dstAmount),
          fromMuxedId: text(fromMuxedId),
          toMuxedId: text(toMuxedId)
        })
      }
      const corridor = events.find(({ kind }) => kind === "corridor_update")!
      const { dstAsset, dstVolume, failedOwn, noOpResult, rolledBack, srcAsset, srcVolume, success } =
        others[0]!
      assert.strictEqual(corridor.key, `${srcAsset}~${dstAsset}`)
      assert.deepStrictEqual(corridor.payload, {
        srcAsset,
        dstAsset,
        success,
        failedOwn,
        noOpResult,
        rolledBack,
        srcVolume: String(srcVolume),
        dstVolume: String(dstVolume)
      })
      const pool = events.find(({ kind }) => kind === "pool_update")!
      assert.strictEqual(pool.key, pools.images[0]!.id)
      assert.include(pool.payload, {
        assetA: pools.images[0]!.assetA,
        reserveA: String(pools.images[0]!.reserveA),
        trades: 2
      })
    })
  )

  it.scoped("gives a ledger's events the same ids in every database, rising, and below 2^53", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* fresh(0, 5), yield* fresh(2, 5)]
      const [events, later] = [yield* all(one.outbox), yield* all(other.outbox)]
      assert.deepStrictEqual(
        events.filter(({ ledger }) => ledger >= 102),
        later
      )
      const ids = events.map(({ id }) => id)
      assert.deepStrictEqual(
        ids,
        [...new Set(ids)].sort((a, b) => a - b)
      )
      assert.isTrue(Number.isSafeInteger(OutboxTable.firstId(2 ** 32)))
      assert.strictEqual(OutboxTable.ledgerOf(OutboxTable.firstId(4_294_967_295) + 5), 4_294_967_295)
    })
  )

  it.scoped("puts events of tasks after what was committed and before the next ledger, once each", () =>
    Effect.gen(function* () {
      const { outbox, store } = yield* fresh(0, 2)
      const before = yield* outbox.head
      yield* outbox.transaction(outbox.append([alert("a", 100), alert("b", 101), alert("a", 100)]))
      yield* outbox.transaction(outbox.append([alert("b", 101), alert("a", 101)]))
      yield* outbox.append([])
      const told = yield* outbox.readAfter(before, 10)
      assert.deepStrictEqual(
        told.map(({ key, kind, ledger, payload }) => ({ key, kind, ledger, payload })),
        [alert("a", 100), alert("b", 101), alert("a", 101)]
      )
      yield* store.commit(made[2]!)
      const [next] = yield* outbox.readAfter(told.at(-1)!.id, 1)
      assert.deepStrictEqual([next!.kind, next!.ledger], ["ledger_closed", 102])
    })
  )

  it.scoped("has no event of what was rolled back", () =>
    Effect.gen(function* () {
      const { outbox } = yield* fresh(0, 1)
      const head = yield* outbox.head
      yield* Effect.flip(
        outbox.transaction(Effect.zipRight(outbox.append([alert("a", 100)]), Effect.fail("undone")))
      )
      assert.deepStrictEqual(yield* outbox.readAfter(head, 10), [])
      assert.strictEqual(yield* outbox.head, head)
    })
  )

  it.scoped("wakes who waits, at once for what is in, and not before the commit", () =>
    Effect.gen(function* () {
      const { outbox, store } = yield* fresh(0, 1)
      const head = yield* outbox.head
      yield* outbox.awaitAfter(head - 1)
      const waiting = yield* Effect.fork(outbox.awaitAfter(head))
      yield* Effect.yieldNow()
      yield* Effect.flip(
        outbox.transaction(Effect.zipRight(outbox.append([alert("a", 100)]), Effect.fail("undone")))
      )
      yield* Effect.yieldNow()
      assert.isNull(waiting.unsafePoll())
      yield* outbox.transaction(outbox.append([alert("a", 100)]))
      yield* waiting.await
      const more = yield* Effect.fork(outbox.awaitAfter(yield* outbox.head))
      yield* store.commit(made[1]!)
      yield* more.await
    })
  )

  it.scoped("remembers how far a consumer has come, which never goes back", () =>
    Effect.gen(function* () {
      const { outbox } = yield* fresh(0, 2)
      const head = yield* outbox.head
      assert.isTrue(Option.isNone(yield* outbox.position("one")))
      assert.strictEqual(yield* outbox.register("one", "oldest"), 0)
      assert.strictEqual(yield* outbox.register("two", "newest"), head)
      yield* outbox.advance("one", head - 3)
      yield* outbox.advance("one", head - 5)
      assert.strictEqual(Option.getOrNull(yield* outbox.position("one")), head - 3)
      assert.strictEqual(yield* outbox.register("one", "newest"), head - 3)
      assert.strictEqual((yield* outbox.readAfter(head - 3, 10)).length, 3)
      yield* outbox.forget("one")
      assert.isTrue(Option.isNone(yield* outbox.position("one")))
    })
  )
})
