/**
 * Everything that is taken out of one ledger: its {@link LedgerFacts}, and what happened in it one by one.
 *
 * | facts | stand on |
 * |---|---|
 * | header fields | the header's hash, which the next ledger names |
 * | fees, outcomes, fee bumps, exchanges, volumes | the hash of the results in the header |
 * | payments, failures, corridors, operation counts, deposits and withdrawals | that hash and the transaction set's; which transaction a result belongs to, by the transaction's own hash |
 * | trustlines, pool images, events, versions of the meta | nothing in the chain: no hash covers the meta. Whoever serves the ledger is trusted for them; the checksum of a lake's frame shows damage, not forgery |
 */
import * as Effect from "effect/Effect"
import * as LedgerFacts from "../LedgerFacts.js"
import * as LedgerVerification from "../LedgerVerification.js"
import * as Applied from "./Applied.js"
import type { PoolFacts, TrustlineFacts } from "./EntryChanges.js"
import * as EntryWalk from "./EntryWalk.js"
import * as Events from "./Events.js"
import * as Fees from "./Fees.js"
import * as Operations from "./Operations.js"
import type { AccountMerge, CorridorCount, FailedPayment, Payment } from "./Payment.js"
import * as Pools from "./Pools.js"
import type { ClaimAtomCounts, EventCounts, FeeBump, FeeSpread, OperationCounts } from "./Transactions.js"
import * as Trustlines from "./Trustlines.js"

/** What is known of a ledger, in every detail. Assets are `native` or `CODE:ISSUER`, accounts `G...`, amounts in stroops. */
export interface LedgerDetails {
  /** The ledger itself. */
  readonly facts: LedgerFacts.LedgerFacts
  /** Payments of successful transactions, ascending by `toid`. */
  readonly payments: ReadonlyArray<Payment>
  /** Payments and path payments of failed transactions, ascending by `toid`. */
  readonly failures: ReadonlyArray<FailedPayment>
  /** Attempts by pair of assets, in order of the first; each pair once. */
  readonly corridors: ReadonlyArray<CorridorCount>
  /** Fee bumps whose inner transaction was applied, ascending by `toid`. */
  readonly feeBumps: ReadonlyArray<FeeBump>
  /** Accounts that were merged, ascending by `toid`. */
  readonly accountMerges: ReadonlyArray<AccountMerge>
  /** What became of trustlines. From the meta. */
  readonly trustlines: TrustlineFacts
  /** What became of liquidity pools; all but `activity` from the meta. */
  readonly pools: PoolFacts
  /** Operations of successful transactions. */
  readonly operations: OperationCounts
  /** Operations of all transactions. */
  readonly allOperations: OperationCounts
  /** Failed transactions by result code, such as `txFailed`; of a fee bump, that of the transaction inside. */
  readonly failedByCode: Readonly<Record<string, number>>
  /** Exchanges with offers and pools. */
  readonly claimAtoms: ClaimAtomCounts
  /** Events. From the meta. */
  readonly events: EventCounts
  /** How fees are spread; null when every transaction called a contract, or there was none. */
  readonly fees: FeeSpread | null
  /** Transactions by version of their meta: `v0` to `v4`. From the meta. */
  readonly metaVersions: Readonly<Record<string, number>>
}

/**
 * Verifies and extracts. `bytes` is the XDR of one `LedgerCloseMeta`, `networkId` is SHA-256 of the network's passphrase (`Network.id`). Throws
 * {@link LedgerVerification.LedgerRejected}; the result holds no view of `bytes`.
 */
export const extract = (bytes: Uint8Array, networkId: Uint8Array): LedgerDetails => {
  const verified = LedgerFacts.verify(bytes)
  const { header } = verified
  const transactions = Applied.applied(bytes, verified, networkId)
  const { activity, ...collected } = Operations.collect(bytes, header, transactions)
  const trustlines = Trustlines.make(bytes)
  const pools = Pools.make(bytes)
  const events = Events.make(bytes)
  const metaVersions = EntryWalk.walk(bytes, verified.meta, {
    trustline: (change, at) => {
      if (!trustlines.add(change, at))
        throw LedgerVerification.reject("meta", header, "has a trustline for the network's own coin")
    },
    pool: pools.add,
    event: events.add
  })
  return {
    facts: LedgerFacts.of(verified),
    ...collected,
    feeBumps: Fees.feeBumps(header, transactions),
    trustlines: trustlines.collected(),
    pools: { ...pools.collected(), activity },
    failedByCode: failedByCode(transactions),
    events: events.collected(),
    fees: Fees.spread(transactions),
    metaVersions
  }
}

/** {@link extract} as an effect: ends in `LedgerRejected`. It is synchronous and takes a few milliseconds for a megabyte. */
export const fromBytes: (
  bytes: Uint8Array,
  networkId: Uint8Array
) => Effect.Effect<LedgerDetails, LedgerVerification.LedgerRejected> = Effect.fn("LedgerDetails.fromBytes")(
  (bytes: Uint8Array, networkId: Uint8Array) => LedgerVerification.refusing(() => extract(bytes, networkId))
)

const failedByCode = (transactions: ReadonlyArray<Applied.Applied>): Readonly<Record<string, number>> => {
  const codes: Record<string, number> = {}
  for (const { code } of transactions) if (code !== "txSuccess") codes[code] = (codes[code] ?? 0) + 1
  return codes
}
