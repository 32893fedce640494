/** Small ledgers with right hashes, so that tests need no recorded data. */
import { createHash } from "node:crypto"
import * as Network from "../../../src/stellar/Network.js"
import * as Encode from "../../../src/stellar/xdr/generated/encode.js"
import type * as T from "../../../src/stellar/xdr/generated/types.js"

/** A transaction to put into a ledger. */
export interface Spec {
  readonly operations: number
  readonly outcome: "success" | "failed" | "rejected"
  readonly feeBump?: boolean
  readonly soroban?: boolean
}

/** A transaction in every detail. */
export interface Raw {
  readonly envelope: T.TransactionEnvelope
  /** What came of it; hashes in it are filled in. */
  readonly result: T.TransactionResult
  readonly feeProcessing?: ReadonlyArray<T.LedgerEntryChange>
  readonly meta?: T.TransactionMeta
  readonly postTxApplyFeeProcessing?: ReadonlyArray<T.LedgerEntryChange>
}

/** What is to be made. */
export interface Options {
  readonly version?: 0 | 1 | 2
  readonly sequence?: number
  readonly transactions?: ReadonlyArray<Spec>
  /** Transactions in every detail, in place of `transactions`. Their hashes are filled in. */
  readonly raw?: ReadonlyArray<Raw>
  /** What upgrades changed; nothing by default. */
  readonly upgrades?: ReadonlyArray<T.UpgradeEntryMeta>
  /** The network that transactions are hashed for; pubnet by default. */
  readonly networkPassphrase?: string
  /** Closes the ledger without the proposed set, as CAP-83 allows. */
  readonly emptySet?: boolean
  /** Changes the ledger after all of its hashes were computed. */
  readonly tamper?: (ledger: T.LedgerCloseMeta) => T.LedgerCloseMeta
  /** Changes the header before it is hashed. */
  readonly header?: (header: T.LedgerHeader) => T.LedgerHeader
}

export const sha256 = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const hash = createHash("sha256")
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

const filled = (byte: number, length = 32): Uint8Array => new Uint8Array(length).fill(byte)
const muxed = (byte: number): T.MuxedAccount => ({ type: "keyTypeEd25519", value: filled(byte) })
const signature: T.DecoratedSignature = { hint: filled(7, 4), signature: filled(8, 64) }

const payment: T.Operation = {
  sourceAccount: null,
  body: {
    type: "payment",
    value: { destination: muxed(2), asset: { type: "assetTypeNative" }, amount: 5_000_000n }
  }
}

const sorobanData: T.SorobanTransactionData = {
  ext: { type: "v0" },
  resources: { footprint: { readOnly: [], readWrite: [] }, instructions: 1, diskReadBytes: 2, writeBytes: 3 },
  resourceFee: 4n
}

const envelope = (spec: Spec, index: number): T.TransactionEnvelope => {
  const tx: T.Transaction = {
    sourceAccount: muxed(1),
    fee: 100 * spec.operations,
    seqNum: BigInt(index),
    cond: { type: "precondNone" },
    memo: { type: "memoText", value: Buffer.from(`tx ${index}`) },
    operations: Array.from({ length: spec.operations }, () => payment),
    ext: spec.soroban === true ? { type: "sorobanData", value: sorobanData } : { type: "v0" }
  }
  const inner = { tx, signatures: [signature] }
  if (spec.feeBump !== true) return { type: "envelopeTypeTx", value: inner }
  const innerTx = { type: "envelopeTypeTx", value: inner } as const
  return {
    type: "envelopeTypeTxFeeBump",
    value: { tx: { feeSource: muxed(3), fee: 1000n, innerTx, ext: { type: "v0" } }, signatures: [signature] }
  }
}

const paid: T.OperationResult = {
  type: "opInner",
  value: { type: "payment", value: { type: "paymentSuccess" } }
}
const unpaid: T.OperationResult = {
  type: "opInner",
  value: { type: "payment", value: { type: "paymentUnderfunded" } }
}

