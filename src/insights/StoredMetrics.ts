/**
 * What is in the database, as metrics: the same in each process that shares it.
 *
 * | metric | type | what |
 * | --- | --- | --- |
 * | `ledger_last_sequence` | gauge | the newest ledger |
 * | `ledger_last_close_timestamp_seconds` | gauge | when the network closed it, in seconds since 1970 |
 * | `ingestion_lag_seconds` | gauge | how long ago that is: a few seconds where nothing is wrong, as the network closes one every five |
 * | `webhook_subscriptions{state}` | gauge | subscriptions to webhooks, `active` and `inactive` |
 * | `webhook_deliveries_waiting` | gauge | deliveries to active subscriptions that are not over |
 * | `sqlite_database_bytes`, `sqlite_wal_bytes` | gauge | the file, and its log |
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import { stat } from "node:fs/promises"
import * as Samples from "../lifecycle/Samples.js"
import * as Database from "./Database.js"
import * as LedgerStore from "./LedgerStore.js"
import * as SubscriptionTable from "./webhooks/SubscriptionTable.js"

const gauge = (name: string, description: string) => Metric.gauge(name, { description })

const sequence = gauge("ledger_last_sequence", "The newest ledger in the database")
const closed = gauge(
  "ledger_last_close_timestamp_seconds",
  "When the network closed the newest ledger in the database"
)
const lag = gauge(
  "ingestion_lag_seconds",
  "How long ago the network closed the newest ledger in the database"
)
const subscriptions = gauge("webhook_subscriptions", "Subscriptions to webhooks")
const active = Metric.tagged(subscriptions, "state", "active")
const inactive = Metric.tagged(subscriptions, "state", "inactive")
const waiting = gauge("webhook_deliveries_waiting", "Deliveries to active subscriptions that are not over")
const file = gauge("sqlite_database_bytes", "The database's file")
const log = gauge("sqlite_wal_bytes", "The database's write-ahead log")

/** The size of a file; 0 where there is none, as there is no log after the last connection has closed. */
const size = (path: string) =>
  Effect.tryPromise(() => stat(path)).pipe(
    Effect.map(({ size }) => size),
    Effect.orElseSucceed(() => 0)
  )

const make = Effect.gen(function* () {
  const { filename, read } = yield* Database.Database
  const store = yield* LedgerStore.LedgerStore
  const { add } = yield* Samples.Samples
  const { totals } = SubscriptionTable.reads(read)

  const ledger = Effect.gen(function* () {
    const newest = yield* store.latest
    if (Option.isNone(newest)) return
    const { closeTime, sequence: number } = newest.value
    const now = yield* Clock.currentTimeMillis
    yield* Metric.set(sequence, number)
    yield* Metric.set(closed, closeTime)
    yield* Metric.set(lag, Math.max(0, now / 1000 - closeTime))
  })
  const webhooks = Effect.gen(function* () {
    const now = yield* totals
    yield* Metric.set(active, now.active)
    yield* Metric.set(inactive, now.subscriptions - now.active)
    yield* Metric.set(waiting, now.waiting)
  })
  const sizes = Effect.gen(function* () {
    yield* Metric.set(file, yield* size(filename))
    yield* Metric.set(log, yield* size(`${filename}-wal`))
  })
  // One by one: a statement that fails keeps none of the others from being told.
  yield* add(ledger)
  yield* add(webhooks)
  yield* add(sizes)
})

/** Read whenever metrics are told. */
export const layer: Layer.Layer<never, never, Database.Database | LedgerStore.LedgerStore | Samples.Samples> =
  Layer.scopedDiscard(make)
