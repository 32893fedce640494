/**
 * Goes over the meta of a ledger, stopping at trustlines, liquidity pools and events, and steps over everything else without building it.
 *
 * The meta was walked to its end when the ledger was decoded, so it is well-formed here. The order is that of time: all fees are taken before the first
 * transaction is applied, and refunds since protocol 23 come after the last one.
 */
import type { Meta } from "../LedgerVerification.js"
import * as Skip from "../xdr/generated/skip.js"
import { XdrReader } from "../xdr/XdrReader.js"

/** What a record says of its entry. The values are those of the XDR. */
export const Change = { created: 0, updated: 1, removed: 2, state: 3, restored: 4 } as const

/** The kind of a record: one of {@link Change}. */
export type Change = (typeof Change)[keyof typeof Change]

/** Is told what is met. Offsets are those of the ledger's bytes. */
export interface Visitor {
  /** A trustline; `at` is where its XDR begins: the `TrustLineEntry`, or the `LedgerKeyTrustLine` when it is removed. */
  readonly trustline: (change: Change, at: number) => void
  /** A pool; `at` is where its XDR begins: the `LiquidityPoolEntry`, or the `LedgerKeyLiquidityPool` when it is removed. */
  readonly pool: (change: Change, at: number) => void
  /** An event of a transaction or an operation; `at` is where the `ContractEvent` begins. */
  readonly event: (at: number) => void
}

/** Visits all of the meta. Returns how many transactions there are with each version of it. */
export const walk = (bytes: Uint8Array, meta: Meta, visitor: Visitor): Record<string, number> => {
  const walker = new Walker(bytes, visitor)
  const versions: Record<string, number> = {}
  for (const { feeProcessing } of meta.transactions) walker.changesAt(feeProcessing.start)
  for (const { txApplyProcessing } of meta.transactions) {
    const version = `v${walker.transactionAt(txApplyProcessing.start)}`
    versions[version] = (versions[version] ?? 0) + 1
  }
  for (const { postTxApplyFeeProcessing } of meta.transactions)
    if (postTxApplyFeeProcessing !== undefined) walker.changesAt(postTxApplyFeeProcessing.start)
  walker.upgradesAt(meta.upgrades.start)
  return versions
}

const TRUSTLINE = 1
const POOL = 5

class Walker {
  private readonly reader: XdrReader
  private readonly visitor: Visitor

  constructor(bytes: Uint8Array, visitor: Visitor) {
    this.reader = new XdrReader(bytes)
    this.visitor = visitor
  }

  /** A `LedgerEntryChanges`. */
  changesAt(at: number): void {
    this.reader.p = at
    this.changes()
  }

  /** An array of `UpgradeEntryMeta`. */
  upgradesAt(at: number): void {
    this.reader.p = at
    for (let left = this.count(); left > 0; left--) {
      Skip.skipLedgerUpgrade(this.reader)
      this.changes()
    }
  }

  /** A `TransactionMeta`; returns its version. What follows the last thing of interest is not looked at. */
  transactionAt(at: number): number {
    this.reader.p = at + 4
    const version = this.reader.v.getInt32(at)
    if (version >= 3) Skip.skipExtensionPoint(this.reader)
    if (version >= 1) this.changes()
    for (let left = this.count(); left > 0; left--) {
      if (version < 4) this.changes()
      else this.operation()
    }
    if (version >= 2) this.changes()
    if (version >= 4) this.transactionEvents()
    return version
  }

  private operation(): void {
    Skip.skipExtensionPoint(this.reader)
    this.changes()
    for (let left = this.count(); left > 0; left--) this.event()
  }

  private transactionEvents(): void {
    const r = this.reader
    r.p += 4
    if (r.bool(r.p - 4)) Skip.skipSorobanTransactionMetaV2(r)
    for (let left = this.count(); left > 0; left--) {
      // Before the event stands the stage at which it happened.
      r.p += 4
      this.event()
    }
  }

  private event(): void {
    this.visitor.event(this.reader.p)
    Skip.skipContractEvent(this.reader)
  }

  private changes(): void {
    const r = this.reader
    for (let left = this.count(); left > 0; left--) {
      const at = r.p
      const change = r.v.getInt32(at) as Change
      // An entry has the ledger of its last change before it; the key, which is all that is left of a removed one, has not.
      const entry = change === Change.removed ? at + 4 : at + 8
      const type = r.v.getInt32(entry)
      if (type === TRUSTLINE) this.visitor.trustline(change, entry + 4)
      else if (type === POOL) this.visitor.pool(change, entry + 4)
      Skip.skipLedgerEntryChange(r)
    }
  }

  private count(): number {
    const at = this.reader.p
    this.reader.p = at + 4
    return this.reader.v.getUint32(at)
  }
}
