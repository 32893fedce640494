/**
 * What was computed once and still holds: in this process's memory, and where there is Redis for all processes.
 *
 * A read never fails because of the cache. It gives what is remembered, or computes; of many reads of one key at a time one computes and the others wait for
 * it. With Redis away, a read costs two `REDIS_COMMAND_TIMEOUT` more at most, and nothing once that is known; what is computed meanwhile is given again for
 * `CACHE_STALENESS`.
 *
 * What makes an entry outdated: its time (`ttl`); a change of one of its namespace's tags ({@link Shape.invalidate}); another `version`, for answers of which it
 * is known what they are a function of. A change is heard by the other processes at once; when the message was lost, after `CACHE_STALENESS` at the latest. It
 * must be told after what it tells of was committed. One that Redis could not be told counts in this process at once, and for the others when Redis is back: what they
 * read until then may be as old as the `ttl`, and a version spares them that.
 *
 * @module
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Redis from "../redis/Redis.js"
import * as CacheConfig from "./CacheConfig.js"
import * as CacheStats from "./CacheStats.js"
import * as Generations from "./Generations.js"
import * as LocalEntries from "./LocalEntries.js"
import * as Namespace from "./Namespace.js"
import * as SharedEntries from "./SharedEntries.js"
import * as SharedGenerations from "./SharedGenerations.js"
import * as SingleFlight from "./SingleFlight.js"

/** A cache. */
export interface Shape {
  /** The namespace of these options. */
  readonly namespace: <A, I>(options: Namespace.Options<A, I>) => Effect.Effect<Namespace.Namespace<A>>
  /**
   * Makes everything outdated whose namespace has one of these tags, in this process at once, in the others when this ends. Takes one `REDIS_COMMAND_TIMEOUT` at
   * most. Never fails; interrupted, it is done all the same.
   */
  readonly invalidate: (...tags: ReadonlyArray<string>) => Effect.Effect<void>
  /** What became of the reads so far. Never fails. */
  readonly stats: Effect.Effect<CacheStats.Stats>
}

/** The cache of the service. */
export class Cache extends Context.Tag("stellar-insights/cache/Cache")<Cache, Shape>() {}

/** What a cache is made of; without `shared` it is this process's own. */
interface Parts {
  readonly config: CacheConfig.CacheConfig
  readonly made: Array<Namespace.Made>
  readonly generations: Generations.Generations
  readonly shared: Option.Option<SharedEntries.SharedEntries>
}

const statsOf = ({ config, made, shared }: Parts, local: LocalEntries.LocalEntries): CacheStats.Stats => ({
  kind: Option.isSome(shared) ? "redis" : "memory",
  total: CacheStats.counts(made.map(({ counting }) => counting)),
  memory: {
    entries: local.size(),
    maxEntries: config.entries,
    bytes: local.bytes(),
    maxBytes: config.memory
  },
  namespaces: made.map(({ counting, name }) => ({
    name,
    ...CacheStats.counts([counting]),
    entries: counting.entries,
    bytes: counting.bytes
  }))
})

const logStats = (stats: CacheStats.Stats) => {
  const { hitRate, ...total } = stats.total
  const told = ({ hitRate, ...counts }: CacheStats.Counts) => ({
    hits: counts.hits,
    misses: counts.misses,
    invalidations: counts.invalidations,
    errors: counts.errors,
    hit_rate: hitRate === null ? null : Math.round(hitRate * 1000) / 1000
  })
  return Effect.logInfo("What the cache has done").pipe(
    Effect.annotateLogs({
      component: "Cache",
      event_type: "cache_statistics",
      kind: stats.kind,
      ...told({ ...total, hitRate }),
      namespaces: Object.fromEntries(stats.namespaces.map((one) => [one.name, told(one)]))
    })
  )
}

const assemble = (parts: Parts): Effect.Effect<Shape, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { config, generations, made } = parts
    const local = LocalEntries.make(config)
    const namespace = yield* Namespace.maker({ ...parts, local, flights: SingleFlight.make() })
    const stats = Effect.sync(() => statsOf(parts, local))
    yield* Effect.addFinalizer(() => Effect.flatMap(stats, logStats))
    return Cache.of({
      namespace: (options) =>
        Effect.suspend(() =>
          made.some(({ name }) => name === options.name)
            ? Effect.dieMessage(`the cache has a namespace ${options.name} already`)
            : Effect.sync(() => namespace(options))
        ),
      invalidate: Effect.fn("Cache.invalidate")((...tags) => generations.renew(tags)),
      stats
    })
  })

/** Counts what happens to tags with the namespaces that have them. */
const counter = (made: ReadonlyArray<Namespace.Made>, key: "invalidations" | "errors") => (tag: string) => {
  for (const { counting, tags } of made) if (tags.includes(tag)) counting[key] += 1
}

/** A cache of this process alone. Its statistics are logged when the scope closes. */
export const makeMemory = (config: CacheConfig.CacheConfig): Effect.Effect<Shape, never, Scope.Scope> =>
  Effect.suspend(() => {
    const made: Array<Namespace.Made> = []
    const generations = Generations.makeMemory(counter(made, "invalidations"))
    return assemble({ config, made, generations, shared: Option.none() })
  })

/** A cache over Redis, with this process's memory before it. Its statistics are logged when the scope closes. */
export const makeRedis = (
  config: CacheConfig.CacheConfig,
  redis: Redis.Shape
): Effect.Effect<Shape, never, Scope.Scope> =>
  Effect.gen(function* () {
    const made: Array<Namespace.Made> = []
    const fail = counter(made, "errors")
    const generations = yield* SharedGenerations.make(
      redis,
      config.staleness,
      counter(made, "invalidations"),
      (tags) => tags.forEach(fail)
    )
    return yield* assemble({ config, made, generations, shared: Option.some(SharedEntries.make(redis)) })
  })

/** {@link makeMemory} as a layer. */
export const layerMemory = (config: CacheConfig.CacheConfig): Layer.Layer<Cache> =>
  Layer.scoped(Cache, makeMemory(config))

/** {@link makeRedis} as a layer. */
export const layerRedis = (config: CacheConfig.CacheConfig): Layer.Layer<Cache, never, Redis.Redis> =>
  Layer.scoped(
    Cache,
    Effect.flatMap(Redis.Redis, (redis) => makeRedis(config, redis))
  )

/** The cache of the environment: over Redis where there is one. Fails with `ConfigError`. It is released at once; what it has sent to Redis is done with Redis. */
export const layerConfig = Layer.scoped(
  Cache,
  Effect.gen(function* () {
    const config = yield* CacheConfig.config
    const redis = yield* Redis.Configured
    return yield* Option.match(redis, {
      onNone: () => makeMemory(config),
      onSome: (redis) => makeRedis(config, redis)
    })
  })
)
