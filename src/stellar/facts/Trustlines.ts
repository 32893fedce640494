/** Trustlines: what a ledger did to those of each asset. */
import * as Decode from "../xdr/generated/decode.js"
import { XdrReader } from "../xdr/XdrReader.js"
import * as AssetId from "./AssetId.js"
import * as Bytes from "./Bytes.js"
import type { TrustlineDelta, TrustlineFacts } from "./EntryChanges.js"
import type { Change } from "./EntryWalk.js"
import * as Existence from "./Existence.js"

type Counters = { -readonly [K in keyof TrustlineDelta]: TrustlineDelta[K] }

// A line begins with its account: the kind of the key, then 32 bytes. Its asset follows, of a length that depends on the asset's kind.
const ASSET = 36
const ASSET_LENGTH = [4, 44, 52, 36]
const NATIVE = 0
const POOL_SHARE = 3
// Behind the asset.
const BALANCE = 0
const FLAGS = 16

const NOTHING = {
  created: 0,
  removed: 0,
  updated: 0,
  authorizedDelta: 0,
  maintainLiabilitiesDelta: 0,
  balanceDelta: 0n,
  unknownBefore: 0
}

const AUTHORIZED = 1
const MAINTAIN_LIABILITIES = 2

/** An empty collection of trustlines in `bytes`. */
export const make = (bytes: Uint8Array) => {
  const reader = new XdrReader(bytes)
  const records = new Existence.Records()

  const kind = (at: number): number => reader.v.getInt32(at + ASSET)
  const behindAsset = (at: number): number => at + ASSET + ASSET_LENGTH[kind(at)]!

  /** Takes a record. False when it is of something that cannot be: a line for the network's own coin. */
  const add = (change: Change, at: number): boolean => {
    if (kind(at) === NATIVE) return false
    // Account and asset are the key, and the whole of it.
    records.add(Bytes.text(bytes, at, behindAsset(at)), change, at)
    return true
  }

  const countersOf = (at: number, assets: Map<string, Counters>): Counters => {
    const key = Bytes.text(bytes, at + ASSET, behindAsset(at))
    let counters = assets.get(key)
    if (counters === undefined) {
      reader.p = at + ASSET
      assets.set(key, (counters = { ...NOTHING, asset: AssetId.of(Decode.readAsset(reader)) }))
    }
    return counters
  }

  const balance = (at: number): bigint => (at === -1 ? 0n : reader.v.getBigInt64(behindAsset(at) + BALANCE))
  const flag = (at: number, mask: number): number =>
    at === -1 || (reader.v.getUint32(behindAsset(at) + FLAGS) & mask) === 0 ? 0 : 1

  const collected = (): TrustlineFacts => {
    const net = { created: 0, updated: 0, removed: 0 }
    const poolShareNet = { created: 0, updated: 0, removed: 0 }
    const assets = new Map<string, Counters>()
    for (const entry of records.entries.values()) {
      const fate = Existence.fate(entry)
      if (fate === undefined) continue
      if (kind(entry.first) === POOL_SHARE) {
        poolShareNet[fate] += 1
        continue
      }
      net[fate] += 1
      const counters = countersOf(entry.first, assets)
      counters[fate] += 1
      const { after, before } = entry
      if (before === undefined) {
        counters.unknownBefore += 1
        continue
      }
      counters.authorizedDelta += flag(after, AUTHORIZED) - flag(before, AUTHORIZED)
      counters.maintainLiabilitiesDelta +=
        flag(after, MAINTAIN_LIABILITIES) - flag(before, MAINTAIN_LIABILITIES)
      counters.balanceDelta += balance(after) - balance(before)
    }
    return { raw: records.raw, net, poolShareNet, assets: [...assets.values()] }
  }
  return { add, collected }
}
