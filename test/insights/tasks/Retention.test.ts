/** What is removed, what is kept, and that nobody waits for it. */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as Database from "../../../src/insights/Database.js"
import * as LedgerStore from "../../../src/insights/LedgerStore.js"
import * as Outbox from "../../../src/insights/Outbox.js"
import * as Retention from "../../../src/insights/tasks/Retention.js"
import * as Lifecycle from "../../../src/lifecycle/Lifecycle.js"
import * as TaskBoard from "../../../src/lifecycle/TaskBoard.js"
import * as Made from "../Made.js"
import * as Service from "../Service.js"

const hour = 3600

/** Ten ledgers, an hour from one to the next. */
const fresh = Effect.gen(function* () {
  const context = yield* Effect.flatMap(Service.fresh, (config) => Layer.build(Service.storeOn(config)))
  const store = yield* Effect.provide(LedgerStore.LedgerStore, context)
  yield* store.claim("a network")
  const ledgers = Service.chain(100, 10).map((facts, i) =>
    Made.full({ ...facts, closeTime: 1_700_000_000 + i * hour })
  )
  yield* Effect.forEach(ledgers, store.commit)
  return {
    context,
    ledgers,
    store,
    database: yield* Effect.provide(Database.Database, context),
    outbox: yield* Effect.provide(Outbox.Outbox, context)
  }
})

/** The ledgers that a table has rows of. */
const ledgersOf = ({ read }: Database.Shape, table: string, ledger = "toid >> 32") =>
  Effect.map(
    read<{
      ledger: number
    }>`SELECT DISTINCT ${read.literal(ledger)} AS ledger FROM ${read(table)} ORDER BY 1`,
    (rows) => rows.map(({ ledger }) => ledger)
  )
const left = (database: Database.Shape) =>
  Effect.all({
    outbox: ledgersOf(database, "outbox", "id >> 20"),
    payment: ledgersOf(database, "payment"),
    failed_attempt: ledgersOf(database, "failed_attempt"),
    fee_bump: ledgersOf(database, "fee_bump"),
    account_merge: ledgersOf(database, "account_merge"),
    ledger: ledgersOf(database, "ledger", "sequence")
  })
const from = (first: number) => Array.from({ length: 110 - first }, (_, index) => first + index)
const whole = from(100)

const ages = (outbox: Duration.DurationInput, payments: Duration.DurationInput) => ({
  outbox: Duration.decode(outbox),
  payments: Duration.decode(payments),
  limit: Duration.seconds(10)
})

/** Sweeps until nothing is left to remove; gives how many transactions it took. */
const sweep = (options: Retention.Options) =>
  Effect.gen(function* () {
    const unit = yield* Retention.makeUnit(options)
    let count = 1
    while (yield* unit) count += 1
    return count
  })

