/** Who and what there is on the simulated network: accounts, issuers, assets and what an asset is worth at a time. Nothing here ever changes. */
import type { Asset, PublicKey, TrustLineAsset } from "../xdr/generated/types.js"
import { sha256 } from "./SimulatedRandom.js"

/** An asset with its price. */
export interface SimulatedAsset {
  /** Its place among {@link SimulatedWorld.assets}. */
  readonly index: number
  /** The asset as transactions name it; trustlines name it the same way. */
  readonly asset: Asset & TrustLineAsset
  /** Who issues it; lumens are issued by nobody. */
  readonly issuer: PublicKey | undefined
  /** Whether its issuer must authorize every trustline. */
  readonly authorization: boolean
  /** What one unit is worth in the ledger of this sequence, in millionths of a lumen; a pure function, always above 0. */
  readonly price: (sequence: number) => bigint
}

/** The inhabitants of one simulated network. */
export interface SimulatedWorld {
  /** Raw ed25519 keys of the accounts that pay, trade and hold every asset but {@link fad}. */
  readonly residents: ReadonlyArray<Uint8Array>
  /** Keys of the accounts whose offers stand in the order books. */
  readonly makers: ReadonlyArray<Uint8Array>
  /** Keys of accounts that hold lumens only. */
  readonly hermits: ReadonlyArray<Uint8Array>
  /** Lumens first, then the issued assets in the order in which pools name them. */
  readonly assets: ReadonlyArray<SimulatedAsset>
  /** An asset that nobody holds for long: trustlines to it come and go. */
  readonly fad: SimulatedAsset
  /** The key of the validator that signs every ledger. */
  readonly validator: PublicKey
}

const residentCount = 400
const makerCount = 24
const hermitCount = 8

// Worth in millionths of a lumen, how many ledgers one swing of the price takes, and whether trustlines are authorized one by one.
const issued: ReadonlyArray<readonly [code: string, worth: bigint, period: number, authorization?: true]> = [
  ["USDC", 8_400_000n, 4_001],
  ["USDC", 8_390_000n, 4_801],
  ["EURC", 9_150_000n, 5_003],
  ["EURT", 9_130_000n, 5_101],
  ["BRL", 1_540_000n, 2_503, true],
  ["ARS", 7_900n, 2_003, true],
  ["MXN", 460_000n, 3_307],
  ["NGNC", 5_300n, 3_001],
  ["KES", 65_000n, 3_203],
  ["PHP", 146_000n, 2_801, true],
  ["BTC", 840_000_000_000n, 6_007],
  ["ETH", 31_000_000_000n, 6_211],
  ["XRP", 18_000_000n, 3_511],
  ["GOLD", 33_000_000_000n, 7_001, true],
  ["SHX", 39_000n, 1_201],
  ["VELO", 41_000n, 1_301],
  ["AQUA", 6_100n, 997],
  ["yUSDC", 8_300_000n, 4_507],
  ["yXLM", 1_000_000n, 1_999],
  ["TOKENBOND", 8_000_000n, 9_001, true]
]

/** A public key as XDR has it. */
export const publicKey = (value: Uint8Array): PublicKey => ({ type: "publicKeyTypeEd25519", value })

// Up by a tenth and down again, in a straight line: nothing that would need floating point.
const swing = (worth: bigint, period: number) => (sequence: number) => {
  const phase = sequence % period
  const height = phase * 2 < period ? phase * 2 : (period - phase) * 2
  return worth + (worth * BigInt(height)) / BigInt(period * 10)
}

const creditAsset = (code: string, issuer: PublicKey): SimulatedAsset["asset"] => {
  const wide = code.length > 4
  const assetCode = Buffer.alloc(wide ? 12 : 4)
  assetCode.write(code, "latin1")
  return {
    type: wide ? "assetTypeCreditAlphanum12" : "assetTypeCreditAlphanum4",
    value: { assetCode, issuer }
  }
}

/** Pools name their assets in this order: by the width of the code, by the code, by the issuer. */
const byNetworkOrder = (one: SimulatedAsset, other: SimulatedAsset): number => {
  const [a, b] = [one.asset, other.asset]
  if (a.type === "assetTypeNative" || b.type === "assetTypeNative") return 0
  if (a.type !== b.type) return a.type === "assetTypeCreditAlphanum4" ? -1 : 1
  return (
    Buffer.compare(a.value.assetCode, b.value.assetCode) ||
    Buffer.compare(a.value.issuer.value, b.value.issuer.value)
  )
}

/** `lumens` stroops' worth of an asset at that sequence, in its own stroops; at least 1. */
export const inUnits = (lumens: bigint, { price }: SimulatedAsset, sequence: number): bigint => {
  const units = (lumens * 1_000_000n) / price(sequence)
  return units > 0n ? units : 1n
}

/** The world of a seed. The keys are hashes: nobody, the simulation included, can sign with them. */
export const make = (seed: string): SimulatedWorld => {
  const key = (what: string) => sha256(`stellar-insights simulation ${seed}: ${what}`)
  const keys = (what: string, count: number) => Array.from({ length: count }, (_, i) => key(`${what} ${i}`))
  const credit = (code: string, worth: bigint, period: number, authorization: boolean, issuer: string) => {
    const id = publicKey(key(`issuer ${issuer}`))
    return { index: 0, asset: creditAsset(code, id), issuer: id, authorization, price: swing(worth, period) }
  }
  const lumens: SimulatedAsset = {
    index: 0,
    asset: { type: "assetTypeNative" },
    issuer: undefined,
    authorization: false,
    price: () => 1_000_000n
  }
  const credits = issued
    .map(([code, worth, period, authorization = false], i) =>
      credit(code, worth, period, authorization, `${code} ${i}`)
    )
    .sort(byNetworkOrder)
  const assets = [lumens, ...credits].map((asset, index) => ({ ...asset, index }))
  return {
    residents: keys("account", residentCount),
    makers: keys("maker", makerCount),
    hermits: keys("hermit", hermitCount),
    assets,
    fad: { ...credit("FAD", 1_000n, 101, false, "FAD"), index: assets.length },
    validator: publicKey(key("validator"))
  }
}
