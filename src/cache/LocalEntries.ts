/** Entries in memory, bounded by number and size: what was used least recently goes first. */
import type { Counting } from "./CacheStats.js"

/** An entry. */
export interface Entry {
  /** As it was computed or decoded; shared by all who read it. */
  readonly value: unknown
  /** Of what generations and version it is. */
  readonly mark: string
  /** When its computation began, in milliseconds since 1970: it knows of everything before. Undefined when it was read from Redis. */
  readonly asOf: number | undefined
  /** When it is forgotten, in milliseconds since 1970. */
  readonly expiresAt: number
}

/** The entries. */
export interface LocalEntries {
  /** The entry of a key, whatever its mark and age. It counts as used. */
  readonly get: (key: string) => Entry | undefined
  /** Keeps an entry of so many characters, counted as one of `counting`. One that alone takes an eighth of the room is not kept. */
  readonly put: (key: string, entry: Entry, characters: number, counting: Counting) => void
  /** Forgets an entry. */
  readonly remove: (key: string) => void
  /** How many there are. */
  readonly size: () => number
  /** Bytes that they take. */
  readonly bytes: () => number
}

interface Kept {
  readonly entry: Entry
  readonly bytes: number
  readonly counting: Counting
}

/** What an entry takes beside its text. */
const overhead = 256

/** No entries, and room for so many. */
export const make = (most: { readonly entries: number; readonly memory: number }): LocalEntries => {
  // A map keeps the order in which keys were set: the first one is the one that was used least recently.
  const kept = new Map<string, Kept>()
  let total = 0

  const remove = (key: string) => {
    const one = kept.get(key)
    if (one === undefined) return
    kept.delete(key)
    total -= one.bytes
    one.counting.entries -= 1
    one.counting.bytes -= one.bytes
  }
  const makeRoom = () => {
    while (kept.size > most.entries || total > most.memory) {
      // A map is destructured by its iterator, which has a first entry here: something is kept.
      const [[key, one]] = kept as unknown as [[string, Kept]]
      remove(key)
      one.counting.evictions += 1
    }
  }

  return {
    get: (key) => {
      const one = kept.get(key)
      if (one === undefined) return undefined
      kept.delete(key)
      kept.set(key, one)
      return one.entry
    },
    put: (key, entry, characters, counting) => {
      remove(key)
      const bytes = overhead + 2 * (key.length + characters)
      if (bytes > most.memory / 8) return
      kept.set(key, { entry, bytes, counting })
      total += bytes
      counting.entries += 1
      counting.bytes += bytes
      makeRoom()
    },
    remove,
    size: () => kept.size,
    bytes: () => total
  }
}
