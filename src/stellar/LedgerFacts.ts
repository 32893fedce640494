/**
 * The facts of one ledger, out of its bytes, once these have been verified.
 *
 * What each fact counts is said at its field. Nothing is taken from outside the ledger, and nothing from the parts of it that no hash covers.
 */
import * as Effect from "effect/Effect"
import * as LedgerVerification from "./LedgerVerification.js"
import type { TransactionEnvelopeOutline, TransactionResultResultOutline } from "./xdr/generated/outline.js"
import { decodeLedgerCloseMetaOutline } from "./xdr/generated/outline.js"
import { readLedgerCloseMetaExt, readLedgerHeaderHistoryEntry } from "./xdr/generated/decode.js"
import type { LedgerHeader } from "./xdr/generated/types.js"
import * as XdrError from "./xdr/XdrError.js"
import { XdrReader } from "./xdr/XdrReader.js"

export { LedgerRejected, type Rejection } from "./LedgerVerification.js"

/** The last protocol of which the decoder knows every arm. Later ones decode as long as they use none that is new. */
export const KNOWN_PROTOCOL = 28

/** What is known of a ledger. Amounts are in stroops (1e-7 of the network's coin). */
export interface LedgerFacts {
  /** Its number; the first of a network is 1. */
  readonly sequence: number
  /** SHA-256 of its header, in hex. */
  readonly hash: string
  /** Hash of the ledger before it, in hex. */
  readonly previousHash: string
  /** When the network closed it, in seconds since 1970, UTC. */
  readonly closeTime: number
  /** The protocol version that was in force when it closed. */
  readonly protocol: number
  /** The version of `LedgerCloseMeta` it came in: 0 before protocol 20, 1 before 23, then 2. */
  readonly lcmVersion: 0 | 1 | 2
  /** Transactions, successful or not. */
  readonly txCount: number
  /** Transactions with the result txSUCCESS or txFEE_BUMP_INNER_SUCCESS. */
  readonly successTx: number
  /** All other transactions. */
  readonly failedTx: number
  /** Operations of successful transactions. For a fee bump, those of the transaction inside. */
  readonly opCount: number
  /** Operations of all transactions. */
  readonly txSetOpCount: number
  /** What all transactions paid, failed ones too, after refunds; in stroops. */
  readonly totalFeeCharged: bigint
  /** Fees collected by the network so far, in stroops. */
  readonly feePool: bigint
  /** Coins in existence, in stroops. */
  readonly totalCoins: bigint
  /** The fee of an operation when there is no surge, in stroops. */
  readonly baseFee: number
  /** The unit of an account's minimum balance, in stroops. */
  readonly baseReserve: number
  /** How many operations (before protocol 11: transactions) the network agrees to put into a ledger. */
  readonly maxTxSetSize: number
  /** Fee bumps of which the transaction inside was applied, successfully or not. */
  readonly feeBumps: number
  /** Transactions that call or maintain contracts, successful or not. */
  readonly sorobanTx: number
}

/**
 * Verifies and extracts. `bytes` is the XDR of one `LedgerCloseMeta`. Throws {@link LedgerVerification.LedgerRejected}, and then says nothing of
 * the ledger but why; the result holds no view of `bytes`.
 */
export const extract = (bytes: Uint8Array): LedgerFacts => of(verify(bytes))

/** {@link extract} as an effect: ends in `LedgerRejected`. It is synchronous and takes about a millisecond for a megabyte. */
export const fromBytes: (bytes: Uint8Array) => Effect.Effect<LedgerFacts, LedgerVerification.LedgerRejected> =
  Effect.fn("LedgerFacts.fromBytes")((bytes: Uint8Array) => LedgerVerification.refusing(() => extract(bytes)))

/** Takes a ledger apart and verifies its hashes. Throws {@link LedgerVerification.LedgerRejected}. */
export const verify = (bytes: Uint8Array): LedgerVerification.Verified =>
  LedgerVerification.verify(bytes, outline(bytes))

/** The facts of a ledger that was verified. */
export const of = ({
  version,
  hash,
  header,
  envelopes,
  results
}: LedgerVerification.Verified): LedgerFacts => {
  let successTx = 0
  let opCount = 0
  let feeBumps = 0
  let totalFeeCharged = 0n
  for (const { result } of results) {
    totalFeeCharged += result.feeCharged
    const operations = operationsApplied(result.result)
    if (operations >= 0) {
      successTx += 1
      opCount += operations
    }
    if (result.result.type === "txFeeBumpInnerSuccess" || result.result.type === "txFeeBumpInnerFailed")
      feeBumps += 1
  }
  let txSetOpCount = 0
  let sorobanTx = 0
  for (const envelope of envelopes) {
    const tx = innermost(envelope)
    txSetOpCount += tx.operations.length
    if (tx.ext.type === "sorobanData") sorobanTx += 1
  }
  return {
    sequence: header.ledgerSeq,
    hash: hex(hash),
    previousHash: hex(header.previousLedgerHash),
    closeTime: Number(header.scpValue.closeTime),
    protocol: header.ledgerVersion,
    lcmVersion: version,
    txCount: results.length,
    successTx,
    failedTx: results.length - successTx,
    opCount,
    txSetOpCount,
    totalFeeCharged,
    feePool: header.feePool,
    totalCoins: header.totalCoins,
    baseFee: header.baseFee,
    baseReserve: header.baseReserve,
    maxTxSetSize: header.maxTxSetSize,
    feeBumps,
    sorobanTx
  }
}

/** How many operations a successful transaction had, which is how many results it has; -1 for one that failed. */
const operationsApplied = (result: TransactionResultResultOutline): number => {
  if (result.type === "txSuccess") return result.value.length
  if (result.type !== "txFeeBumpInnerSuccess") return -1
  const inner = result.value.result.result
  // The arm says that the inner transaction succeeded; stellar-core writes no other result under it.
  return inner.type === "txSuccess" ? inner.value.length : 0
}

/** The transaction itself: of a fee bump, the one inside. */
export const innermost = (envelope: TransactionEnvelopeOutline) =>
  envelope.type === "envelopeTypeTxFeeBump" ? envelope.value.tx.innerTx.value.tx : envelope.value.tx

const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex")

const outline = (bytes: Uint8Array) => {
  try {
    return decodeLedgerCloseMetaOutline(bytes)
  } catch (cause) {
    if (!(cause instanceof XdrError.XdrError)) throw cause
    throw undecodable(bytes, cause)
  }
}

const undecodable = (bytes: Uint8Array, cause: XdrError.XdrError): LedgerVerification.LedgerRejected => {
  const header = peek(bytes)
  const name = header === undefined ? "a ledger" : `ledger ${header.ledgerSeq}`
  const protocol =
    header === undefined
      ? ""
      : `; its header says protocol ${header.ledgerVersion}, known up to ${KNOWN_PROTOCOL}`
  return new LedgerVerification.LedgerRejected({
    reason: cause.fault === "unknown_arm" ? "decoder_behind_protocol" : "decode",
    sequence: header?.ledgerSeq,
    message: `${name} cannot be decoded: ${cause.message}${protocol}`,
    cause
  })
}

/** The header of a ledger that does not decode as a whole, when that much of it does. */
const peek = (bytes: Uint8Array): LedgerHeader | undefined => {
  try {
    const reader = new XdrReader(bytes)
    const version = reader.v.getUint32(0)
    reader.p = 4
    if (version > 2) return undefined
    if (version > 0) readLedgerCloseMetaExt(reader)
    return readLedgerHeaderHistoryEntry(reader).header
  } catch {
    return undefined
  }
}
