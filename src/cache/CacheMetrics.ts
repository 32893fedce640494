/**
 * The statistics of the cache as metrics.
 *
 * | metric | type | what |
 * | --- | --- | --- |
 * | `cache_hits_total{cache,level}` | counter | reads that needed no computation: `local`, `shared`, or `joined` with another read's |
 * | `cache_misses_total{cache}` | counter | reads that were computed |
 * | `cache_errors_total{cache}` | counter | times that Redis could not be read or written |
 * | `cache_invalidations_total{cache}` | counter | times that everything before was declared outdated |
 * | `cache_evictions_total{cache}` | counter | entries that had to go from memory for want of room |
 * | `cache_hit_ratio{cache}` | gauge | hits of all reads since the start, from 0 to 1 |
 * | `cache_entries{cache}`, `cache_bytes{cache}` | gauge | what is in this process's memory |
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Samples from "../lifecycle/Samples.js"
import * as Cache from "./Cache.js"
import type { NamespaceStats } from "./CacheStats.js"

type Tags = Readonly<Record<string, string>>

const tagged = <T, I, O>(metric: Metric.Metric<T, I, O>, tags: Tags): Metric.Metric<T, I, O> =>
  Object.entries(tags).reduce((one, [key, tag]) => Metric.tagged(one, key, tag), metric)

const counter = (name: string, description: string) => {
  const metric = Metric.counter(name, { description, incremental: true })
  return (tags: Tags, total: number) => Samples.raise(tagged(metric, tags), total)
}

const gauge = (name: string, description: string) => {
  const metric = Metric.gauge(name, { description })
  return (tags: Tags, value: number) => Metric.set(tagged(metric, tags), value)
}

const hits = counter("cache_hits_total", "Reads of a cache that needed no computation")
const misses = counter("cache_misses_total", "Reads of a cache that were computed")
const errors = counter("cache_errors_total", "Times that the shared part of a cache could not be used")
const invalidations = counter("cache_invalidations_total", "Times that a whole cache became outdated")
const evictions = counter("cache_evictions_total", "Entries that left memory for want of room")
const hitRatio = gauge("cache_hit_ratio", "Hits of all reads of a cache since the start")
const entries = gauge("cache_entries", "Entries of a cache in memory")
const bytes = gauge("cache_bytes", "Bytes of a cache in memory")

const set = (stats: NamespaceStats): Effect.Effect<void> => {
  const cache = stats.name
  return Effect.all(
    [
      hits({ cache, level: "local" }, stats.localHits),
      hits({ cache, level: "shared" }, stats.sharedHits),
      hits({ cache, level: "joined" }, stats.joined),
      misses({ cache }, stats.misses),
      errors({ cache }, stats.errors),
      invalidations({ cache }, stats.invalidations),
      evictions({ cache }, stats.evictions),
      stats.hitRate === null ? Effect.void : hitRatio({ cache }, stats.hitRate),
      entries({ cache }, stats.entries),
      bytes({ cache }, stats.bytes)
    ],
    { discard: true }
  )
}

/** Brings the metrics up to date at once: for an endpoint that is about to tell them. Never fails. */
export const update: Effect.Effect<void, never, Cache.Cache> = Effect.flatMap(Cache.Cache, ({ stats }) =>
  Effect.flatMap(stats, ({ namespaces }) => Effect.forEach(namespaces, set, { discard: true }))
)

/** {@link update}, whenever metrics are told, and once more at the end. */
export const layer: Layer.Layer<never, never, Cache.Cache | Samples.Samples> = Layer.scopedDiscard(
  Effect.flatMap(Samples.Samples, ({ add }) => add(update))
)
