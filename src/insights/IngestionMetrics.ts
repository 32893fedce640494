/**
 * What this process ingests, as metrics. How old the newest ledger is stands in `StoredMetrics`, since it may be another process's.
 *
 * | metric | type | what |
 * | --- | --- | --- |
 * | `ledgers_ingested_total` | counter | ledgers that this process has stored |
 * | `payments_ingested_total` | counter | payments in them |
 * | `ingestion_halted` | gauge | 1 while this process stands before a ledger that it cannot pass, else 0 |
 */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { LedgerDetails } from "../stellar/facts/LedgerDetails.js"

const ledgers = Metric.counter("ledgers_ingested_total", {
  description: "Ledgers that this process has stored",
  incremental: true
})
const payments = Metric.counter("payments_ingested_total", {
  description: "Payments in the ledgers that this process has stored",
  incremental: true
})
const isHalted = Metric.gauge("ingestion_halted", {
  description: "1 while this process stands before a ledger that it cannot pass"
})

/** A ledger is stored, by this process or before it, so nothing is in the way. */
export const passed = (details: LedgerDetails, outcome: "stored" | "already-stored"): Effect.Effect<void> => {
  const isNews = outcome === "stored"
  return Effect.all(
    [
      Metric.incrementBy(ledgers, isNews ? 1 : 0),
      Metric.incrementBy(payments, isNews ? details.payments.length : 0),
      Metric.set(isHalted, 0)
    ],
    { discard: true }
  )
}

/** Something is in the way. */
export const halted: Effect.Effect<void> = Metric.set(isHalted, 1)

/** This process ingests no more, or not yet; that nothing was ingested is told as well. */
export const idle: Effect.Effect<void> = Effect.all(
  [Metric.incrementBy(ledgers, 0), Metric.incrementBy(payments, 0), Metric.set(isHalted, 0)],
  { discard: true }
)
