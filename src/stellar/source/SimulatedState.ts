/**
 * What the simulated network's ledger holds at a moment, and the record of how it changes.
 *
 * The entries are plain mutable values. Whoever changes one touches it first, and a journal makes entry changes of that: the image before, the image
 * after. Accounts begin with so much of everything that no story of the simulation can use it up.
 */
import type { LedgerEntry, LedgerEntryChange, LedgerKey, PublicKey } from "../xdr/generated/types.js"
import * as SimulatedEntry from "./SimulatedEntry.js"
import { inUnits, publicKey, type SimulatedAsset, type SimulatedWorld } from "./SimulatedWorld.js"

/** An account. */
export interface Account extends SimulatedEntry.Stamp {
  readonly type: "account"
  readonly id: PublicKey
  /** Its trustlines to issued assets, by the asset's index. Those of a resident are made when they are first asked for. */
  readonly lines: Array<Line | undefined>
  /** Whether it has held every asset since before the first ledger. */
  readonly settled: boolean
  balance: bigint
  seqNum: bigint
  /** Trustlines, of which those for pool shares count twice. */
  subEntries: number
}

/** A trustline, to an asset or to the shares of a pool. */
export interface Line extends SimulatedEntry.Stamp {
  readonly type: "line"
  readonly holder: Account
  readonly of: SimulatedAsset | Pool
  balance: bigint
  limit: bigint
  /** 1 is authorized, 2 is authorized to keep up liabilities. */
  flags: number
}

/** A liquidity pool. */
export interface Pool extends SimulatedEntry.Stamp {
  readonly type: "pool"
  readonly id: Uint8Array
  readonly assetA: SimulatedAsset
  readonly assetB: SimulatedAsset
  readonly shareLines: Map<Account, Line>
  reserveA: bigint
  reserveB: bigint
  shares: bigint
  /** Trustlines for its shares. */
  lines: bigint
}

/** The one number that a contract stores. */
export interface Counter extends SimulatedEntry.Stamp {
  readonly type: "counter"
  readonly contract: Uint8Array
  count: number
}

/** Anything that has images. */
export type Entry = Account | Line | Pool | Counter

/** Says that an entry is about to be changed, created or removed. */
export type Touch = (entry: Entry) => void

/** All accounts of a simulation, as they change. */
export interface SimulatedState {
  readonly residents: ReadonlyArray<Account>
  readonly makers: ReadonlyArray<Account>
  readonly hermits: ReadonlyArray<Account>
  /** The accounts that issue, by the index of what they issue; none for lumens. */
  readonly issuers: ReadonlyArray<Account | undefined>
}

/** The limit of a trustline without one. */
export const noLimit = 9_223_372_036_854_775_807n

/** What a settled account begins with: ten million lumens, and as much worth of every asset. */
const fortune = 100_000_000_000_000n

const firstSeqNum = 429_496_729_600_000n

/** An account that is not there yet, unless `exists`. */
export const account = (key: Uint8Array, settled = false, exists = false): Account => ({
  type: "account",
  id: publicKey(key),
  lines: [],
  settled,
  exists,
  modified: 0,
  balance: exists ? fortune : 0n,
  seqNum: firstSeqNum,
  subEntries: 0
})

/** The trustline of an account to an issued asset, whether or not it is there. */
export const lineOf = (holder: Account, asset: SimulatedAsset, fad: SimulatedAsset): Line => {
  const known = holder.lines[asset.index]
  if (known !== undefined) return known
  const exists = holder.settled && asset.index !== fad.index
  const line: Line = {
    type: "line",
    holder,
    of: asset,
    exists,
    modified: 0,
    balance: exists ? inUnits(fortune, asset, 0) : 0n,
    limit: exists ? noLimit : 0n,
    flags: exists ? 1 : 0
  }
  holder.lines[asset.index] = line
  return line
}

/** The trustline of an account to a pool's shares, whether or not it is there. */
export const shareLineOf = (holder: Account, pool: Pool): Line => {
  const known = pool.shareLines.get(holder)
  if (known !== undefined) return known
  const line: Line = {
    type: "line",
    holder,
    of: pool,
    exists: false,
    modified: 0,
    balance: 0n,
    limit: 0n,
    flags: 0
  }
  pool.shareLines.set(holder, line)
  return line
}

/** The state before the first ledger. */
export const make = (world: SimulatedWorld): SimulatedState => {
  const settled = (key: Uint8Array): Account => {
    const made = account(key, true, true)
    made.subEntries = world.assets.length - 1
    return made
  }
  return {
    residents: world.residents.map(settled),
    makers: world.makers.map(settled),
    hermits: world.hermits.map((key) => account(key, false, true)),
    issuers: [...world.assets, world.fad].map(({ issuer }) => issuer && account(issuer.value, false, true))
  }
}

/** How many records, or entries, came, changed and went. */
export interface Counts {
  created: number
  updated: number
  removed: number
}

/** What a trustline or pool was before the ledger. */
export interface Before {
  readonly exists: boolean
  readonly balance: bigint
  readonly flags: number
}

/** The changes of one ledger, as they happen. */
export interface Journal {
  readonly touch: Touch
  /** The changes since it was last asked: one group of the meta. */
  readonly take: () => ReadonlyArray<LedgerEntryChange>
  /** Trustlines and pools that were touched, as they were before the ledger. */
  readonly before: ReadonlyMap<Line | Pool, Before>
  /** Records of trustlines and of pools so far. */
  readonly records: { readonly line: Counts; readonly pool: Counts }
}

/** The journal of the ledger with that sequence. */
export const journal = (sequence: number): Journal => {
  const before = new Map<Line | Pool, Before>()
  const counts = (): Counts => ({ created: 0, updated: 0, removed: 0 })
  const records = { line: counts(), pool: counts() }
  const open = new Map<Entry, LedgerEntry | undefined>()
  const close = (entry: Entry, was: LedgerEntry | undefined, changes: Array<LedgerEntryChange>) => {
    if (was === undefined && !entry.exists) return
    if (was !== undefined) changes.push({ type: "ledgerEntryState", value: was })
    const kind = was === undefined ? "created" : entry.exists ? "updated" : "removed"
    if (entry.type === "line" || entry.type === "pool") records[entry.type][kind] += 1
    if (kind === "removed") {
      const value: LedgerKey = SimulatedEntry.key(entry)
      changes.push({ type: "ledgerEntryRemoved", value })
      return
    }
    entry.modified = sequence
    const value = SimulatedEntry.image(entry, sequence)
    changes.push({ type: kind === "created" ? "ledgerEntryCreated" : "ledgerEntryUpdated", value })
  }
  return {
    touch: (entry) => {
      if (open.has(entry)) return
      // When an entry was last modified before this ledger is not remembered: it would have to be known of a start in the middle too.
      const modified = entry.modified === sequence ? sequence : sequence - 1
      open.set(entry, entry.exists ? SimulatedEntry.image(entry, modified) : undefined)
      if (entry.type === "line" && !before.has(entry)) {
        before.set(entry, { exists: entry.exists, balance: entry.balance, flags: entry.flags })
      }
      if (entry.type === "pool" && !before.has(entry)) {
        before.set(entry, { exists: entry.exists, balance: 0n, flags: 0 })
      }
    },
    take: () => {
      const changes: Array<LedgerEntryChange> = []
      for (const [entry, was] of open) close(entry, was, changes)
      open.clear()
      return changes
    },
    before,
    records
  }
}
