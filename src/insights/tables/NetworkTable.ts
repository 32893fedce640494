/** Fees and the network as a whole: `fee_bump`, `network_hour` and `ledger_detail`. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import type { ChangeCounts } from "../../stellar/facts/EntryChanges.js"
import type { LedgerDetails } from "../../stellar/facts/LedgerDetails.js"
import type { ClaimAtomCounts, EventCounts, OperationCounts } from "../../stellar/facts/Transactions.js"
import * as BulkInsert from "./BulkInsert.js"
import type { Numbers } from "./Numbers.js"
import * as Upsert from "./Upsert.js"

/** What `ledger_detail.detail` holds as JSON. Each field is the one of that name in `LedgerDetails`. */
export interface Detail {
  readonly operations: OperationCounts
  readonly allOperations: OperationCounts
  readonly failedByCode: Readonly<Record<string, number>>
  readonly claimAtoms: ClaimAtomCounts
  /** `fee` in stroops, as decimal text. */
  readonly events: Omit<EventCounts, "fee"> & { readonly fee: string }
  readonly metaVersions: Readonly<Record<string, number>>
  readonly trustlines: {
    readonly raw: ChangeCounts
    readonly net: ChangeCounts
    readonly poolShareNet: ChangeCounts
  }
  readonly pools: { readonly raw: ChangeCounts; readonly net: ChangeCounts }
}

const toDetail = (details: LedgerDetails): Detail => {
  const { allOperations, claimAtoms, events, failedByCode, metaVersions, operations, pools, trustlines } =
    details
  const { net, poolShareNet, raw } = trustlines
  return {
    operations,
    allOperations,
    failedByCode,
    claimAtoms,
    events: { ...events, fee: String(events.fee) },
    metaVersions,
    trustlines: { raw, net, poolShareNet },
    pools: { raw: pools.raw, net: pools.net }
  }
}

/** The columns of `network_hour` that are added up. */
export const counts = [
  "ledgers",
  "tx_count",
  "success_tx",
  "failed_tx",
  "op_count",
  "tx_set_op_count",
  "soroban_tx",
  "payments",
  "account_merges",
  "created_accounts",
  "fee_charged",
  "fee_bumps",
  "fee_bumps_success",
  "fee_bumps_charged",
  "fee_bumps_operations"
] as const

/** Writes, to be run in the transaction of whoever calls. */
export const writes = (sql: SqlClient.SqlClient) => {
  const feeBumps = BulkInsert.make(sql, {
    table: "fee_bump",
    columns: [
      "toid",
      "tx_hash",
      "inner_hash",
      "fee_source",
      "inner_source",
      "fee_charged",
      "max_fee",
      "operations",
      "success"
    ]
  })
  const hours = BulkInsert.make(sql, {
    table: "network_hour",
    columns: ["hour", "first_closed_at", "last_closed_at", ...counts],
    onConflict: Upsert.onConflict({
      table: "network_hour",
      key: ["hour"],
      add: counts,
      replace: ["last_closed_at"]
    })
  })
  const ledgers = BulkInsert.make(sql, {
    table: "ledger_detail",
    columns: ["sequence", "fee_min", "fee_p50", "fee_p95", "fee_max", "detail"]
  })
  return {
    /** Adds the fee bumps of a ledger, what it counted to its hour, and what else is known of it. */
    add: (hour: number, details: LedgerDetails, { account }: Numbers): Effect.Effect<void, SqlError> =>
      Effect.gen(function* () {
        const { accountMerges, facts, fees, payments } = details
        yield* feeBumps(
          details.feeBumps.map((bump) => [
            bump.toid,
            Buffer.from(bump.hash, "hex"),
            Buffer.from(bump.innerHash, "hex"),
            account(bump.feeSource),
            account(bump.innerSource),
            bump.feeCharged,
            bump.maxFee,
            bump.operations,
            bump.success ? 1 : 0
          ])
        )
        yield* hours([
          [
            hour,
            facts.closeTime,
            facts.closeTime,
            1,
            facts.txCount,
            facts.successTx,
            facts.failedTx,
            facts.opCount,
            facts.txSetOpCount,
            facts.sorobanTx,
            payments.length,
            accountMerges.length,
            payments.filter(({ kind }) => kind === "createAccount").length,
            facts.totalFeeCharged,
            details.feeBumps.length,
            details.feeBumps.filter(({ success }) => success).length,
            details.feeBumps.reduce((sum, { feeCharged }) => sum + feeCharged, 0n),
            details.feeBumps.reduce((sum, { operations }) => sum + operations, 0)
          ]
        ])
        yield* ledgers([
          [
            facts.sequence,
            fees?.min ?? null,
            fees?.p50 ?? null,
            fees?.p95 ?? null,
            fees?.max ?? null,
            JSON.stringify(toDetail(details))
          ]
        ])
      })
  }
}
