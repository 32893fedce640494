/** One transaction of the simulated network: its envelope, its result and its hash. */
import { encodeTransactionSignaturePayload } from "../xdr/generated/encode.js"
import type {
  InnerTransactionResult,
  Memo,
  Transaction,
  TransactionEnvelope,
  TransactionResultMetaV1,
  TransactionResultPair,
  TransactionSignaturePayloadTaggedTransaction,
  TransactionV1Envelope
} from "../xdr/generated/types.js"
import * as SimulatedOperation from "./SimulatedOperation.js"
import { sha256 } from "./SimulatedRandom.js"

/** A transaction and what came of it. */
export interface SimulatedTransaction {
  readonly hash: Uint8Array
  readonly envelope: TransactionEnvelope
  readonly processing: TransactionResultMetaV1
}

/** Where a transaction happens. */
export interface Setting extends SimulatedOperation.Setting {
  /** SHA-256 of the network's passphrase. */
  readonly networkId: Uint8Array
  /** Unix seconds at which the ledger closes. */
  readonly closeTime: bigint
}

/** How many operations the `index`-th transaction of every ledger has. */
const operationsOf = (index: number): number => (index % 9 === 4 ? 3 : index % 31 === 30 ? 12 : 1)

/** What it bids for each operation, in stroops. */
const bidOf = (index: number): number => [100, 100, 100, 150, 100, 500, 100, 2000][index % 8]!

const isFeeBump = (index: number): boolean => index % 20 === 7

/**
 * The fee that the `index`-th transaction of every ledger is charged, in stroops. It depends on nothing else, so that the fee pool of any ledger is
 * known without the ledgers before it.
 */
export const feeOf = (index: number): bigint =>
  BigInt(bidOf(index)) * BigInt(operationsOf(index) + (isFeeBump(index) ? 1 : 0))

const extension = { type: "v0" } as const

/** The `index`-th transaction of a ledger. The signatures are random bytes. */
export const make = (setting: Setting, index: number): SimulatedTransaction => {
  const { random, world } = setting
  const source = random.pick(world.accounts)
  const outcome = random.below(100)
  const count = operationsOf(index)
  // Seven in a hundred fail in one operation, which undoes the others; one is refused before its operations.
  const failing = outcome < 7 ? random.below(count) : undefined
  const made = Array.from({ length: count }, (_, i) => SimulatedOperation.make(setting, i !== failing))
  const operations = made.map(({ operation }) => operation)
  const results = made.map(({ result }) => result)
  const result: InnerTransactionResult["result"] =
    outcome === 7
      ? { type: "txBadSeq" }
      : failing === undefined
        ? { type: "txSuccess", value: results }
        : { type: "txFailed", value: results }

  const tx: Transaction = {
    sourceAccount: SimulatedOperation.account(source),
    fee: bidOf(index) * count,
    // Rising for every account, as on a real network; unlike there with gaps, since an account's past is not remembered.
    seqNum: (BigInt(setting.sequence) << 20n) + BigInt(index) + 1n,
    cond: { type: "precondTime", value: { minTime: 0n, maxTime: setting.closeTime + 300n } },
    memo: memo(setting),
    operations,
    ext: extension
  }
  const plain: TransactionV1Envelope = { tx, signatures: [signature(setting, source)] }
  const plainHash = hashOf(setting, { type: "envelopeTypeTx", value: tx })
  const feeCharged = feeOf(index)
  if (!isFeeBump(index)) {
    const pair = { transactionHash: plainHash, result: { feeCharged, result, ext: extension } }
    return finish({ type: "envelopeTypeTx", value: plain }, pair, operationMetas(result))
  }

  const payer = random.pick(world.accounts)
  const bump = {
    feeSource: SimulatedOperation.account(payer),
    fee: feeCharged,
    innerTx: { type: "envelopeTypeTx", value: plain } as const,
    ext: extension
  }
  const hash = hashOf(setting, { type: "envelopeTypeTxFeeBump", value: bump })
  const value = { transactionHash: plainHash, result: { feeCharged: 0n, result, ext: extension } }
  const type =
    result.type === "txSuccess" ? ("txFeeBumpInnerSuccess" as const) : ("txFeeBumpInnerFailed" as const)
  return finish(
    { type: "envelopeTypeTxFeeBump", value: { tx: bump, signatures: [signature(setting, payer)] } },
    { transactionHash: hash, result: { feeCharged, result: { type, value }, ext: extension } },
    operationMetas(result)
  )
}

const hashOf = (setting: Setting, taggedTransaction: TransactionSignaturePayloadTaggedTransaction): Buffer =>
  sha256(encodeTransactionSignaturePayload({ networkId: setting.networkId, taggedTransaction }))

const signature = ({ random }: Setting, signer: Uint8Array) => ({
  hint: signer.subarray(28),
  signature: random.bytes(64)
})

const memo = ({ random }: Setting): Memo => {
  const kind = random.below(10)
  if (kind < 6) return { type: "memoNone" }
  if (kind < 8) return { type: "memoId", value: BigInt(random.below(1_000_000)) }
  return { type: "memoText", value: Buffer.from(`order ${random.below(100_000)}`, "latin1") }
}

// An applied operation has a place for its changes, whether or not there are any; what failed has none.
const operationMetas = (result: InnerTransactionResult["result"]) =>
  result.type === "txSuccess" ? result.value.map(() => ({ ext: extension, changes: [], events: [] })) : []

const finish = (
  envelope: TransactionEnvelope,
  result: TransactionResultPair,
  operations: ReturnType<typeof operationMetas>
): SimulatedTransaction => ({
  hash: result.transactionHash,
  envelope,
  processing: {
    ext: extension,
    result,
    feeProcessing: [],
    txApplyProcessing: {
      type: "v4",
      value: {
        ext: extension,
        txChangesBefore: [],
        operations,
        txChangesAfter: [],
        sorobanMeta: null,
        events: [],
        diagnosticEvents: []
      }
    },
    postTxApplyFeeProcessing: []
  }
})