describe("retention", () => {
  it.scoped("removes what is older than its age by the ledgers' time, in small transactions", () =>
    Effect.gen(function* () {
      const { context, database } = yield* fresh
      const count = yield* Effect.provide(sweep({ ...ages("2 hours", "5 hours"), batch: 50 }), context)
      assert.deepStrictEqual(yield* left(database), {
        outbox: from(107),
        payment: from(104),
        failed_attempt: from(104),
        fee_bump: from(104),
        account_merge: whole,
        ledger: whole
      })
      assert.isAbove(count, 12)
      assert.strictEqual(yield* Effect.provide(sweep(ages("2 hours", "5 hours")), context), 4)
    })
  )

  it.scoped("keeps everything for ever when told so", () =>
    Effect.gen(function* () {
      const { context, database } = yield* fresh
      yield* Effect.provide(sweep(ages(0, 0)), context)
      const { outbox, payment } = yield* left(database)
      assert.deepStrictEqual({ outbox, payment }, { outbox: whole, payment: whole })
    })
  )

  it.scoped("never goes past a consumer, nor leaves an event whose payment is gone", () =>
    Effect.gen(function* () {
      const { context, database, outbox } = yield* fresh
      yield* outbox.register("slow", "oldest")
      yield* outbox.register("fast", "newest")
      const options = ages("1 hour", "1 hour")
      yield* Effect.provide(sweep(options), context)
      assert.deepStrictEqual((yield* left(database)).payment, whole)

      const events = yield* outbox.readAfter(0, 10_000)
      const third = events.findIndex(({ kind, ledger }) => ledger === 103 && kind === "new_payment")
      yield* outbox.advance("slow", events[third]!.id)
      yield* Effect.provide(sweep(options), context)
      const [next] = yield* outbox.readAfter(0, 1)
      assert.strictEqual(next!.id, events[third + 1]!.id)
      assert.deepStrictEqual(next, events[third + 1])
      assert.deepStrictEqual((yield* left(database)).payment, from(103))

      yield* outbox.forget("slow")
      yield* Effect.provide(sweep(options), context)
      assert.deepStrictEqual((yield* left(database)).outbox, from(108))
    })
  )

  it.scoped("keeps the newest event, so that no id is used twice", () =>
    Effect.gen(function* () {
      const { context, database, outbox, store } = yield* fresh
      yield* outbox.transaction(
        outbox.append([{ kind: "health_alert", key: "a", ledger: 109, payload: { what: "is" } }])
      )
      const head = yield* outbox.head
      // A ledger without events, as one of the first version of the schema, much later.
      const { hash } = (yield* store.latest).pipe((found) =>
        found._tag === "Some" ? found.value : { hash: "" }
      )
      yield* database.write`INSERT INTO ledger SELECT 110, 'x', ${hash}, 1800000000, protocol, lcm_version, tx_count, success_tx, failed_tx,
        op_count, tx_set_op_count, total_fee_charged, fee_pool, total_coins, base_fee, base_reserve, max_tx_set_size, fee_bumps,
        soroban_tx FROM ledger WHERE sequence = 109`
      yield* Effect.provide(sweep(ages("1 hour", "1 hour")), context)
      assert.deepStrictEqual(
        (yield* outbox.readAfter(0, 10)).map(({ id, payload }) => ({ id, payload })),
        [{ id: head, payload: { what: "is" } }]
      )
    })
  )

  it.scoped("as a task pauses between transactions, looks again after a while, and stops between two", () =>
    Effect.gen(function* () {
      const { context, database } = yield* fresh
      const lifecycle = yield* Service.ready
      const task = Retention.layer({ ...ages("2 hours", "5 hours"), batch: 100 }).pipe(
        Layer.provideMerge(TaskBoard.layer),
        Layer.provide(Layer.succeed(Lifecycle.Lifecycle, lifecycle)),
        Layer.provide(Layer.succeedContext(context))
      )
      const board = yield* Effect.provide(TaskBoard.TaskBoard, yield* Layer.build(task))
      const count = Effect.map(
        database.read<{ n: number }>`SELECT count(*) AS n FROM outbox`,
        ([row]) => row!.n
      )
      const all = yield* count
      yield* TestClock.adjust("99 millis")
      assert.strictEqual(yield* count, all)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* count, all - 100)
      yield* TestClock.adjust("100 millis")
      assert.strictEqual(yield* count, all - 200)
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual((yield* left(database)).payment, from(104))
      assert.deepStrictEqual(
        (yield* board.all).map(({ name }) => name),
        ["retention"]
      )
    })
  )

  const read = (env: Readonly<Record<string, string>>) =>
    Effect.exit(
      Effect.withConfigProvider(Retention.config, ConfigProvider.fromMap(new Map(Object.entries(env))))
    )

  it.effect("reads its keys, and refuses what cannot hold", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read({}), Exit.succeed(Retention.defaults))
      assert.deepStrictEqual(
        yield* read({ RETENTION_OUTBOX: "7200", RETENTION_PAYMENTS: "3 days" }),
        Exit.succeed({ outbox: Duration.hours(2), payments: Duration.days(3) })
      )
      const forEver = yield* read({ RETENTION_PAYMENTS: "0" })
      assert.isTrue(Exit.isSuccess(forEver) && Duration.toMillis(forEver.value.payments) === 0)
      for (const [env, why] of [
        [{ RETENTION_PAYMENTS: "1 day" }, "must not be less than RETENTION_OUTBOX"],
        [{ RETENTION_OUTBOX: "0" }, "must not be less than RETENTION_OUTBOX"],
        [{ RETENTION_OUTBOX: "10 minutes" }, 'RETENTION_OUTBOX="10 minutes" is not valid'],
        [{ RETENTION_PAYMENTS: "" }, "RETENTION_PAYMENTS"]
      ] as const) {
        const exit = yield* read(env)
        assert.isTrue(Exit.isFailure(exit) && String(Cause.squash(exit.cause)).includes(why), why)
      }
    })
  )
})
