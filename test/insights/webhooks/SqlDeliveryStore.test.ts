/** Deliveries in the database: what is due, in which order, and what an attempt changes. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import type * as DeliveryStore from "../../../src/webhooks/DeliveryStore.js"
import * as Hooks from "./Hooks.js"

const record = (at: number, status = 200): DeliveryStore.Record => ({
  at,
  status,
  latencyMillis: 12,
  body: "an answer",
  error: null
})
const delivered: DeliveryStore.Next = { _tag: "Delivered" }
const retry = (at: number, holdUntil?: number): DeliveryStore.Next => ({ _tag: "Retry", at, holdUntil })

const corridor = (name: string) => ({ srcAsset: name, dstAsset: "native" })

/** Two events each of two corridors, in turn. */
const four = [1, 2, 3, 4].map((id) => Hooks.event(id, "new_payment", corridor(id % 2 === 0 ? "even" : "odd")))

const ids = (due: ReadonlyArray<DeliveryStore.Due>) =>
  due.map(({ messageId }) => Number(messageId.split("_")[2]))

const prepared = Effect.gen(function* () {
  const hooks = yield* Hooks.make()
  const { subscription } = yield* hooks.subscriptions.create(Hooks.everything)
  yield* Hooks.fanOut(hooks, four)
  const one = (number: number, now = 0) =>
    Effect.map(hooks.store.due(now, 9), (due) => due.find((each) => ids([each])[0] === number)!)
  const shown = Effect.map(
    hooks.read<{
      status: string
      count: number
    }>`SELECT status, count(*) AS count FROM webhook_delivery GROUP BY status`,
    (rows) => Object.fromEntries(rows.map(({ count, status }) => [status, count]))
  )
  const waits = Effect.map(hooks.subscriptions.byId(subscription.id), ({ waiting }) => waiting)
  return { ...hooks, subscription, one, shown, waits, id: subscription.id }
})

describe("what is due", () => {
  it.scoped("is the first of each key, and the next when that is over", () =>
    Effect.gen(function* () {
      const { one, shown, store, waits } = yield* prepared
      assert.deepStrictEqual(ids(yield* store.due(0, 9)), [1, 2])
      assert.deepStrictEqual(ids(yield* store.due(0, 1)), [1])
      yield* store.settle(yield* one(2), record(5), delivered)
      assert.deepStrictEqual(ids(yield* store.due(4, 9)), [1])
      assert.deepStrictEqual(ids(yield* store.due(5, 9)), [1, 4])
      yield* store.settle(yield* one(1), record(6, 500), { _tag: "Dead", holdUntil: undefined })
      assert.deepStrictEqual(ids(yield* store.due(6, 9)), [4, 3])
      assert.deepStrictEqual(yield* shown, { dead: 1, delivered: 1, pending: 2 })
      assert.strictEqual(yield* waits, 2)
      assert.strictEqual(yield* store.waiting, 2)
    })
  )

  it.scoped("waits for its time, and for the time that its endpoint asks for", () =>
    Effect.gen(function* () {
      const { one, store } = yield* prepared
      yield* store.settle(yield* one(1), record(0, 500), retry(5000))
      assert.deepStrictEqual(ids(yield* store.due(4999, 9)), [2])
      assert.strictEqual(yield* store.nextAt(0), 5000)
      assert.deepStrictEqual(ids(yield* store.due(5000, 9)), [2, 1])
      assert.isUndefined(yield* store.nextAt(5000))
      yield* store.settle(yield* one(2), record(0, 429), retry(60_000, 60_000))
      assert.deepStrictEqual(ids(yield* store.due(59_999, 9)), [])
      assert.strictEqual(yield* store.nextAt(5000), 60_000)
      assert.deepStrictEqual(ids(yield* store.due(60_000, 9)), [1, 2])
    })
  )

  it.scoped(
    "is nothing of a subscription that is gone or switched off, and all of it when it is on again",
    () =>
      Effect.gen(function* () {
        const { id, one, store, subscriptions, waits } = yield* prepared
        yield* store.settle(yield* one(1), record(7, 410), { _tag: "Gone" })
        assert.deepStrictEqual(ids(yield* store.due(9, 9)), [])
        assert.isUndefined(yield* store.nextAt(-1))
        assert.strictEqual(yield* store.waiting, 0)
        const gone = yield* subscriptions.byId(id)
        assert.deepInclude(gone, {
          active: false,
          disabledReason: "gone",
          failures: 1,
          lastLatencyMillis: 12
        })
        const again = yield* subscriptions.update(id, { active: true })
        assert.deepInclude(again, {
          active: true,
          disabledReason: null,
          failures: 0,
          lastLatencyMillis: null
        })
        assert.deepStrictEqual(ids(yield* store.due(9, 9)), [2, 3])
        assert.strictEqual(yield* waits, 3)
      })
  )

  it.scoped("says what is known of its endpoint", () =>
    Effect.gen(function* () {
      const { one, store } = yield* prepared
      assert.deepInclude(yield* one(1), { failures: 0, lastLatencyMillis: null, attempts: 0 })
      yield* store.settle(yield* one(1), record(0, 500), retry(1))
      assert.deepInclude(yield* one(1, 1), { failures: 1, lastLatencyMillis: 12, attempts: 1 })
      yield* store.settle(yield* one(2, 1), record(1), delivered)
      assert.deepInclude(yield* one(1, 1), { failures: 0, attempts: 1 })
    })
  )
})

