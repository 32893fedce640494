/**
 * What ledgers of the simulated network are put together of, as bytes: envelopes, the set of them, and the whole.
 *
 * A transaction is hashed, lies in an envelope, perhaps in another one, in the set that is hashed, and in the ledger. It is encoded once, and then copied.
 */
import { encode, type XdrWriter } from "../xdr/XdrWriter.js"
import {
  writeDecoratedSignature,
  writeLedgerHeaderHistoryEntry,
  writeMuxedAccount,
  writeTransaction,
  writeTransactionResultMetaV1
} from "../xdr/generated/encode.js"
import type {
  DecoratedSignature,
  LedgerHeaderHistoryEntry,
  MuxedAccount,
  Transaction,
  TransactionResultMetaV1
} from "../xdr/generated/types.js"
import { sha256, type SimulatedRandom } from "./SimulatedRandom.js"
import type { Account } from "./SimulatedState.js"

/** XDR of a `TransactionEnvelope`, and the hash that its transaction is known by. */
export interface Envelope {
  readonly hash: Uint8Array
  readonly bytes: Uint8Array
}

const many = 0xffff_ffff
/** Of XDR: four bytes of a key, a length, and what it is the length of. */
const signatureLength = 4 + 4 + 64
const plain = 2
const feeBump = 5

/** The signature of an account: random bytes, since nobody has its key. */
const signature = (random: SimulatedRandom, { id }: Account): DecoratedSignature => ({
  hint: id.value.subarray(28),
  signature: random.bytes(64)
})

/**
 * What is hashed is the network, what kind of transaction it is, and the transaction; an envelope is the latter two, and signatures. So it is all written in a
 * row, and the parts are cut out of it.
 */
const seal = (
  networkId: Uint8Array,
  random: SimulatedRandom,
  signers: ReadonlyArray<Account>,
  write: (writer: XdrWriter) => void
): Envelope => {
  const all = encode((writer: XdrWriter, signed: ReadonlyArray<Account>) => {
    writer.raw(networkId)
    write(writer)
    writer.count(signed.length, 20)
    for (const signer of signed) writeDecoratedSignature(writer, signature(random, signer))
  }, signers)
  return {
    hash: sha256(all.subarray(0, all.length - signers.length * signatureLength - 4)),
    bytes: all.subarray(networkId.length)
  }
}

/** The envelope of a transaction. */
export const transaction = (
  networkId: Uint8Array,
  tx: Transaction,
  random: SimulatedRandom,
  signers: ReadonlyArray<Account>
): Envelope =>
  seal(networkId, random, signers, (writer) => {
    writer.i32(plain)
    writeTransaction(writer, tx)
  })

/** The envelope of a fee bump, around another one. */
export const bump = (
  networkId: Uint8Array,
  inner: Envelope,
  feeSource: MuxedAccount,
  fee: bigint,
  random: SimulatedRandom,
  payer: Account
): Envelope =>
  seal(networkId, random, [payer], (writer) => {
    writer.i32(feeBump)
    writeMuxedAccount(writer, feeSource)
    writer.i64(fee)
    writer.raw(inner.bytes)
    writer.i32(0)
  })

/** An account as a source or destination; in `percent` of all cases with an id of somebody inside it. */
export const muxed = (random: SimulatedRandom, { id }: Account, percent: number): MuxedAccount =>
  random.chance(percent)
    ? {
        type: "keyTypeMuxedEd25519",
        value: {
          id: (BigInt(random.below(0x1_0000_0000)) << 32n) | BigInt(random.below(1000)),
          ed25519: id.value
        }
      }
    : { type: "keyTypeEd25519", value: id.value }

const byHash = (envelopes: ReadonlyArray<Envelope>): ReadonlyArray<Envelope> =>
  envelopes.toSorted((one, other) => Buffer.compare(one.hash, other.hash))

/**
 * XDR of a `GeneralizedTransactionSet`: plain transactions in one component, and calls of contracts in one stage, each in a cluster of its own, since
 * none touches what another one does.
 */
export const set = (
  previousLedgerHash: Uint8Array,
  transactions: ReadonlyArray<Envelope>,
  calls: ReadonlyArray<Envelope>
): Uint8Array =>
  encode((writer: XdrWriter, previous: Uint8Array) => {
    writer.i32(1)
    writer.opaque(previous, 32)
    writer.count(2, many)
    writer.i32(0)
    writer.count(transactions.length === 0 ? 0 : 1, many)
    if (transactions.length > 0) {
      writer.i32(0)
      writer.bool(false)
      writer.count(transactions.length, many)
      for (const { bytes } of byHash(transactions)) writer.raw(bytes)
    }
    writer.i32(1)
    writer.bool(false)
    writer.count(calls.length === 0 ? 0 : 1, many)
    if (calls.length === 0) return
    writer.count(calls.length, many)
    for (const { bytes } of byHash(calls)) {
      writer.count(1, many)
      writer.raw(bytes)
    }
  }, previousLedgerHash)

/** XDR of a `LedgerCloseMeta` V2, with a set that is encoded already. */
export const ledger = (
  entry: LedgerHeaderHistoryEntry,
  txSet: Uint8Array,
  txProcessing: ReadonlyArray<TransactionResultMetaV1>
): Uint8Array =>
  encode((writer: XdrWriter, header: LedgerHeaderHistoryEntry) => {
    writer.i32(2)
    writer.i32(0)
    writeLedgerHeaderHistoryEntry(writer, header)
    writer.raw(txSet)
    writer.count(txProcessing.length, many)
    for (const processing of txProcessing) writeTransactionResultMetaV1(writer, processing)
    // No upgrades, no messages of the consensus, no state of contracts worth counting, nothing evicted.
    writer.count(0, many)
    writer.count(0, many)
    writer.u64(0n)
    writer.count(0, many)
  }, entry)
