/** What is counted of transactions and operations as such. */

/** A transaction for which another account paid. */
export interface FeeBump {
  /** SEP-35 identifier of the transaction: {@link import("./Payment.js").PaymentAttempt.toid} with operation 0. */
  readonly toid: bigint
  /** Hash of the outer transaction, in hex. */
  readonly hash: string
  /** Hash of the transaction inside, in hex. */
  readonly innerHash: string
  /** Who paid, as `G...`. */
  readonly feeSource: string
  /** Who had the transaction inside, as `G...`. */
  readonly innerSource: string
  /** What was charged, in stroops. */
  readonly feeCharged: bigint
  /** What the payer agreed to pay at most, in stroops. */
  readonly maxFee: bigint
  /** Operations of the transaction inside. */
  readonly operations: number
  /** Whether the transaction inside succeeded. */
  readonly success: boolean
}

/** Operations by the name of their type, such as `manageSellOffer`; a type that did not occur is absent. */
export type OperationCounts = Readonly<Record<string, number>>

/** How the fees of a ledger are spread, over transactions without contracts, in stroops per operation; a fee bump counts as one operation more. */
export interface FeeSpread {
  /** The lowest. */
  readonly min: bigint
  /** Half of the transactions paid this or less. */
  readonly p50: bigint
  /** Nineteen in twenty paid this or less. */
  readonly p95: bigint
  /** The highest. */
  readonly max: bigint
}

/** Exchanges by what was on the other side, in successful offers and path payments. */
export interface ClaimAtomCounts {
  /** Offers, as results said it before protocol 18. */
  readonly v0: number
  /** Offers. */
  readonly orderBook: number
  /** Liquidity pools. */
  readonly liquidityPool: number
}

/** Events of transactions and operations, from meta V4 on; all zero in older meta. */
export interface EventCounts {
  /** All events, diagnostic ones apart. */
  readonly events: number
  /** Sum of the `fee` events, in stroops, refunds taken off: what all transactions paid. */
  readonly fee: bigint
  /** `transfer` events of assets (CAP-67). */
  readonly transfer: number
  /** `mint` events. */
  readonly mint: number
  /** `burn` events. */
  readonly burn: number
  /** `clawback` events. */
  readonly clawback: number
}