describe("an attempt", () => {
  it.scoped("that was noted by somebody else meanwhile changes nothing", () =>
    Effect.gen(function* () {
      const { id, one, store, subscriptions, waits } = yield* prepared
      const delivery = yield* one(1)
      yield* store.settle(delivery, record(1, 500), retry(2))
      yield* store.settle(delivery, record(1), delivered)
      assert.strictEqual(yield* waits, 4)
      const again = yield* one(1, 2)
      yield* store.settle(again, record(2), delivered)
      yield* store.settle(again, record(2), delivered)
      assert.strictEqual(yield* waits, 3)
      yield* subscriptions.remove(id)
      yield* store.settle(yield* Effect.succeed(again), record(3), delivered)
    })
  )

  it.scoped("carries the body, and a signature by either secret while they overlap", () =>
    Effect.gen(function* () {
      const { id, one, store, subscriptions } = yield* prepared
      const delivery = yield* one(1)
      const before = (yield* store.content(delivery, 0))!
      assert.deepStrictEqual(JSON.parse(before.body), {
        type: "new_payment",
        timestamp: "2023-11-14T22:13:20.000Z",
        ledger: 1,
        data: corridor("odd")
      })
      assert.strictEqual(before.secrets.length, 1)
      yield* TestClock.setTime(10_000)
      const { secret, subscription } = yield* subscriptions.rotate(id)
      assert.strictEqual(subscription.previousUntil, 3_610_000)
      const values = (secrets: ReadonlyArray<unknown>) => JSON.stringify(secrets.map(unredacted))
      const during = (yield* store.content(delivery, 3_609_999))!
      assert.strictEqual(values(during.secrets), values([secret, ...before.secrets]))
      const after = (yield* store.content(delivery, 3_610_000))!
      assert.strictEqual(values(after.secrets), values([secret]))
      yield* subscriptions.update(id, { active: false })
      assert.isUndefined(yield* store.content(delivery, 0))
    })
  )
})

describe("what is over", () => {
  it.scoped("is removed when it is old enough; what waits is not", () =>
    Effect.gen(function* () {
      const { one, shown, store } = yield* prepared
      yield* store.settle(yield* one(1), record(100), delivered)
      yield* store.settle(yield* one(2), record(200), delivered)
      assert.strictEqual(yield* store.prune(100), 0)
      assert.strictEqual(yield* store.prune(101), 1)
      assert.deepStrictEqual(yield* shown, { delivered: 1, pending: 2 })
      assert.strictEqual(yield* store.prune(1_000_000), 1)
      assert.deepStrictEqual(yield* shown, { pending: 2 })
    })
  )
})

describe("the plan of what is asked most", () => {
  it.scoped("goes by the indexes", () =>
    Effect.gen(function* () {
      const { read } = yield* prepared
      const plan = yield* read<{ detail: string }>`EXPLAIN QUERY PLAN SELECT delivery.id
        FROM webhook_subscription AS subscription CROSS JOIN webhook_delivery AS delivery
        WHERE subscription.active = 1 AND subscription.waiting > 0 AND subscription.hold_until <= 1
          AND delivery.id IN (SELECT id FROM webhook_delivery WHERE subscription = subscription.id AND next_at <= 1
            ORDER BY next_at, id LIMIT 8)
        ORDER BY subscription.id, delivery.next_at, delivery.id`
      const text = plan.map(({ detail }) => detail).join("\n")
      assert.include(text, "COVERING INDEX webhook_delivery_due (subscription=? AND next_at<?)")
      assert.notInclude(text, "SCAN delivery")
    })
  )
})

function unredacted(secret: unknown): string {
  return Redacted.value(secret as Redacted.Redacted)
}
