/** What is counted alike of every kind of entry: records, and entries that came or went over the whole ledger. */
import type { ChangeCounts } from "./EntryChanges.js"
import { Change } from "./EntryWalk.js"

/** Where the first and the last record of an entry are. */
export interface Touched {
  /** Offset of the first record's entry or key, which begin alike. */
  readonly first: number
  /** Offset of the entry as it was before the ledger; -1 when it was not there; undefined when the meta does not say how it was. */
  readonly before: number | undefined
  /** Offset of the entry as it is after the ledger; -1 when it is gone. */
  after: number
}

/** The records of one kind of entry. */
export class Records {
  /** Every entry that was touched, by its key, in order of first touch. */
  readonly entries = new Map<string, Touched>()
  private created = 0
  private updated = 0
  private removed = 0

  /** Takes a record of the entry `key`, of which the XDR begins at `at`. */
  add(key: string, change: Change, at: number): void {
    if (change === Change.created) this.created += 1
    else if (change === Change.removed) this.removed += 1
    else if (change !== Change.state) this.updated += 1
    const after = change === Change.removed ? -1 : at
    const entry = this.entries.get(key)
    if (entry !== undefined) {
      entry.after = after
      return
    }
    const before = change === Change.created ? -1 : change === Change.state ? at : undefined
    this.entries.set(key, { first: at, before, after })
  }

  /** Records by kind. */
  get raw(): ChangeCounts {
    return { created: this.created, updated: this.updated, removed: this.removed }
  }
}

/** What became of an entry; undefined when it came and went. */
export const fate = ({ after, before }: Touched): keyof ChangeCounts | undefined =>
  before === -1 ? (after === -1 ? undefined : "created") : after === -1 ? "removed" : "updated"
