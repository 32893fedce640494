/**
 * What is done with the database, as metrics. How large it is stands in `StoredMetrics`.
 *
 * | metric | type | what |
 * | --- | --- | --- |
 * | `sqlite_transactions_total{outcome}` | counter | write transactions, `committed` and `failed` |
 * | `sqlite_transaction_duration_seconds` | histogram | how long those took that were committed, the wait for their turn included |
 * | `sqlite_busy_total` | counter | times that somebody else held the lock, after which it was tried again |
 * | `sqlite_checkpoints_total` | counter | times that the log was written back by the thread for it |
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"

const transactions = Metric.counter("sqlite_transactions_total", {
  description: "Write transactions",
  incremental: true
})
const committed = Metric.tagged(transactions, "outcome", "committed")
const failed = Metric.tagged(transactions, "outcome", "failed")
const duration = Metric.histogram(
  "sqlite_transaction_duration_seconds",
  MetricBoundaries.fromIterable([0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5]),
  "How long write transactions took that were committed, the wait for their turn included"
)

/** Somebody else held the lock. */
export const busy: Effect.Effect<void> = Metric.increment(
  Metric.counter("sqlite_busy_total", {
    description: "Times that somebody else held the database's lock",
    incremental: true
  })
)

/** The log was written back. */
export const checkpointed: Effect.Effect<void> = Metric.increment(
  Metric.counter("sqlite_checkpoints_total", {
    description: "Times that the database's log was written back by the thread for it",
    incremental: true
  })
)

/** Counts a write transaction. */
export const measured = <A, E, R>(transaction: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Clock.currentTimeNanos, (begun) =>
    Effect.onExit(transaction, (exit) =>
      Exit.isFailure(exit)
        ? Metric.increment(failed)
        : Effect.flatMap(Clock.currentTimeNanos, (ended) =>
            Effect.zipRight(Metric.increment(committed), Metric.update(duration, Number(ended - begun) / 1e9))
          )
    )
  )
