/**
 * Values of one type, under keys: how one is looked for, computed and kept.
 *
 * @module
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import type * as CacheConfig from "./CacheConfig.js"
import * as CacheStats from "./CacheStats.js"
import type * as Generations from "./Generations.js"
import type * as LocalEntries from "./LocalEntries.js"
import type * as SharedEntries from "./SharedEntries.js"
import type * as SingleFlight from "./SingleFlight.js"

/** A namespace: keys whose values are of one type, live equally long, and become outdated together. */
export interface Options<A, I> {
  /** Its name in statistics and in Redis: letters, digits, `-`. One that is made twice is a defect. */
  readonly name: string
  /** How values are kept. What Redis holds and this cannot decode is computed anew, so a type may change between two versions. Must not need to wait. */
  readonly schema: Schema.Schema<A, I>
  /** How long a value is kept at most. */
  readonly ttl: Duration.Duration
  /** What it becomes outdated with; none, and only time and versions count. */
  readonly tags: ReadonlyArray<string>
}

/** How a value is read. */
export interface ReadOptions<A> {
  /** What the value is a function of beside its key, in a line: another version is another value. Default empty. */
  readonly version?: string
  /** Whether a computed value is worth keeping. Default: every one. */
  readonly keep?: (value: A) => boolean
}

/** The values of a namespace. They are shared by all who read them: never change one. */
export interface Namespace<A> {
  /**
   * The value of `key`: remembered, or computed and remembered. Fails as `compute` does, for all who waited for it, and then nothing is remembered. Interrupting
   * it interrupts the computation, and one of those who wait begins its own. `compute` must not read the same key.
   */
  readonly through: <E, R>(
    key: string,
    compute: Effect.Effect<A, E, R>,
    options?: ReadOptions<A>
  ) => Effect.Effect<A, E, R>
}

/** A namespace that was made, as the cache counts it. */
export interface Made {
  /** Its name. */
  readonly name: string
  /** Its tags. */
  readonly tags: ReadonlyArray<string>
  /** What became of its reads. */
  readonly counting: CacheStats.Counting
}

/** What namespaces have in common. */
export interface Shared {
  /** The settings. */
  readonly config: CacheConfig.CacheConfig
  /** All namespaces so far; a new one adds itself. */
  readonly made: Array<Made>
  /** This process's memory. */
  readonly local: LocalEntries.LocalEntries
  /** Computations under way. */
  readonly flights: SingleFlight.SingleFlight
  /** What makes entries outdated. */
  readonly generations: Generations.Generations
  /** The memory of all processes, where there is one. */
  readonly shared: Option.Option<SharedEntries.SharedEntries>
}

/** Makes namespaces. What they send to Redis and nobody waits for ends with the scope. */
export const maker = ({
  config,
  flights,
  generations,
  local,
  made,
  shared
}: Shared): Effect.Effect<<A, I>(options: Options<A, I>) => Namespace<A>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const scope = yield* Scope.Scope
    const now = () => clock.unsafeCurrentTimeMillis()
    const staleness = Duration.toMillis(config.staleness)

    return <A, I>({ name, schema, tags, ttl }: Options<A, I>): Namespace<A> => {
      const counting = CacheStats.none()
      const ttlMillis = Duration.toMillis(ttl)
      const decode = Schema.decodeUnknownEither(Schema.parseJson(schema))
      const encode = Schema.encodeUnknownEither(Schema.parseJson(schema))
      made.push({ name, tags, counting })
      const failed = Effect.sync(() => void (counting.errors += 1))

      /** What memory has, when it may be given: where it is not sure what else is outdated, what was computed a moment ago. */
      const remembered = (id: string, mark: string, isSure: boolean): Option.Option<A> => {
        const entry = local.get(id)
        if (entry === undefined || entry.mark !== mark || entry.expiresAt <= now()) return Option.none()
        const isYoung = entry.asOf !== undefined && now() - entry.asOf < staleness
        return isSure || isYoung ? Option.some(entry.value as A) : Option.none()
      }
      const readShared = (entries: SharedEntries.SharedEntries, id: string, key: string, mark: string) =>
        entries.read(name, key, mark).pipe(
          Effect.flatMap((found) => {
            if (Option.isNone(found)) return Effect.succeedNone
            const { expiresAt, text } = found.value
            const decoded = decode(text)
            if (Either.isLeft(decoded)) return Effect.as(failed, Option.none<A>())
            const value = decoded.right
            // No later than its writer said; no later than here, whatever the writer's clock says.
            const until = Math.min(expiresAt, now() + ttlMillis)
            local.put(id, { value, mark, asOf: undefined, expiresAt: until }, text.length, counting)
            return Effect.succeedSome(value)
          }),
          Effect.catchAll(() => Effect.as(failed, Option.none<A>()))
        )
      const keep = (id: string, key: string, mark: string, value: A, asOf: number, isSure: boolean) => {
        const encoded = encode(value)
        if (Either.isLeft(encoded)) return failed
        const text = encoded.right
        const expiresAt = now() + ttlMillis
        local.put(id, { value, mark, asOf, expiresAt }, text.length, counting)
        if (Option.isNone(shared) || !isSure) return Effect.void
        // Nobody waits for Redis to have it. What is on its way when the service stops is done before Redis is released.
        return shared.value.write(name, key, mark, { text, expiresAt }, ttl).pipe(
          Effect.catchAll(() => failed),
          Effect.forkIn(scope),
          Effect.asVoid
        )
      }
      const lead = <E, R>(
        id: string,
        key: string,
        mark: string,
        isSure: boolean,
        compute: Effect.Effect<A, E, R>,
        isWorthKeeping: (value: A) => boolean
      ) =>
        Effect.gen(function* () {
          if (Option.isSome(shared) && isSure) {
            const found = yield* readShared(shared.value, id, key, mark)
            if (Option.isSome(found)) {
              counting.sharedHits += 1
              return found.value
            }
          }
          counting.misses += 1
          const asOf = now()
          const value = yield* compute
          if (isWorthKeeping(value)) yield* keep(id, key, mark, value, asOf, isSure)
          return value
        })

      const hit = (value: A) => {
        counting.localHits += 1
        return Effect.succeed(value)
      }
      return {
        through: (key, compute, { keep: isWorthKeeping = () => true, version = "" } = {}) =>
          Effect.suspend(() => {
            const id = `${name} ${key}`
            const markOf = (stamp: string) => `${stamp} ${version}`
            const known = generations.known(tags)
            const found = known.isSure ? remembered(id, markOf(known.stamp), true) : Option.none()
            if (Option.isSome(found)) return hit(found.value)
            return Effect.flatMap(generations.verify(tags), (isSure) => {
              const mark = markOf(generations.known(tags).stamp)
              const found = remembered(id, mark, isSure)
              if (Option.isSome(found)) return hit(found.value)
              return flights.run(
                `${id} ${mark}`,
                lead(id, key, mark, isSure, compute, isWorthKeeping),
                () => void (counting.joined += 1)
              )
            })
          })
      }
    }
  })
