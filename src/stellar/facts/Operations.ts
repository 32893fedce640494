/** Goes over the operations of a ledger and their results, and hands what they say to those who count it. */
import * as LedgerVerification from "../LedgerVerification.js"
import * as Decode from "../xdr/generated/decode.js"
import { schema } from "../xdr/generated/schema.js"
import type * as T from "../xdr/generated/types.js"
import { XdrReader } from "../xdr/XdrReader.js"
import type { Applied } from "./Applied.js"
import * as Bytes from "./Bytes.js"
import * as Payments from "./Payments.js"
import * as Trades from "./Trades.js"

/** What operations and their results say. */
export interface Collected extends Payments.Collected, Trades.Collected {
  /** Operations of successful transactions, by type. */
  readonly operations: Record<string, number>
  /** Operations of all transactions, by type. */
  readonly allOperations: Record<string, number>
}

/** Names of operation types by their number, which are 0, 1, 2 and so on. */
const NAMES: ReadonlyArray<T.OperationType> =
  schema["OperationType"]?.kind === "enum"
    ? schema["OperationType"].members.map(([, name]) => name as T.OperationType)
    : []

/** Operations whose results can hold exchanges. */
const TRADING: ReadonlySet<T.OperationType> = new Set([
  "createPassiveSellOffer",
  "manageBuyOffer",
  "manageSellOffer",
  "pathPaymentStrictReceive",
  "pathPaymentStrictSend"
])

/** Collects from all transactions, in the order in which they were applied. Throws {@link LedgerVerification.LedgerRejected}. */
export const collect = (
  bytes: Uint8Array,
  header: LedgerVerification.Verified["header"],
  transactions: ReadonlyArray<Applied>
): Collected => {
  const reader = new XdrReader(bytes)
  const payments = Payments.make()
  const trades = Trades.make()
  const successful = NAMES.map(() => 0)
  const all = NAMES.map(() => 0)
  for (const tx of transactions) {
    const succeeded = tx.code === "txSuccess"
    const base = (BigInt(header.ledgerSeq) << 32n) | (BigInt(tx.index) << 12n)
    let txHash: string | undefined
    for (let i = 0; i < tx.transaction.operations.length; i++) {
      const at = bodyOf(reader, tx.transaction.operations[i]!.start)
      const number = reader.v.getInt32(at)
      const type = NAMES[number]!
      all[number]! += 1
      if (succeeded) successful[number]! += 1
      const isPayment = Payments.isAttempt(type, succeeded)
      const result = tx.results?.[i]
      const done = result !== undefined && isSuccess(reader, result.start)
      // Of other operations nothing depends on it, and old results of passive offers stand under the name of active ones.
      if (
        isPayment &&
        result !== undefined &&
        !(fits(reader, result.start, number) && (done || !succeeded))
      ) {
        const what = `has a result in transaction ${Bytes.hex(tx.pair.transactionHash)} that is not one of a ${type}`
        throw LedgerVerification.reject("operations", header, what)
      }
      const body =
        isPayment || Trades.isPoolOperation(type) ? readAt(reader, at, Decode.readOperationBody) : undefined
      const trading = succeeded && (TRADING.has(type) || type === "accountMerge")
      const value = trading ? readAt(reader, result!.start + 4, Decode.readOperationResultTr) : undefined
      if (succeeded) {
        if (value !== undefined) trades.exchanged(value)
        if (body !== undefined) trades.pooled(body)
      }
      if (!isPayment) continue
      txHash ??= Bytes.hex(tx.pair.transactionHash)
      payments.add({
        toid: base | BigInt(i + 1),
        txHash,
        source: sourceOf(reader, tx, i),
        body: body!,
        result: value,
        outcome: succeeded
          ? "success"
          : result === undefined
            ? "noOpResult"
            : done
              ? "rolledBack"
              : "failedOwn"
      })
    }
  }
  return {
    ...payments.collected(),
    ...trades.collected(),
    operations: named(successful),
    allOperations: named(all)
  }
}

const readAt = <A>(reader: XdrReader, at: number, read: (reader: XdrReader) => A): A => {
  reader.p = at
  return read(reader)
}

/** Where the body of an operation begins: behind its optional source account, which takes 36 bytes, or 44 when it is muxed. */
const bodyOf = (reader: XdrReader, at: number): number =>
  reader.v.getUint32(at) === 0 ? at + 4 : at + 4 + (reader.v.getInt32(at + 4) === 0 ? 36 : 44)

/** The account that an operation acts for: its own, or else its transaction's. */
const sourceOf = (reader: XdrReader, tx: Applied, i: number): T.MuxedAccount => {
  const at = tx.transaction.operations[i]!.start
  if (reader.v.getUint32(at) !== 0) return readAt(reader, at + 4, Decode.readMuxedAccount)
  return "sourceAccount" in tx.transaction
    ? tx.transaction.sourceAccount
    : { type: "keyTypeEd25519", value: tx.transaction.sourceAccountEd25519 }
}

// An operation's result is a code; if that is `opInner`, zero, the operation's type and its own code follow, of which zero is success for all.
const fits = (reader: XdrReader, at: number, type: number): boolean =>
  reader.v.getInt32(at) !== 0 || reader.v.getInt32(at + 4) === type
const isSuccess = (reader: XdrReader, at: number): boolean =>
  reader.v.getInt32(at) === 0 && reader.v.getInt32(at + 8) === 0

const named = (counts: ReadonlyArray<number>): Record<string, number> =>
  Object.fromEntries(counts.flatMap((count, type) => (count === 0 ? [] : [[NAMES[type]!, count]])))
