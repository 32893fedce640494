/** Accounts, assets, operations, results and entries of which tests put ledgers together. */
import type * as T from "../../../src/stellar/xdr/generated/types.js"
import type * as SelfMadeLedger from "../xdr/SelfMadeLedger.js"

export const key = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
export const publicKey = (byte: number): T.PublicKey => ({ type: "publicKeyTypeEd25519", value: key(byte) })
export const plain = (byte: number): T.MuxedAccount => ({ type: "keyTypeEd25519", value: key(byte) })
export const muxed = (byte: number, id: bigint): T.MuxedAccount => ({
  type: "keyTypeMuxedEd25519",
  value: { id, ed25519: key(byte) }
})

export const native: T.Asset = { type: "assetTypeNative" }
export const asset = (code: string, issuer: number): T.Asset => {
  const assetCode = Buffer.alloc(code.length <= 4 ? 4 : 12)
  assetCode.write(code, "latin1")
  const value = { assetCode, issuer: publicKey(issuer) }
  return code.length <= 4
    ? { type: "assetTypeCreditAlphanum4", value }
    : { type: "assetTypeCreditAlphanum12", value }
}

const ext = { type: "v0" } as const

export const operation = (body: T.OperationBody, source?: T.MuxedAccount): T.Operation => ({
  sourceAccount: source ?? null,
  body
})
export const inner = (value: T.OperationResultTr): T.OperationResult => ({ type: "opInner", value })

/** An operation and its result. */
export type Done = readonly [operation: T.Operation, result: T.OperationResult]

export const payment = (
  destination: T.MuxedAccount,
  moved: T.Asset,
  amount: bigint,
  result: T.PaymentResult["type"] = "paymentSuccess",
  source?: T.MuxedAccount
): Done => [
  operation({ type: "payment", value: { destination, asset: moved, amount } }, source),
  inner({ type: "payment", value: { type: result } as T.PaymentResult })
]

/** An exchange with a pool. */
export const pooled = (
  pool: number,
  sold: readonly [T.Asset, bigint],
  bought: readonly [T.Asset, bigint]
): T.ClaimAtom => ({
  type: "claimAtomTypeLiquidityPool",
  value: {
    liquidityPoolId: key(pool),
    assetSold: sold[0],
    amountSold: sold[1],
    assetBought: bought[0],
    amountBought: bought[1]
  }
})

/** An exchange with an offer. */
export const offered = (
  sold: readonly [T.Asset, bigint],
  bought: readonly [T.Asset, bigint]
): T.ClaimAtom => ({
  type: "claimAtomTypeOrderBook",
  value: {
    sellerId: publicKey(60),
    offerId: 1n,
    assetSold: sold[0],
    amountSold: sold[1],
    assetBought: bought[0],
    amountBought: bought[1]
  }
})

export const strictSend = (
  from: readonly [T.Asset, bigint],
  to: readonly [T.Asset, bigint],
  destination: T.MuxedAccount,
  offers: ReadonlyArray<T.ClaimAtom>
): Done => [
  operation({
    type: "pathPaymentStrictSend",
    value: {
      sendAsset: from[0],
      sendAmount: from[1],
      destination,
      destAsset: to[0],
      destMin: 1n,
      path: [native]
    }
  }),
  inner({
    type: "pathPaymentStrictSend",
    value: {
      type: "pathPaymentStrictSendSuccess",
      value: { offers, last: { destination: publicKey(2), asset: to[0], amount: to[1] } }
    }
  })
]

export const strictReceive = (
  sendAsset: T.Asset,
  to: readonly [T.Asset, bigint],
  destination: T.MuxedAccount,
  offers: ReadonlyArray<T.ClaimAtom>
): Done => [
  operation({
    type: "pathPaymentStrictReceive",
    value: { sendAsset, sendMax: 1_000_000n, destination, destAsset: to[0], destAmount: to[1], path: [] }
  }),
  inner({
    type: "pathPaymentStrictReceive",
    value: {
      type: "pathPaymentStrictReceiveSuccess",
      value: { offers, last: { destination: publicKey(2), asset: to[0], amount: to[1] } }
    }
  })
]

/** How a transaction is to be made. */
export interface TransactionOptions {
  readonly source?: T.MuxedAccount
  readonly result?: T.InnerTransactionResultResult["type"]
  readonly feeCharged?: bigint
  readonly feeBump?: { readonly source: T.MuxedAccount; readonly fee: bigint }
  /** As it was before protocol 13. */
  readonly old?: true
  readonly feeProcessing?: ReadonlyArray<T.LedgerEntryChange>
  readonly meta?: T.TransactionMeta
  readonly postTxApplyFeeProcessing?: ReadonlyArray<T.LedgerEntryChange>
}

let made = 0

