/** Exchanges with offers and pools, and what else is done with pools. */
import type * as T from "../xdr/generated/types.js"
import * as Bytes from "./Bytes.js"
import type { PoolActivity } from "./EntryChanges.js"
import type { ClaimAtomCounts } from "./Transactions.js"

/** What was collected. */
export interface Collected {
  readonly claimAtoms: ClaimAtomCounts
  readonly activity: ReadonlyArray<PoolActivity>
}

/** Whether an operation names a pool. */
export const isPoolOperation = (type: T.OperationType): boolean =>
  type === "liquidityPoolDeposit" || type === "liquidityPoolWithdraw"

type Counters = { -readonly [K in keyof PoolActivity]: PoolActivity[K] }

/** An empty collection. */
export const make = () => {
  const claimAtoms = { v0: 0, orderBook: 0, liquidityPool: 0 }
  const pools = new Map<string, Counters>()

  const pool = (id: Uint8Array): Counters => {
    const key = Bytes.hex(id)
    let counters = pools.get(key)
    if (counters === undefined) {
      counters = { id: key, trades: 0, volumeA: 0n, volumeB: 0n, deposits: 0, withdrawals: 0 }
      pools.set(key, counters)
    }
    return counters
  }

  /** Takes the result of an operation that succeeded in a transaction that did. */
  const exchanged = (result: T.OperationResultTr): void => {
    for (const atom of atoms(result)) {
      if (atom.type === "claimAtomTypeV0") claimAtoms.v0 += 1
      else if (atom.type === "claimAtomTypeOrderBook") claimAtoms.orderBook += 1
      else {
        claimAtoms.liquidityPool += 1
        const { amountBought, amountSold, assetBought, assetSold, liquidityPoolId } = atom.value
        const counters = pool(liquidityPoolId)
        const soldIsA = compare(assetSold, assetBought) < 0
        counters.trades += 1
        counters.volumeA += soldIsA ? amountSold : amountBought
        counters.volumeB += soldIsA ? amountBought : amountSold
      }
    }
  }

  /** Takes an operation of a transaction that succeeded. */
  const pooled = (body: T.OperationBody): void => {
    if (body.type === "liquidityPoolDeposit") pool(body.value.liquidityPoolId).deposits += 1
    else if (body.type === "liquidityPoolWithdraw") pool(body.value.liquidityPoolId).withdrawals += 1
  }

  const collected = (): Collected => ({ claimAtoms, activity: [...pools.values()] })
  return { exchanged, pooled, collected }
}

const NONE: ReadonlyArray<T.ClaimAtom> = []

const atoms = (result: T.OperationResultTr): ReadonlyArray<T.ClaimAtom> => {
  switch (result.type) {
    case "pathPaymentStrictReceive":
      return result.value.type === "pathPaymentStrictReceiveSuccess" ? result.value.value.offers : NONE
    case "pathPaymentStrictSend":
      return result.value.type === "pathPaymentStrictSendSuccess" ? result.value.value.offers : NONE
    case "manageSellOffer":
    case "createPassiveSellOffer":
      return result.value.type === "manageSellOfferSuccess" ? result.value.value.offersClaimed : NONE
    case "manageBuyOffer":
      return result.value.type === "manageBuyOfferSuccess" ? result.value.value.offersClaimed : NONE
    default:
      return NONE
  }
}

const KINDS: ReadonlyArray<T.Asset["type"]> = [
  "assetTypeNative",
  "assetTypeCreditAlphanum4",
  "assetTypeCreditAlphanum12"
]

/** The order in which a pool's two assets stand: by kind, then code, then issuer. */
const compare = (a: T.Asset, b: T.Asset): number => {
  const kinds = KINDS.indexOf(a.type) - KINDS.indexOf(b.type)
  if (kinds !== 0 || a.type === "assetTypeNative" || b.type === "assetTypeNative") return kinds
  const codes = Buffer.compare(a.value.assetCode, b.value.assetCode)
  return codes !== 0 ? codes : Buffer.compare(a.value.issuer.value, b.value.issuer.value)
}
