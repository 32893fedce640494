/** The contract of the endpoint for the cache. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import * as Fields from "./Fields.js"

const counts = {
  hits: Fields.count("Reads that needed no computation: the next three together"),
  localHits: Fields.count("Answered from this process's memory"),
  sharedHits: Fields.count("Answered from Redis"),
  joined: Fields.count("Answered by the computation of another read that was under way"),
  misses: Fields.count("Reads that were computed"),
  errors: Fields.count("Times that Redis could not be used"),
  invalidations: Fields.count("Times that everything before became outdated"),
  evictions: Fields.count("Entries that left memory for want of room"),
  hitRate: Schema.NullOr(
    Schema.Number.annotations({
      description: "Hits of all reads, from 0 to 1; null before the first read"
    })
  )
}

/** Reads since the process started. */
export class CacheCounts extends Schema.Class<CacheCounts>("CacheCounts")(counts) {}

/** One namespace. */
export class CacheNamespace extends Schema.Class<CacheNamespace>("CacheNamespace")({
  name: Fields.text("Its name"),
  ...counts,
  entries: Fields.count("Entries in this process's memory"),
  bytes: Fields.count("Bytes that they take, estimated")
}) {}

/** Redis as the cache sees it. */
export class CacheRedis extends Schema.Class<CacheRedis>("CacheRedis")({
  state: Schema.Literal("starting", "connected", "degraded", "down"),
  reason: Schema.NullOr(Fields.text("Why it is not connected; null when it is")),
  since: Fields.count("Since when, in milliseconds since 1970")
}) {}

/** The cache of the process that answers. */
export class CacheReport extends Schema.Class<CacheReport>("CacheReport")({
  kind: Schema.Literal("memory", "redis").annotations({
    description: "Whether entries are this process's own, or shared through Redis"
  }),
  redis: Schema.NullOr(CacheRedis),
  total: CacheCounts,
  memory: Schema.Struct({
    entries: Fields.count("Entries in this process's memory"),
    maxEntries: Fields.count("Entries at most"),
    bytes: Fields.count("Bytes that they take, estimated"),
    maxBytes: Fields.count("Bytes at most")
  }),
  namespaces: Schema.Array(CacheNamespace)
}) {}

/** The cache. */
export class CacheGroup extends HttpApiGroup.make("cache")
  .add(
    HttpApiEndpoint.get("stats", "/stats")
      .addSuccess(CacheReport)
      .annotate(OpenApi.Summary, "Hits, misses and invalidations of this process's cache since it started")
  )
  .prefix("/api/cache") {}
