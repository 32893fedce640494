/**
 * What a cache has to say about itself.
 *
 * @module
 */

/** What became of the reads of one namespace, or of all, since the process started. */
export interface Counts {
  /** Reads that needed no computation: the next three together. */
  readonly hits: number
  /** Answered from this process's memory. */
  readonly localHits: number
  /** Answered from Redis. */
  readonly sharedHits: number
  /** Answered by the computation of another read that was under way. */
  readonly joined: number
  /** Reads that were computed. */
  readonly misses: number
  /** Times that Redis could not be read or written, or held what is not readable. */
  readonly errors: number
  /** Times that everything before was declared outdated, by this process or another. */
  readonly invalidations: number
  /** Entries that had to go from memory before their time, for want of room. */
  readonly evictions: number
  /** Hits of all reads, from 0 to 1; null before the first read. */
  readonly hitRate: number | null
}

/** One namespace. */
export interface NamespaceStats extends Counts {
  /** Its name. */
  readonly name: string
  /** Entries in this process's memory, outdated ones that nobody has asked for since included. */
  readonly entries: number
  /** Bytes that they take, as far as they can be told from the encoded text. */
  readonly bytes: number
}

/** A cache. */
export interface Stats {
  /** Whether entries are shared with other processes: `memory` is this process alone, `redis` both. */
  readonly kind: "memory" | "redis"
  /** All namespaces together. */
  readonly total: Counts
  /** What is in this process's memory, and may be. */
  readonly memory: {
    /** Entries now. */
    readonly entries: number
    /** Entries at most. */
    readonly maxEntries: number
    /** Bytes now. */
    readonly bytes: number
    /** Bytes at most. */
    readonly maxBytes: number
  }
  /** Each namespace, in the order in which they were made. */
  readonly namespaces: ReadonlyArray<NamespaceStats>
}

/** Counts in the making. */
export interface Counting {
  /** Answered from this process's memory. */
  localHits: number
  /** Answered from Redis. */
  sharedHits: number
  /** Answered by the computation of another read that was under way. */
  joined: number
  /** Computed. */
  misses: number
  /** Times that Redis could not be used. */
  errors: number
  /** Times that everything before became outdated. */
  invalidations: number
  /** Entries that left memory for want of room. */
  evictions: number
  /** Entries in this process's memory now. */
  entries: number
  /** Bytes that they take, estimated. */
  bytes: number
}

/** Nothing yet. */
export const none = (): Counting => ({
  localHits: 0,
  sharedHits: 0,
  joined: 0,
  misses: 0,
  errors: 0,
  invalidations: 0,
  evictions: 0,
  entries: 0,
  bytes: 0
})

/** The sums and rates of what was counted. */
export const counts = (all: ReadonlyArray<Counting>): Counts => {
  const sum = (key: keyof Counting) => all.reduce((total, one) => total + one[key], 0)
  const hits = sum("localHits") + sum("sharedHits") + sum("joined")
  const misses = sum("misses")
  return {
    hits,
    localHits: sum("localHits"),
    sharedHits: sum("sharedHits"),
    joined: sum("joined"),
    misses,
    errors: sum("errors"),
    invalidations: sum("invalidations"),
    evictions: sum("evictions"),
    hitRate: hits + misses === 0 ? null : hits / (hits + misses)
  }
}