const result = (spec: Spec, index: number): T.TransactionResult => {
  const ext = { type: "v0" } as const
  const success = Array.from({ length: spec.operations }, () => paid)
  const failed = Array.from({ length: spec.operations }, () => unpaid)
  const inner =
    spec.outcome === "success"
      ? ({ type: "txSuccess", value: success } as const)
      : ({ type: "txFailed", value: failed } as const)
  const pair = { transactionHash: filled(0), result: { feeCharged: 100n, result: inner, ext } }
  const result: T.TransactionResultResult =
    spec.outcome === "rejected"
      ? { type: "txInsufficientBalance" }
      : spec.feeBump === true
        ? { type: spec.outcome === "success" ? "txFeeBumpInnerSuccess" : "txFeeBumpInnerFailed", value: pair }
        : inner
  return { feeCharged: BigInt(100 + index), result, ext }
}

type Tagged = T.TransactionSignaturePayload["taggedTransaction"]

const tagged = (envelope: T.TransactionEnvelope): Tagged => {
  if (envelope.type !== "envelopeTypeTxV0") return { type: envelope.type, value: envelope.value.tx } as Tagged
  const { sourceAccountEd25519, timeBounds, ...same } = envelope.value.tx
  const cond: T.Preconditions =
    timeBounds === null ? { type: "precondNone" } : { type: "precondTime", value: timeBounds }
  const sourceAccount = { type: "keyTypeEd25519", value: sourceAccountEd25519 } as const
  return { type: "envelopeTypeTx", value: { ...same, sourceAccount, cond } }
}

/** The hash of a transaction. */
export const hashOf = (envelope: T.TransactionEnvelope, networkPassphrase: string): Uint8Array =>
  sha256(
    Encode.encodeTransactionSignaturePayload({
      networkId: Network.id(networkPassphrase),
      taggedTransaction: tagged(envelope)
    })
  )

const resultPair = ({ envelope, result }: Raw, networkPassphrase: string): T.TransactionResultPair => {
  const transactionHash = hashOf(envelope, networkPassphrase)
  const outcome = result.result
  if (
    envelope.type !== "envelopeTypeTxFeeBump" ||
    (outcome.type !== "txFeeBumpInnerSuccess" && outcome.type !== "txFeeBumpInnerFailed")
  )
    return { transactionHash, result }
  const value = { ...outcome.value, transactionHash: hashOf(envelope.value.tx.innerTx, networkPassphrase) }
  return { transactionHash, result: { ...result, result: { ...outcome, value } } }
}

const changes: ReadonlyArray<T.LedgerEntryChange> = [
  {
    type: "ledgerEntryRemoved",
    value: { type: "account", value: { accountId: { type: "publicKeyTypeEd25519", value: filled(1) } } }
  }
]
const meta: T.TransactionMeta = {
  type: "v2",
  value: { txChangesBefore: changes, operations: [{ changes }], txChangesAfter: [] }
}

