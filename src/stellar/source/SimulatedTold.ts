/**
 * What happened in a simulated ledger, said by whoever made it happen and not read back from what was encoded.
 *
 * Tests count with it: whatever is extracted from the ledger's bytes must come to the same.
 */
import type { Asset, ClaimAtom, MuxedAccount, OperationBody } from "../xdr/generated/types.js"
import type { Before, Counts, Line, Pool } from "./SimulatedState.js"

/** An operation. */
export interface ToldOperation {
  readonly type: OperationBody["type"]
  /** Its own result; "untried" in a transaction that was refused before its operations. */
  readonly outcome: "success" | "failed" | "untried"
  /** Who acted; muxed where it was. */
  readonly from: MuxedAccount
  /** What it moved, or would have; absent where nothing is paid. */
  readonly payment?: {
    readonly to: MuxedAccount
    readonly sent: Asset
    readonly sentAmount: bigint
    readonly received: Asset
    readonly receivedAmount: bigint
  }
  /** What was exchanged, where the operation succeeded. */
  readonly claims: ReadonlyArray<ClaimAtom>
  /** The pool of a deposit or withdrawal. */
  readonly pool?: Uint8Array
}

/** A transaction, in the order of application. */
export interface ToldTransaction {
  readonly hash: Uint8Array
  /** Its result code; of a fee bump, that of the transaction inside. */
  readonly code: string
  /** What it was charged in the end, in stroops. */
  readonly feeCharged: bigint
  /** Present where another account paid. */
  readonly feeBump?: {
    readonly innerHash: Uint8Array
    readonly payer: MuxedAccount
    readonly source: MuxedAccount
    readonly maxFee: bigint
  }
  /** Whether it called a contract. */
  readonly contract: boolean
  readonly operations: ReadonlyArray<ToldOperation>
}

/** A ledger. The entries are live: what they hold is right until the next ledger is made. */
export interface ToldLedger {
  readonly sequence: number
  readonly transactions: ReadonlyArray<ToldTransaction>
  /** Trustlines and pools that were touched, as they were before; as they are now is in the entry. */
  readonly touched: ReadonlyMap<Line | Pool, Before>
  /** Records of changes in the meta. */
  readonly records: { readonly line: Counts; readonly pool: Counts }
}
