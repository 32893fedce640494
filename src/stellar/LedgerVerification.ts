/**
 * Whether a ledger is what it says: the hashes that the network's consensus stands on are computed anew from the ledger's own bytes.
 *
 * This covers the header, the transaction set and the results, and so all that is read from them. What transactions changed (their meta) is
 * hashed by nobody; it is only checked to be well-formed. That the ledger continues the one before is for whoever stores them to check.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import type {
  GeneralizedTransactionSetOutline,
  LedgerCloseMetaOutline,
  TransactionEnvelopeOutline,
  TransactionResultPairOutline,
  TransactionSetOutline
} from "./xdr/generated/outline.js"
import type { LedgerHeader, LedgerHeaderHistoryEntry } from "./xdr/generated/types.js"
import type { Range } from "./xdr/XdrReader.js"

/** Why a ledger is refused. */
export type Rejection =
  /** The bytes are not one `LedgerCloseMeta`. */
  | "decode"
  /** The bytes have a union arm that the schema does not know: a newer protocol than the decoder's, or damage. */
  | "decoder_behind_protocol"
  /** The header does not hash to the ledger's hash. */
  | "header_hash"
  /** The transaction set does not hash to what the header says. */
  | "tx_set_hash"
  /** The results do not hash to what the header says. */
  | "result_hash"
  /** There are more or fewer results than transactions. */
  | "tx_count"
  /** A result is of no transaction of the set. Under the wrong network's passphrase this is so for every one. */
  | "tx_hash"
  /** A transaction's results are not those of its operations. */
  | "operations"
  /** The meta has something that no ledger can hold, such as a trustline for the network's own coin. */
  | "meta"

/** The bytes of a ledger are not to be believed; nothing of it may be stored. */
export class LedgerRejected extends Data.TaggedError("LedgerRejected")<{
  /** What was wrong. */
  readonly reason: Rejection
  /** The sequence in the ledger's header, when that much could be read. It has not been verified. */
  readonly sequence: number | undefined
  /** One sentence for the operator, with path and offset where decoding failed. */
  readonly message: string
  /** The `XdrError`, when decoding failed. */
  readonly cause?: unknown
}> {}

/** Runs what may throw {@link LedgerRejected}, which becomes the effect's error; anything else is a defect. */
export const refusing = <A>(run: () => A): Effect.Effect<A, LedgerRejected> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(run())
    } catch (error) {
      return error instanceof LedgerRejected ? Effect.fail(error) : Effect.die(error)
    }
  })

/** A ledger taken apart, all of its hashes being right. */
export interface Verified {
  /** Version of the `LedgerCloseMeta`: 0, 1 or 2. */
  readonly version: 0 | 1 | 2
  /** The ledger's hash: SHA-256 of its header. */
  readonly hash: Uint8Array
  /** The header. */
  readonly header: LedgerHeader
  /** The transactions as they were agreed on, in the order of the set, which is not the order in which they were applied. */
  readonly envelopes: ReadonlyArray<TransactionEnvelopeOutline>
  /** The results, in the order in which transactions were applied. */
  readonly results: ReadonlyArray<TransactionResultPairOutline>
  /** What nothing in the chain vouches for. */
  readonly meta: Meta
}

/** Where in the bytes the changes lie. They are well-formed; no hash covers them. */
export interface Meta {
  /** For each transaction, in the order in which they were applied. */
  readonly transactions: ReadonlyArray<{
    /** `LedgerEntryChanges`: fees being taken. */
    readonly feeProcessing: Range
    /** A `TransactionMeta`. */
    readonly txApplyProcessing: Range
    /** `LedgerEntryChanges`: refunds after all transactions; since `LedgerCloseMeta` version 2. */
    readonly postTxApplyFeeProcessing?: Range
  }>
  /** An array of `UpgradeEntryMeta`. */
  readonly upgrades: Range
}

/** Verifies a decoded ledger against `bytes`, which it was decoded from. Throws {@link LedgerRejected}. */
export const verify = (bytes: Uint8Array, ledger: LedgerCloseMetaOutline): Verified => {
  const entry = ledger.value.ledgerHeader
  const header = entry.header
  checkHeader(bytes, entry)
  const results = ledger.value.txProcessing.map((processing) => processing.result)
  checkResults(bytes, header, results)
  const envelopes =
    ledger.type === "v0"
      ? legacySet(bytes, header, ledger.value.txSet)
      : generalizedSet(bytes, header, ledger.value.txSet)
  if (envelopes.length !== results.length) {
    throw reject("tx_count", header, `has ${envelopes.length} transactions and ${results.length} results`)
  }
  const version = ledger.type === "v0" ? 0 : ledger.type === "v1" ? 1 : 2
  const meta = { transactions: ledger.value.txProcessing, upgrades: ledger.value.upgradesProcessing }
  return { version, hash: entry.hash, header, envelopes, results, meta }
}