/** A ledger as a value. Every hash in it is right, apart from those that name other ledgers. */
export const make = (options: Options = {}): T.LedgerCloseMeta => {
  const version = options.version ?? 2
  const networkPassphrase = options.networkPassphrase ?? Network.passphrases.pubnet
  const specs = options.transactions ?? DEFAULT
  const raws: ReadonlyArray<Raw> =
    options.emptySet === true
      ? []
      : (options.raw ?? specs.map((spec, i) => ({ envelope: envelope(spec, i), result: result(spec, i) })))
  const previousLedgerHash = filled(9)
  const txs = raws.map((raw) => raw.envelope)
  const results = raws.map((raw) => resultPair(raw, networkPassphrase))
  const legacy: T.TransactionSet = { previousLedgerHash, txs }
  const classic: T.TransactionPhase = {
    type: "v0Components",
    value: [
      {
        type: "txsetCompTxsMaybeDiscountedFee",
        value: { baseFee: 100n, txs: txs.filter((_, i) => i % 2 === 0) }
      }
    ]
  }
  const parallel: T.TransactionPhase = {
    type: "parallelTxsComponent",
    value: { baseFee: null, executionStages: [[txs.filter((_, i) => i % 2 === 1)]] }
  }
  const set: T.GeneralizedTransactionSet = {
    type: "v1TxSet",
    value: { previousLedgerHash, phases: [classic, parallel] }
  }
  const setHash =
    version === 0
      ? sha256(previousLedgerHash, ...txs.map(Encode.encodeTransactionEnvelope))
      : sha256(Encode.encodeGeneralizedTransactionSet(set))
  const lcValueSignature = {
    nodeId: { type: "publicKeyTypeEd25519", value: filled(4) },
    signature: filled(5, 64)
  } as const
  const plain: T.LedgerHeader = {
    ledgerVersion: version === 0 ? 13 : version === 1 ? 20 : 28,
    previousLedgerHash,
    scpValue: {
      txSetHash: options.emptySet === true ? filled(0) : setHash,
      closeTime: 1_700_000_000n,
      upgrades: [],
      ext:
        options.emptySet === true
          ? {
              type: "stellarValueEmptyTxSet",
              value: { txSetHash: filled(6), previousLedgerHash, previousLedgerVersion: 28, lcValueSignature }
            }
          : { type: "stellarValueSigned", value: lcValueSignature }
    },
    txSetResultHash: sha256(Encode.encodeTransactionResultSet({ results })),
    bucketListHash: filled(10),
    ledgerSeq: options.sequence ?? 77,
    totalCoins: 1_054_439_020_873_472_865n,
    feePool: 42n,
    inflationSeq: 0,
    idPool: 0n,
    baseFee: 100,
    baseReserve: 5_000_000,
    maxTxSetSize: 1000,
    skipList: [filled(0), filled(0), filled(0), filled(0)],
    ext: { type: "v0" }
  }
  const header = options.header?.(plain) ?? plain
  const ledgerHeader: T.LedgerHeaderHistoryEntry = {
    hash: sha256(Encode.encodeLedgerHeader(header)),
    header,
    ext: { type: "v0" }
  }
  const processing = results.map((result, i) => ({
    result,
    feeProcessing: raws[i]!.feeProcessing ?? changes,
    txApplyProcessing: raws[i]!.meta ?? meta
  }))
  const after = {
    upgradesProcessing: options.upgrades ?? [],
    scpInfo: [],
    totalByteSizeOfLiveSorobanState: 0n,
    evictedKeys: []
  }
  const ledger: T.LedgerCloseMeta =
    version === 0
      ? { type: "v0", value: { ledgerHeader, txSet: legacy, txProcessing: processing, ...after } }
      : version === 1
        ? {
            type: "v1",
            value: {
              ext: { type: "v0" },
              ledgerHeader,
              txSet: set,
              txProcessing: processing,
              unused: [],
              ...after
            }
          }
        : {
            type: "v2",
            value: {
              ext: { type: "v0" },
              ledgerHeader,
              txSet: set,
              txProcessing: processing.map((p, i) => ({
                ext: { type: "v0" },
                ...p,
                postTxApplyFeeProcessing: raws[i]!.postTxApplyFeeProcessing ?? changes
              })),
              ...after
            }
          }
  return options.tamper?.(ledger) ?? ledger
}

/** What is in a ledger unless the test says otherwise: each kind of transaction once. */
export const DEFAULT: ReadonlyArray<Spec> = [
  { operations: 2, outcome: "success" },
  { operations: 3, outcome: "failed" },
  { operations: 1, outcome: "success", feeBump: true },
  { operations: 4, outcome: "failed", feeBump: true },
  { operations: 5, outcome: "rejected", feeBump: true },
  { operations: 1, outcome: "success", soroban: true },
  { operations: 6, outcome: "rejected" }
]

/** A ledger as bytes. */
export const bytes = (options: Options = {}): Uint8Array => Encode.encodeLedgerCloseMeta(make(options))
