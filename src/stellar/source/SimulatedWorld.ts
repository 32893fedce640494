/** Who and what there is on the simulated network: accounts, assets, and what an asset is worth at a time. */
import type { Asset, PublicKey } from "../xdr/generated/types.js"
import { sha256 } from "./SimulatedRandom.js"

/** An asset with its price. */
export interface SimulatedAsset {
  /** The asset as transactions name it. */
  readonly asset: Asset
  /** What one unit is worth in the ledger of this sequence, in millionths of a lumen; a pure function, always above 0. */
  readonly price: (sequence: number) => bigint
}

/** The inhabitants of one simulated network. */
export interface SimulatedWorld {
  /** Raw ed25519 keys of the accounts that send and receive. */
  readonly accounts: ReadonlyArray<Uint8Array>
  /** Lumens first, then the issued assets. */
  readonly assets: ReadonlyArray<SimulatedAsset>
  /** The key of the validator that signs every ledger. */
  readonly validator: PublicKey
}

const accountCount = 400

// Worth in millionths of a lumen, and how many ledgers one swing of the price takes.
const issued: ReadonlyArray<readonly [code: string, worth: bigint, period: number]> = [
  ["USDC", 8_400_000n, 4_001],
  ["EURC", 9_150_000n, 5_003],
  ["BRL", 1_540_000n, 2_503],
  ["NGNC", 5_300n, 3_001],
  ["AQUA", 6_100n, 997],
  ["yUSDC", 8_300_000n, 4_507]
]

/** A public key as XDR has it. */
export const publicKey = (value: Uint8Array): PublicKey => ({ type: "publicKeyTypeEd25519", value })

// Up by a tenth and down again, in a straight line: nothing that would need floating point.
const swing = (worth: bigint, period: number) => (sequence: number) => {
  const phase = sequence % period
  const height = phase * 2 < period ? phase * 2 : (period - phase) * 2
  return worth + (worth * BigInt(height)) / BigInt(period * 10)
}

const creditAsset = (code: string, issuer: PublicKey): Asset => {
  const wide = code.length > 4
  const assetCode = Buffer.alloc(wide ? 12 : 4)
  assetCode.write(code, "latin1")
  return {
    type: wide ? "assetTypeCreditAlphanum12" : "assetTypeCreditAlphanum4",
    value: { assetCode, issuer }
  }
}

/** The world of a seed. The keys are hashes: nobody, the simulation included, can sign with them. */
export const make = (seed: string): SimulatedWorld => {
  const key = (what: string) => sha256(`stellar-insights simulation ${seed}: ${what}`)
  return {
    accounts: Array.from({ length: accountCount }, (_, i) => key(`account ${i}`)),
    assets: [
      { asset: { type: "assetTypeNative" }, price: () => 1_000_000n },
      ...issued.map(([code, worth, period]) => ({
        asset: creditAsset(code, publicKey(key(`issuer ${code}`))),
        price: swing(worth, period)
      }))
    ],
    validator: publicKey(key("validator"))
  }
}
