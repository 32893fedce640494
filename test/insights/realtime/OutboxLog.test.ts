import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Database from "../../../src/insights/Database.js"
import * as LedgerStore from "../../../src/insights/LedgerStore.js"
import * as Outbox from "../../../src/insights/Outbox.js"
import * as OutboxLog from "../../../src/insights/realtime/OutboxLog.js"
import * as Retention from "../../../src/insights/tasks/Retention.js"
import * as EventLog from "../../../src/realtime/EventLog.js"
import * as Made from "../Made.js"
import * as Service from "../Service.js"

const ledgers = Service.chain(100, 5).map((facts, index) =>
  Made.full({ ...facts, closeTime: 1_700_000_000 + index * 86_400 })
)

const fresh = Effect.gen(function* () {
  const base = Service.storeOn(yield* Service.fresh)
  const context = yield* Layer.build(Layer.provideMerge(OutboxLog.layer, base))
  yield* Context.get(context, LedgerStore.LedgerStore).claim("a network")
  return {
    context,
    log: Context.get(context, EventLog.EventLog),
    outbox: Context.get(context, Outbox.Outbox),
    store: Context.get(context, LedgerStore.LedgerStore)
  }
})

const ids = (events: ReadonlyArray<{ readonly id: number }>) => events.map(({ id }) => id)

describe("the log over the outbox", () => {
  it.scopedLive("is the outbox, page by page, from memory or from the file", () =>
    Effect.gen(function* () {
      const { log, outbox, store } = yield* fresh
      assert.strictEqual(yield* log.head, 0)
      for (const ledger of ledgers.slice(0, 3)) yield* store.commit(ledger)
      const all = yield* outbox.readAfter(0, 10_000)
      const read: Array<number> = []
      for (const _ of [1, 2]) {
        read.length = 0
        for (let from = 0; ;) {
          const page = yield* log.readAfter(from, 7)
          if (page.length === 0) break
          read.push(...ids(page))
          from = page.at(-1)!.id
        }
        assert.deepStrictEqual(read, ids(all))
      }
      yield* store.commit(ledgers[3]!)
      const more = yield* log.readAfter(all.at(-1)!.id, 10_000)
      assert.strictEqual(more[0]?.type, "ledger_closed")
      assert.deepStrictEqual(ids(more), ids(yield* outbox.readAfter(all.at(-1)!.id, 10_000)))
      assert.strictEqual(yield* log.head, yield* outbox.head)
    })
  )

  it.scopedLive("has no oldest event until some were removed", () =>
    Effect.gen(function* () {
      const { context, log, outbox, store } = yield* fresh
      assert.strictEqual(yield* log.oldest, 0)
      for (const ledger of ledgers) yield* store.commit(ledger)
      assert.strictEqual(yield* log.oldest, 0)
      const options = { outbox: Duration.days(2), payments: Duration.days(2), limit: Duration.seconds(1) }
      const unit = yield* Effect.provideService(
        Retention.makeUnit(options),
        Database.Database,
        Context.get(context, Database.Database)
      )
      yield* Effect.repeat(unit, { until: (isMore) => !isMore, times: 50 })
      const [first] = yield* outbox.readAfter(0, 1)
      assert.isAbove(first!.ledger, 100)
      assert.strictEqual(yield* log.oldest, first!.id)
    })
  )
})
