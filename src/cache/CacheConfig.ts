/**
 * How much is remembered, and for how long without asking.
 *
 * | key | default | allowed |
 * |---|---|---|
 * | `CACHE_MEMORY` | 32 MiB | 64 KiB to 4 GiB |
 * | `CACHE_ENTRIES` | 10000 | 1 to 1000000 |
 * | `CACHE_STALENESS` | 5 s | 10 ms to 1 h |
 *
 * @module
 */
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as ConfigText from "../lifecycle/ConfigText.js"
import * as DurationConfig from "../lifecycle/DurationConfig.js"

/** The settings of a cache. */
export interface CacheConfig {
  /** Bytes that this process keeps at most, as far as they can be told from the encoded text. `CACHE_MEMORY`, 32 MiB. */
  readonly memory: number
  /** Entries that this process keeps at most. `CACHE_ENTRIES`, 10000. */
  readonly entries: number
  /**
   * With Redis: for how long this process believes that nothing was invalidated elsewhere, when it has heard nothing. It hears at once as long as Redis tells, so
   * this is how old an answer may be when a message was lost; and while Redis is away, how long an answer is given again. `CACHE_STALENESS`, 5 s.
   */
  readonly staleness: Duration.Duration
}

/** Everything at its default. */
export const defaults: CacheConfig = {
  memory: 32 * 1024 ** 2,
  entries: 10_000,
  staleness: Duration.seconds(5)
}

const kibibyte = 1024
const units: Readonly<Record<string, number>> = { "": 1, k: kibibyte, m: kibibyte ** 2, g: kibibyte ** 3 }

const bytes = (text: string): Either.Either<number, string> => {
  const match = /^(\d{1,12}) ?([kmg]?)(?:i?b)?$/i.exec(text)
  const value = match === null ? Number.NaN : Number(match[1]) * units[match[2]!.toLowerCase()]!
  return value >= 64 * kibibyte && value <= 4 * kibibyte ** 3
    ? Either.right(value)
    : Either.left(
        `"${text}" is not a number of bytes from 65536 (64kb) to 4294967296 (4gb), plain or with kb, mb or gb`
      )
}

/** The keys, read from the environment. */
export const config: Config.Config<CacheConfig> = Config.all({
  memory: ConfigText.parsed("CACHE_MEMORY", bytes, defaults.memory),
  entries: ConfigText.parsed("CACHE_ENTRIES", ConfigText.integer(1, 1_000_000), defaults.entries),
  staleness: DurationConfig.duration("CACHE_STALENESS", {
    min: Duration.millis(10),
    max: Duration.hours(1)
  }).pipe(Config.withDefault(defaults.staleness))
})
