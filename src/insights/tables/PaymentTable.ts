/** What moved, what was meant to, and who is gone: `payment`, `failed_attempt` and `account_merge`. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import type { LedgerDetails } from "../../stellar/facts/LedgerDetails.js"
import * as BulkInsert from "./BulkInsert.js"
import type { Numbers } from "./Numbers.js"

/** Unsigned, and so more than a column holds. */
const unsigned = (id: bigint | null) => (id === null ? null : String(id))

/** Writes, to be run in the transaction of whoever calls. */
export const writes = (sql: SqlClient.SqlClient) => {
  const payments = BulkInsert.make(sql, {
    table: "payment",
    columns: [
      "toid",
      "tx_hash",
      "kind",
      "src",
      "dst",
      "src_asset",
      "dst_asset",
      "src_amount",
      "dst_amount",
      "src_muxed",
      "dst_muxed"
    ]
  })
  const failures = BulkInsert.make(sql, {
    table: "failed_attempt",
    columns: ["toid", "outcome", "src", "dst", "src_asset", "dst_asset"]
  })
  const merges = BulkInsert.make(sql, {
    table: "account_merge",
    columns: ["toid", "tx_hash", "account", "into_account", "amount"]
  })
  return {
    /** Adds the payments, failures and merges of a ledger. */
    insert: (details: LedgerDetails, { account, asset }: Numbers): Effect.Effect<void, SqlError> =>
      Effect.gen(function* () {
        yield* payments(
          details.payments.map((payment) => [
            payment.toid,
            Buffer.from(payment.txHash, "hex"),
            payment.kind,
            account(payment.from),
            account(payment.to),
            asset(payment.srcAsset),
            asset(payment.dstAsset),
            payment.srcAmount,
            payment.dstAmount,
            unsigned(payment.fromMuxedId),
            unsigned(payment.toMuxedId)
          ])
        )
        yield* failures(
          details.failures
            .filter(({ self }) => !self)
            .map(({ dstAsset, from, outcome, srcAsset, to, toid }) => [
              toid,
              outcome,
              account(from),
              account(to),
              asset(srcAsset),
              asset(dstAsset)
            ])
        )
        yield* merges(
          details.accountMerges.map((merge) => [
            merge.toid,
            Buffer.from(merge.txHash, "hex"),
            account(merge.account),
            account(merge.into),
            merge.amount
          ])
        )
      })
  }
}
