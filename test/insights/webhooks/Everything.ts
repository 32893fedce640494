/** Everything that is done with webhooks, once: for tests that look at how. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as DeliveryStore from "../../../src/webhooks/DeliveryStore.js"
import * as Hooks from "./Hooks.js"

/** Does it, on a file that has events. */
export const run = (file: { readonly url: string; readonly filename: string }) =>
  Effect.gen(function* () {
    const hooks = yield* Hooks.make({}, file)
    const { outbox, store, subscriptions } = hooks
    const { subscription } = yield* subscriptions.create(Hooks.everything)
    const { id } = subscription
    yield* subscriptions.create({ ...Hooks.everything, filters: { anchor: "one" } })
    yield* subscriptions.all
    yield* subscriptions.update(id, { description: "changed" })
    yield* subscriptions.rotate(id)
    yield* Hooks.fanOut(hooks, yield* outbox.readAfter(0, 20))
    const { id: number } = yield* subscriptions.test(id)
    yield* subscriptions.redeliver(id, number)
    const at = Date.now() + 1000
    const due = yield* store.due(at, 5)
    assert.isAbove(due.length, 3)
    const record = { at, latencyMillis: 5, status: 500, body: "", error: null }
    const nexts: ReadonlyArray<DeliveryStore.Next> = [
      { _tag: "Delivered" },
      { _tag: "Retry", at: at + 1000, holdUntil: at + 500 },
      { _tag: "Gone" }
    ]
    for (const [i, next] of nexts.entries()) {
      yield* store.content(due[i]!, at)
      yield* store.settle(due[i]!, record, next)
    }
    yield* subscriptions.update(id, { active: true })
    yield* subscriptions.redeliver(id, due[0]!.id)
    yield* store.nextAt(at)
    yield* store.waiting
    for (const before of [undefined, 1_000_000]) {
      for (const status of [undefined, "pending" as const]) {
        yield* subscriptions.deliveries(id, { status, before, limit: 2 })
      }
    }
    yield* store.prune(at + 1)
    yield* subscriptions.remove(id)
  })