/** A transaction of operations with their results. */
export const transaction = (
  done: ReadonlyArray<Done>,
  options: TransactionOptions = {}
): SelfMadeLedger.Raw => {
  const source = options.source ?? plain(1)
  const operations = done.map(([operation]) => operation)
  // Every transaction is another one.
  const common = { fee: 100, seqNum: BigInt(++made), memo: { type: "memoNone" }, operations } as const
  const tx: T.Transaction = { ...common, sourceAccount: source, cond: { type: "precondNone" }, ext }
  const code = options.result ?? "txSuccess"
  const outcome = (
    code === "txSuccess" || code === "txFailed"
      ? { type: code, value: done.map(([, result]) => result) }
      : { type: code }
  ) as T.InnerTransactionResultResult
  const innerTx: T.FeeBumpTransaction["innerTx"] = { type: "envelopeTypeTx", value: { tx, signatures: [] } }
  const envelope: T.TransactionEnvelope =
    options.feeBump !== undefined
      ? {
          type: "envelopeTypeTxFeeBump",
          value: {
            tx: { feeSource: options.feeBump.source, fee: options.feeBump.fee, innerTx, ext },
            signatures: []
          }
        }
      : options.old === true
        ? {
            type: "envelopeTypeTxV0",
            value: {
              tx: {
                ...common,
                sourceAccountEd25519: key(1),
                timeBounds: { minTime: 0n, maxTime: 5n },
                ext
              },
              signatures: []
            }
          }
        : innerTx
  const result: T.TransactionResultResult =
    options.feeBump === undefined
      ? outcome
      : {
          type: code === "txSuccess" ? "txFeeBumpInnerSuccess" : "txFeeBumpInnerFailed",
          value: { transactionHash: key(0), result: { feeCharged: 0n, result: outcome, ext } }
        }
  const { feeProcessing = [], postTxApplyFeeProcessing = [], meta = metaOf() } = options
  return {
    envelope,
    result: { feeCharged: options.feeCharged ?? 100n, result, ext },
    feeProcessing,
    postTxApplyFeeProcessing,
    meta
  }
}

/** Changes of a transaction's operations, in a meta of the given version. Those around the operations are for versions that have a place for them. */
export const metaOf = (
  changes: ReadonlyArray<T.LedgerEntryChange> = [],
  version: 0 | 1 | 2 | 3 | 4 = 4,
  before: ReadonlyArray<T.LedgerEntryChange> = [],
  after: ReadonlyArray<T.LedgerEntryChange> = []
): T.TransactionMeta => {
  const around = { txChangesBefore: before, operations: [{ changes }], txChangesAfter: after }
  switch (version) {
    case 0:
      return { type: "operations", value: around.operations }
    case 1:
      return { type: "v1", value: { txChanges: before, operations: around.operations } }
    case 2:
      return { type: "v2", value: around }
    case 3:
      return { type: "v3", value: { ext, ...around, sorobanMeta: null } }
    case 4:
      return {
        type: "v4",
        value: {
          ...around,
          ext,
          operations: [{ ext, changes, events: [] }],
          sorobanMeta: null,
          events: [],
          diagnosticEvents: []
        }
      }
  }
}

/** Records of an entry. */
const entry = (
  type: Exclude<T.LedgerEntryChange["type"], "ledgerEntryRemoved">,
  data: T.LedgerEntryData
): T.LedgerEntryChange => ({ type, value: { lastModifiedLedgerSeq: 77, data, ext } })

const records = (data: T.LedgerEntryData, ledgerKey: T.LedgerKey) => ({
  state: entry("ledgerEntryState", data),
  created: entry("ledgerEntryCreated", data),
  updated: entry("ledgerEntryUpdated", data),
  restored: entry("ledgerEntryRestored", data),
  removed: { type: "ledgerEntryRemoved", value: ledgerKey } as T.LedgerEntryChange
})

/** Records of a trustline of `account`; for a pool share, `of` is the pool's number. */
export const line = (account: number, of: T.Asset | number, balance = 0n, flags = 1) => {
  const accountId = publicKey(account)
  const asset = typeof of === "number" ? ({ type: "assetTypePoolShare", value: key(of) } as const) : of
  const value = { accountId, asset, balance, limit: 1n << 60n, flags, ext }
  return records({ type: "trustline", value }, { type: "trustline", value: { accountId, asset } })
}

/** Records of a pool. */
export const pool = (
  id: number,
  assets: readonly [T.Asset, T.Asset],
  reserves: readonly [bigint, bigint] = [0n, 0n]
) => {
  const value: T.LiquidityPoolEntry = {
    liquidityPoolId: key(id),
    body: {
      type: "liquidityPoolConstantProduct",
      value: {
        params: { assetA: assets[0], assetB: assets[1], fee: 30 },
        reserveA: reserves[0],
        reserveB: reserves[1],
        totalPoolShares: 7n,
        poolSharesTrustLineCount: 2n
      }
    }
  }
  const ledgerKey = { type: "liquidityPool", value: { liquidityPoolId: key(id) } } as const
  return records({ type: "liquidityPool", value }, ledgerKey)
}

/** Records of an entry that no fact is taken from. */
export const data = (name: string) => {
  const dataName = Buffer.from(name)
  const value = { accountId: publicKey(1), dataName, dataValue: Buffer.from("value"), ext }
  return records({ type: "data", value }, { type: "data", value: { accountId: publicKey(1), dataName } })
}

/** An event of a contract. */
export const event = (
  topic: string,
  data: T.ScVal = { type: "scvVoid" },
  contractId: Uint8Array | null = key(50)
): T.ContractEvent => ({
  ext,
  contractId,
  type: "contract",
  body: { type: "v0", value: { topics: [{ type: "scvSymbol", value: Buffer.from(topic) }], data } }
})

/** An amount as events carry it. */
export const i128 = (amount: bigint): T.ScVal => ({
  type: "scvI128",
  value: { hi: amount >> 64n, lo: BigInt.asUintN(64, amount) }
})
