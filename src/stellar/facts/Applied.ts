/**
 * Transactions in the order in which they were applied, each with its results.
 *
 * The set holds transactions in an order of its own, and results name them by their hashes. These are computed anew, so a result belongs to a
 * transaction only if it is that transaction's; in a ledger of another network none does.
 */
import { hash } from "node:crypto"
import * as LedgerFacts from "../LedgerFacts.js"
import * as LedgerVerification from "../LedgerVerification.js"
import type {
  FeeBumpTransactionOutline,
  InnerTransactionResultResultOutline,
  TransactionEnvelopeOutline,
  TransactionOutline,
  TransactionResultPairOutline,
  TransactionV0Outline
} from "../xdr/generated/outline.js"
import type { Range } from "../xdr/XdrReader.js"
import * as Bytes from "./Bytes.js"

/** A transaction that was applied, or refused at that point. */
export interface Applied {
  /** Its position in the order of application, from 1. */
  readonly index: number
  /** Its hash and what it was charged; of a fee bump, the outer one's. */
  readonly pair: TransactionResultPairOutline
  /** Itself; of a fee bump, the one inside. */
  readonly transaction: TransactionOutline | TransactionV0Outline
  /** What is around it when it is a fee bump. */
  readonly feeBump: FeeBumpTransactionOutline | undefined
  /** The hash of the one inside, when that was applied, successfully or not. */
  readonly innerHash: Uint8Array | undefined
  /** What became of it; of a fee bump, of the one inside when that was applied. */
  readonly code: InnerTransactionResultResultOutline["type"]
  /** The results of its operations, as many as it has operations; none when it was refused as a whole. */
  readonly results: ReadonlyArray<Range> | undefined
}

/** Pairs results with transactions. `networkId` is SHA-256 of the passphrase. Throws {@link LedgerVerification.LedgerRejected}. */
export const applied = (
  bytes: Uint8Array,
  { envelopes, header, results }: LedgerVerification.Verified,
  networkId: Uint8Array
): ReadonlyArray<Applied> => {
  const hasher = new Hasher(bytes, networkId)
  const byHash = new Map<string, TransactionEnvelopeOutline>()
  for (const envelope of envelopes) byHash.set(hasher.hash(envelope), envelope)
  return results.map((pair, i) => {
    const key = Bytes.text(pair.transactionHash)
    const envelope = byHash.get(key)
    if (envelope === undefined) {
      const what = `has a result for transaction ${Bytes.hex(pair.transactionHash)}, which is not in its set under this network's passphrase`
      throw LedgerVerification.reject("tx_hash", header, what)
    }
    // A second result of the same transaction finds none any more.
    byHash.delete(key)
    return one(i + 1, pair, envelope, header)
  })
}

const one = (
  index: number,
  pair: TransactionResultPairOutline,
  envelope: TransactionEnvelopeOutline,
  header: LedgerVerification.Verified["header"]
): Applied => {
  const transaction = LedgerFacts.innermost(envelope)
  const feeBump = envelope.type === "envelopeTypeTxFeeBump" ? envelope.value.tx : undefined
  const outer = pair.result.result
  const isInner = outer.type === "txFeeBumpInnerSuccess" || outer.type === "txFeeBumpInnerFailed"
  const result = isInner ? outer.value.result.result : outer
  const results = result.type === "txSuccess" || result.type === "txFailed" ? result.value : undefined
  const succeeded = outer.type === "txFeeBumpInnerSuccess" || outer.type === "txSuccess"
  if (
    (isInner && feeBump === undefined) ||
    (!isInner && feeBump !== undefined && results !== undefined) ||
    succeeded !== (result.type === "txSuccess") ||
    (results !== undefined && results.length !== transaction.operations.length)
  ) {
    const what = `has a result of transaction ${Bytes.hex(pair.transactionHash)} that does not fit it`
    throw LedgerVerification.reject("operations", header, what)
  }
  const innerHash = isInner ? outer.value.transactionHash : undefined
  return { index, pair, transaction, feeBump, innerHash, code: result.type, results }
}

const [V0, TX, FEE_BUMP] = [0, 2, 5]
const OVERHEAD = 32 + 4 + 4

/** Hashes of transactions: SHA-256 of the network's id, the kind of transaction, and the transaction without its signatures. */
class Hasher {
  private readonly bytes: Uint8Array
  private input: Uint8Array

  constructor(bytes: Uint8Array, networkId: Uint8Array) {
    this.bytes = bytes
    this.input = new Uint8Array(4096)
    this.input.set(networkId)
  }

  /** As {@link Bytes.text} gives it. */
  hash(envelope: TransactionEnvelopeOutline): string {
    const transaction = LedgerVerification.slice(this.bytes, envelope.value.tx.range)
    // A transaction of the oldest form is hashed as the form that followed, which begins with the kind of its source account's key: four zeros.
    const start = envelope.type === "envelopeTypeTxV0" ? OVERHEAD : OVERHEAD - 4
    const end = start + transaction.length
    if (end > this.input.length) {
      const longer = new Uint8Array(end * 2)
      longer.set(this.input.subarray(0, 32))
      this.input = longer
    }
    this.input[35] = envelope.type === "envelopeTypeTxFeeBump" ? FEE_BUMP : TX
    this.input.fill(V0, 36, start)
    this.input.set(transaction, start)
    // The types know fewer encodings than Node has.
    return hash("sha256", this.input.subarray(0, end), "latin1" as "hex")
  }
}
