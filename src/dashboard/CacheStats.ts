/** The cache of the process that answers. */
import type { CacheReport } from "../insights/api/CacheStats.js"
import { byId, pairs, sayIn } from "./Dom.js"
import * as Format from "./Format.js"

/** Where it is asked for. */
export const path = "/api/cache/stats"

/** Writes what it says. */
export const show = (answer: unknown): void => {
  const { kind, memory, redis, total } = answer as typeof CacheReport.Encoded
  sayIn(
    "cache-kind",
    redis === null
      ? "in memory"
      : `${kind === "redis" ? "shared in Redis" : "in memory"}, Redis ${redis.state}`
  )
  sayIn("cache-rate", Format.percent(total.hitRate))
  byId("cache-meter").style.width = `${100 * (total.hitRate ?? 0)}%`
  pairs(byId("cache"), [
    ["Hits", Format.count(total.hits)],
    ["Misses", Format.count(total.misses)],
    ["Joined", Format.count(total.joined)],
    ["Invalidations", Format.count(total.invalidations)],
    ["Evictions", Format.count(total.evictions)],
    ["Errors", Format.count(total.errors)],
    ["Entries", `${Format.count(memory.entries)} of ${Format.count(memory.maxEntries)}`],
    ["Memory", `${Format.bytes(memory.bytes)} of ${Format.bytes(memory.maxBytes)}`]
  ])
}
