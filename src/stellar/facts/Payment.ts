/** What moved, and what was meant to. */

/** The operations that move an asset from one account to another. Transfers that contracts make are counted as events, not here. */
export type PaymentKind =
  "payment" | "pathPaymentStrictReceive" | "pathPaymentStrictSend" | "createAccount" | "accountMerge"

/** What is known of a payment whether it succeeded or not. */
export interface PaymentAttempt {
  /**
   * SEP-35 identifier of the operation: `sequence << 32 | position of the transaction in apply order, from 1 << 12 | position of the operation, from 1`.
   * Unique on a network and ascending in the order of application. Above 2^53.
   */
  readonly toid: bigint
  /** Hash of the transaction in hex; of a fee bump, the outer one. */
  readonly txHash: string
  /** Which operation it was. */
  readonly kind: PaymentKind
  /** Who paid, as `G...`: the operation's source account, or else the transaction's. */
  readonly from: string
  /** Who was paid, as `G...`. */
  readonly to: string
  /** The id inside a muxed source account; null when it was not muxed. Up to 2^64 - 1. */
  readonly fromMuxedId: bigint | null
  /** The id inside a muxed destination; null when it was not muxed. Up to 2^64 - 1. */
  readonly toMuxedId: bigint | null
  /** The asset that left the source: `native` or `CODE:ISSUER`. */
  readonly srcAsset: string
  /** The asset that arrived; other than `srcAsset` in path payments only. */
  readonly dstAsset: string
  /** Whether an account paid itself: arbitrage through the order books, most of the time. Muxed ids make no difference. */
  readonly self: boolean
}

/** A payment of a successful transaction. */
export interface Payment extends PaymentAttempt {
  /** What left the source, in stroops of `srcAsset`. */
  readonly srcAmount: bigint
  /** What arrived, in stroops of `dstAsset`. */
  readonly dstAmount: bigint
}

/** Why an attempt moved nothing. */
export type FailedOutcome =
  /** The operation itself failed. */
  | "failedOwn"
  /** The operation succeeded and was undone since another one of its transaction failed. */
  | "rolledBack"
  /** The transaction was refused before its operations were tried. */
  | "noOpResult"

/** A payment or path payment of a transaction that failed. Creations and merges of accounts are no attempts in a corridor. */
export interface FailedPayment extends PaymentAttempt {
  readonly kind: "payment" | "pathPaymentStrictReceive" | "pathPaymentStrictSend"
  /** Why nothing moved. */
  readonly outcome: FailedOutcome
}

/** All attempts of a ledger from one asset to one asset. Each payment and path payment is counted in exactly one of the six counters. */
export interface CorridorCount {
  /** `native` or `CODE:ISSUER`. */
  readonly srcAsset: string
  /** `native` or `CODE:ISSUER`; the same as `srcAsset` for plain payments. */
  readonly dstAsset: string
  /** Payments to somebody else that arrived. */
  readonly success: number
  /** Payments to somebody else that failed by themselves. */
  readonly failedOwn: number
  /** Payments to somebody else that were undone because of another operation. */
  readonly rolledBack: number
  /** Payments to somebody else in transactions that were refused as a whole. */
  readonly noOpResult: number
  /** Payments to oneself that succeeded. */
  readonly selfSuccess: number
  /** Payments to oneself that did not, for whatever reason. */
  readonly selfFailed: number
  /** What left the sources of `success`, in stroops of `srcAsset`. May be above 2^63. */
  readonly srcVolume: bigint
  /** What arrived by `success`, in stroops of `dstAsset`. May be above 2^63. */
  readonly dstVolume: bigint
  /** What left the sources of `selfSuccess`, in stroops of `srcAsset`. */
  readonly selfSrcVolume: bigint
  /** What arrived by `selfSuccess`, in stroops of `dstAsset`. */
  readonly selfDstVolume: bigint
}

/** An account that was merged into another one, and is gone. It is among the payments too. */
export interface AccountMerge {
  /** SEP-35 identifier of the operation, see {@link PaymentAttempt.toid}. */
  readonly toid: bigint
  /** Hash of the transaction in hex; of a fee bump, the outer one. */
  readonly txHash: string
  /** The account that is gone, as `G...`. */
  readonly account: string
  /** Where its balance went, as `G...`. */
  readonly into: string
  /** What it still had, in stroops. */
  readonly amount: bigint
}
