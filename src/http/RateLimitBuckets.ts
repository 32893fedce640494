/**
 * Buckets of tokens, one for each client: a request takes a token, and they come back with time.
 *
 * (`RateLimiter` of `@effect/experimental` is quick enough in memory, 1.5 µs a request, but keeps each key that it ever saw, and with Redis it has every request wait for an
 * answer, and fails when there is none.)
 *
 * What is kept is bounded: buckets that were not used for longest are forgotten, as if they were full again. All of it is plain code without effects, since every
 * request comes through here.
 *
 * @module
 */

/** How many tokens there are for whom. */
export interface Policy {
  /** What it is called in answers: lower case letters and hyphens. */
  readonly name: string
  /** Tokens that a bucket holds. */
  readonly capacity: number
  /** Milliseconds until an empty bucket is full again. */
  readonly window: number
}

/** What others have to know of a bucket. */
export interface Spent {
  /** Whose bucket it is. */
  readonly key: string
  /** Its policy. */
  readonly policy: Policy
  /** Tokens taken since this was asked last. */
  readonly tokens: number
}

interface Bucket {
  readonly key: string
  readonly policy: Policy
  /** Below zero where others have taken what was taken here as well. */
  tokens: number
  /** When `tokens` was right, in milliseconds. */
  at: number
  /** Tokens that nobody else knows of yet. */
  untold: number
}

/** Buckets by key, at most `limit` of them. */
export class Buckets {
  private readonly limit: number
  private recent = new Map<string, Bucket>()
  /** Those that were not used since the others became too many. */
  private before = new Map<string, Bucket>()
  /** Those that have something untold; undefined where nobody asks. */
  private telling: Set<Bucket> | undefined = undefined

  constructor(limit: number) {
    this.limit = limit
  }

  /** Buckets that are remembered. */
  get size(): number {
    return this.recent.size + this.before.size
  }

  private bucket(key: string, policy: Policy, now: number): Bucket {
    let bucket = this.recent.get(key)
    if (bucket === undefined) {
      bucket = this.before.get(key)
      if (bucket === undefined) bucket = { key, policy, tokens: policy.capacity, at: now, untold: 0 }
      else this.before.delete(key)
      if (this.recent.size >= this.limit / 2) {
        this.before = this.recent
        this.recent = new Map()
      }
      this.recent.set(key, bucket)
    }
    const passed = now - bucket.at
    if (passed > 0) {
      const { capacity, window } = bucket.policy
      bucket.tokens = Math.min(capacity, bucket.tokens + (passed * capacity) / window)
      bucket.at = now
    } else if (passed < 0) {
      // The clock was set back: nothing comes of that, and nobody waits until it has caught up.
      bucket.at = now
    }
    return bucket
  }

  /** Takes a token out of a bucket, if there is one. Gives what is left, or less than 0 when nothing was taken. `now` is in milliseconds. */
  take(key: string, policy: Policy, now: number): number {
    const bucket = this.bucket(key, policy, now)
    if (bucket.tokens < 1) return bucket.tokens - 1
    bucket.tokens -= 1
    if (this.telling !== undefined) {
      bucket.untold += 1
      this.telling.add(bucket)
    }
    return bucket.tokens
  }

  /** The tokens in a bucket. */
  left(key: string, policy: Policy, now: number): number {
    return this.bucket(key, policy, now).tokens
  }

  /** From now on, what is taken can be told to others. */
  share(): void {
    this.telling ??= new Set()
  }

  /** What was taken since this was asked last, of so many buckets at most. */
  tell(most: number): ReadonlyArray<Spent> {
    const told: Array<Spent> = []
    for (const bucket of this.telling ?? []) {
      if (told.length >= most) break
      told.push({ key: bucket.key, policy: bucket.policy, tokens: bucket.untold })
      bucket.untold = 0
      this.telling!.delete(bucket)
    }
    return told
  }

  /** They could not be told; it is tried again, with what comes until then. */
  untell(told: ReadonlyArray<Spent>): void {
    for (const { key, policy, tokens } of told) {
      const bucket = this.recent.get(key) ?? this.before.get(key)
      if (bucket === undefined) continue
      // What was taken a window ago is back by now.
      bucket.untold = Math.min(policy.capacity, bucket.untold + tokens)
      this.telling?.add(bucket)
    }
  }

  /** All have agreed that there were so many tokens in a bucket after what was told. */
  settle(key: string, tokens: number, now: number): void {
    const bucket = this.recent.get(key) ?? this.before.get(key)
    if (bucket === undefined) return
    bucket.tokens = tokens - bucket.untold
    bucket.at = now
  }
}
