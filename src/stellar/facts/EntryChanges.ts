/** What changed in the ledger's state: trustlines and liquidity pools. */

/** Number of records, or of entries. */
export interface ChangeCounts {
  /** Records that create, or entries that are there now and were not before. */
  readonly created: number
  /** Records that update or restore, or entries that were touched and are there before and after. */
  readonly updated: number
  /** Records that remove, or entries that were there before and are not now. */
  readonly removed: number
}

/** What a ledger did to the trustlines of one asset, from the first image of each line to its last. */
export interface TrustlineDelta {
  /** `CODE:ISSUER`. */
  readonly asset: string
  /** Lines that are there now and were not before. What came and went within the ledger counts nothing. */
  readonly created: number
  /** Lines that were there before and are not now. */
  readonly removed: number
  /** Lines that were touched and are there before and after. */
  readonly updated: number
  /** How many more lines are authorized (flag 1) than before. */
  readonly authorizedDelta: number
  /** How many more lines may only keep up their liabilities (flag 2) than before. */
  readonly maintainLiabilitiesDelta: number
  /** How much more is held in these lines than before, in stroops of the asset; its issuer's hand is not a line. */
  readonly balanceDelta: bigint
  /**
   * Lines whose state before the ledger is not in its meta; the deltas leave them out. Zero in all meta that stellar-core writes with state records
   * (since protocol 10, and in what it derives anew for older ledgers).
   */
  readonly unknownBefore: number
}

/** Trustlines of a ledger. */
export interface TrustlineFacts {
  /** Records, of lines for pool shares too. */
  readonly raw: ChangeCounts
  /** Lines of assets. */
  readonly net: ChangeCounts
  /** Lines for pool shares. */
  readonly poolShareNet: ChangeCounts
  /** One for each asset of which a line was touched, in order of first touch; pool shares are none. */
  readonly assets: ReadonlyArray<TrustlineDelta>
}

/** A liquidity pool as it is at the end of a ledger that touched it. */
export interface PoolImage {
  /** Its id in hex. */
  readonly id: string
  /** `native` or `CODE:ISSUER`. */
  readonly assetA: string
  /** `CODE:ISSUER`. */
  readonly assetB: string
  /** What it keeps of an exchange, in hundredths of a percent; 30 on every network so far. */
  readonly feeBp: number
  /** What it holds of asset A, in stroops. */
  readonly reserveA: bigint
  /** What it holds of asset B, in stroops. */
  readonly reserveB: bigint
  /** Shares in existence, in stroops. */
  readonly shares: bigint
  /** Trustlines for its shares. */
  readonly trustlines: bigint
  /** Whether it was not there before this ledger. */
  readonly created: boolean
}

/** What was done with a liquidity pool, out of operations and results. */
export interface PoolActivity {
  /** Its id in hex. */
  readonly id: string
  /** Exchanges with it. */
  readonly trades: number
  /** What was exchanged of asset A, in and out, in stroops. */
  readonly volumeA: bigint
  /** What was exchanged of asset B, in and out, in stroops. */
  readonly volumeB: bigint
  /** Deposits that succeeded. */
  readonly deposits: number
  /** Withdrawals that succeeded. */
  readonly withdrawals: number
}

/** Liquidity pools of a ledger. */
export interface PoolFacts {
  /** Records. */
  readonly raw: ChangeCounts
  /** Pools. */
  readonly net: ChangeCounts
  /** The pools that were touched and are there, in order of first touch. */
  readonly images: ReadonlyArray<PoolImage>
  /** Ids, in hex, of pools that were there before and are not now. */
  readonly removed: ReadonlyArray<string>
  /** The pools that were traded with, deposited to or withdrawn from, in order of the first. */
  readonly activity: ReadonlyArray<PoolActivity>
}
