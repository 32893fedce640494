/** Liquidity pools: how those that a ledger touched are afterwards. */
import * as Decode from "../xdr/generated/decode.js"
import { XdrReader } from "../xdr/XdrReader.js"
import * as AssetId from "./AssetId.js"
import * as Bytes from "./Bytes.js"
import type { PoolFacts, PoolImage } from "./EntryChanges.js"
import type { Change } from "./EntryWalk.js"
import * as Existence from "./Existence.js"

/** An empty collection of pools in `bytes`. */
export const make = (bytes: Uint8Array) => {
  const reader = new XdrReader(bytes)
  const records = new Existence.Records()

  /** Takes a record. An entry begins with the pool's id, which is all of its key. */
  const add = (change: Change, at: number): void => records.add(Bytes.text(bytes, at, at + 32), change, at)

  const image = (at: number, created: boolean): PoolImage => {
    reader.p = at
    const { body, liquidityPoolId } = Decode.readLiquidityPoolEntry(reader)
    const { params, poolSharesTrustLineCount, reserveA, reserveB, totalPoolShares } = body.value
    return {
      id: Bytes.hex(liquidityPoolId),
      assetA: AssetId.of(params.assetA),
      assetB: AssetId.of(params.assetB),
      feeBp: params.fee,
      reserveA,
      reserveB,
      shares: totalPoolShares,
      trustlines: poolSharesTrustLineCount,
      created
    }
  }

  const collected = (): Omit<PoolFacts, "activity"> => {
    const net = { created: 0, updated: 0, removed: 0 }
    const images: Array<PoolImage> = []
    const removed: Array<string> = []
    for (const entry of records.entries.values()) {
      const fate = Existence.fate(entry)
      if (fate === undefined) continue
      net[fate] += 1
      if (fate === "removed") removed.push(Bytes.hex(bytes.subarray(entry.first, entry.first + 32)))
      else images.push(image(entry.after, fate === "created"))
    }
    return { raw: records.raw, net, images, removed }
  }
  return { add, collected }
}
