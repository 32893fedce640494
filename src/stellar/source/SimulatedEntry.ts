/** Ledger entries and keys, as XDR has them, of what the simulated network holds. */
import type { LedgerEntry, LedgerEntryData, LedgerKey, TrustLineAsset } from "../xdr/generated/types.js"
import type { Account, Counter, Entry, Line, Pool } from "./SimulatedState.js"

/** What all entries have. */
export interface Stamp {
  /** Whether it is there. */
  exists: boolean
  /** The last ledger of this run that changed it; 0 before. */
  modified: number
}

const extension = { type: "v0" } as const
const none = new Uint8Array(0)
const thresholds = Uint8Array.of(1, 0, 0, 0)
const countKey = { type: "scvSymbol", value: Buffer.from("Count") } as const

/** What every pool keeps of an exchange, in hundredths of a percent. */
export const poolFee = 30

/** A pool as `ChangeTrust` and its entry describe it. */
export const parameters = ({ assetA, assetB }: Pick<Pool, "assetA" | "assetB">) => ({
  assetA: assetA.asset,
  assetB: assetB.asset,
  fee: poolFee
})

/** What a trustline is to. */
const heldBy = ({ of }: Line): TrustLineAsset =>
  "reserveA" in of ? { type: "assetTypePoolShare", value: of.id } : of.asset

const account = (entry: Account): LedgerEntryData => ({
  type: "account",
  value: {
    accountId: entry.id,
    balance: entry.balance,
    seqNum: entry.seqNum,
    numSubEntries: entry.subEntries,
    inflationDest: null,
    flags: 0,
    homeDomain: none,
    thresholds,
    signers: [],
    ext: extension
  }
})

const line = (entry: Line): LedgerEntryData => ({
  type: "trustline",
  value: {
    accountId: entry.holder.id,
    asset: heldBy(entry),
    balance: entry.balance,
    limit: entry.limit,
    flags: entry.flags,
    ext: extension
  }
})

const pool = (entry: Pool): LedgerEntryData => ({
  type: "liquidityPool",
  value: {
    liquidityPoolId: entry.id,
    body: {
      type: "liquidityPoolConstantProduct",
      value: {
        params: parameters(entry),
        reserveA: entry.reserveA,
        reserveB: entry.reserveB,
        totalPoolShares: entry.shares,
        poolSharesTrustLineCount: entry.lines
      }
    }
  }
})

const counter = (entry: Counter): LedgerEntryData => ({
  type: "contractData",
  value: {
    ext: extension,
    contract: { type: "scAddressTypeContract", value: entry.contract },
    key: countKey,
    durability: "persistent",
    val: { type: "scvU32", value: entry.count }
  }
})

const data = (entry: Entry): LedgerEntryData => {
  switch (entry.type) {
    case "account":
      return account(entry)
    case "line":
      return line(entry)
    case "pool":
      return pool(entry)
    case "counter":
      return counter(entry)
  }
}

/** The entry as it is now. */
export const image = (entry: Entry, lastModifiedLedgerSeq: number): LedgerEntry => ({
  lastModifiedLedgerSeq,
  data: data(entry),
  ext: extension
})

/** The entry's key. */
export const key = (entry: Entry): LedgerKey => {
  switch (entry.type) {
    case "account":
      return { type: "account", value: { accountId: entry.id } }
    case "line":
      return { type: "trustline", value: { accountId: entry.holder.id, asset: heldBy(entry) } }
    case "pool":
      return { type: "liquidityPool", value: { liquidityPoolId: entry.id } }
    case "counter":
      return {
        type: "contractData",
        value: {
          contract: { type: "scAddressTypeContract", value: entry.contract },
          key: countKey,
          durability: "persistent"
        }
      }
  }
}