const checkHeader = (bytes: Uint8Array, entry: LedgerHeaderHistoryEntry): void => {
  const hash = createHash("sha256").update(slice(bytes, entry.header.range)).digest()
  expect("header_hash", entry.header, "header hashes", hash, entry.hash)
}

/** The results lie scattered between changes; what is hashed is a `TransactionResultSet`: their count, then one after the other. */
const checkResults = (
  bytes: Uint8Array,
  header: LedgerHeader,
  results: ReadonlyArray<TransactionResultPairOutline>
): void => {
  let length = 4
  for (const { range } of results) length += range === undefined ? 0 : range.end - range.start
  const set = Buffer.allocUnsafe(length)
  let at = set.writeUInt32BE(results.length)
  for (const { range } of results) {
    const pair = slice(bytes, range)
    set.set(pair, at)
    at += pair.length
  }
  const hash = createHash("sha256").update(set).digest()
  expect("result_hash", header, "results hash", hash, header.txSetResultHash)
}

/** Before protocol 20 the hash is over the previous ledger's hash and every envelope: the set's XDR without the count between them. */
const legacySet = (
  bytes: Uint8Array,
  header: LedgerHeader,
  set: TransactionSetOutline
): ReadonlyArray<TransactionEnvelopeOutline> => {
  const all = slice(bytes, set.range)
  const hash = createHash("sha256").update(all.subarray(0, 32)).update(all.subarray(36)).digest()
  expect("tx_set_hash", header, "transaction set hashes", hash, header.scpValue.txSetHash)
  return set.txs
}

/**
 * From protocol 20 on the hash is over the set's XDR.
 *
 * Since protocol 28 (CAP-83) validators can agree to close a ledger without the set that was proposed. Its value then has the arm for the empty
 * set and a hash of zeros, so there is nothing to compare: the set must be empty, and both it and the dropped proposal must build on the header's
 * previous ledger. The reverse holds too: a hash of zeros without that arm is refused, since nothing hashes to it.
 */
const generalizedSet = (
  bytes: Uint8Array,
  header: LedgerHeader,
  set: GeneralizedTransactionSetOutline
): ReadonlyArray<TransactionEnvelopeOutline> => {
  const envelopes = set.value.phases.flatMap((phase) =>
    phase.type === "v0Components"
      ? phase.value.flatMap((component) => component.value.txs)
      : phase.value.executionStages.flat(2)
  )
  const agreed = header.scpValue
  if (agreed.ext.type === "stellarValueEmptyTxSet") {
    const proposal = agreed.ext.value
    if (envelopes.length > 0)
      throw reject(
        "tx_set_hash",
        header,
        `closed without a transaction set and has ${envelopes.length} transactions`
      )
    if (agreed.txSetHash.some((byte) => byte !== 0))
      throw reject("tx_set_hash", header, "closed without a transaction set and has a hash of one")
    expect(
      "tx_set_hash",
      header,
      "empty transaction set builds",
      set.value.previousLedgerHash,
      header.previousLedgerHash
    )
    expect(
      "tx_set_hash",
      header,
      "dropped proposal builds",
      proposal.previousLedgerHash,
      header.previousLedgerHash
    )
    return envelopes
  }
  const hash = createHash("sha256").update(slice(bytes, set.range)).digest()
  expect("tx_set_hash", header, "transaction set hashes", hash, agreed.txSetHash)
  return envelopes
}

/** The bytes of what was decoded from `bytes`. */
export const slice = (bytes: Uint8Array, range: Range | undefined): Uint8Array => {
  // Every value that a decoder made has its range; only values made by hand have none.
  if (range === undefined) throw new TypeError("the ledger was not decoded from these bytes")
  return bytes.subarray(range.start, range.end)
}

const expect = (
  reason: Rejection,
  header: LedgerHeader,
  what: string,
  actual: Uint8Array,
  wanted: Uint8Array
): void => {
  if (Buffer.compare(actual, wanted) === 0) return
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
  throw reject(reason, header, `is not what it says: its ${what} to ${hex(actual)}, not to ${hex(wanted)}`)
}

/** The refusal of a ledger whose header could be read; `what` goes on after `ledger N`. */
export const reject = (
  reason: Rejection,
  header: Pick<LedgerHeader, "ledgerSeq">,
  what: string
): LedgerRejected =>
  new LedgerRejected({ reason, sequence: header.ledgerSeq, message: `ledger ${header.ledgerSeq} ${what}` })
