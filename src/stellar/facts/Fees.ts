/** Fees: who paid for others, and how fees are spread. */
import type { LedgerHeader } from "../xdr/generated/types.js"
import type { Applied } from "./Applied.js"
import * as Bytes from "./Bytes.js"
import * as StrKey from "./StrKey.js"
import type { FeeBump, FeeSpread } from "./Transactions.js"
import type * as T from "../xdr/generated/types.js"

/** The fee bumps among the transactions, apart from those that were refused before the transaction inside was tried. */
export const feeBumps = (
  { ledgerSeq }: Pick<LedgerHeader, "ledgerSeq">,
  transactions: ReadonlyArray<Applied>
): ReadonlyArray<FeeBump> =>
  transactions.flatMap(({ code, feeBump, index, innerHash, pair, transaction }) =>
    feeBump === undefined || innerHash === undefined
      ? []
      : [
          {
            toid: (BigInt(ledgerSeq) << 32n) | (BigInt(index) << 12n),
            hash: Bytes.hex(pair.transactionHash),
            innerHash: Bytes.hex(innerHash),
            feeSource: accountOf(feeBump.feeSource),
            innerSource:
              "sourceAccount" in transaction
                ? accountOf(transaction.sourceAccount)
                : StrKey.account(transaction.sourceAccountEd25519),
            feeCharged: pair.result.feeCharged,
            maxFee: feeBump.fee,
            operations: transaction.operations.length,
            success: code === "txSuccess"
          }
        ]
  )

const accountOf = (account: T.MuxedAccount): string =>
  StrKey.account(account.type === "keyTypeEd25519" ? account.value : account.value.ed25519)

/** Fees per operation, rounded up as the network rounds bids; null when there is no transaction without contracts. */
export const spread = (transactions: ReadonlyArray<Applied>): FeeSpread | null => {
  const fees: Array<bigint> = []
  for (const { feeBump, pair, transaction } of transactions) {
    const operations = BigInt(transaction.operations.length + (feeBump === undefined ? 0 : 1))
    if (transaction.ext.type === "sorobanData" || operations === 0n) continue
    fees.push((pair.result.feeCharged + operations - 1n) / operations)
  }
  if (fees.length === 0) return null
  fees.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  const at = (share: number): bigint => fees[Math.max(0, Math.ceil(fees.length * share) - 1)]!
  return { min: at(0), p50: at(0.5), p95: at(0.95), max: at(1) }
}
