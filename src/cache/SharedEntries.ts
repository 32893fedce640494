/** Entries that processes share, in Redis. They go when their time is over; one whose mark is not the wanted one is none. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redis from "../redis/Redis.js"
import type { RedisError } from "../redis/RedisError.js"

/** An entry. */
export interface Found {
  /** Its value, encoded. */
  readonly text: string
  /** When it is outdated by its writer's clock, in milliseconds since 1970. */
  readonly expiresAt: number
}

/** The entries. */
export interface SharedEntries {
  /** A key's entry when it carries `mark`. */
  readonly read: (
    namespace: string,
    key: string,
    mark: string
  ) => Effect.Effect<Option.Option<Found>, RedisError>
  /** Keeps an entry until `expiresAt`, which is in `ttl`, in place of the one before. */
  readonly write: (
    namespace: string,
    key: string,
    mark: string,
    entry: Found,
    ttl: Duration.Duration
  ) => Effect.Effect<void, RedisError>
}

/** Entries in Redis. */
export const make = (redis: Redis.Shape): SharedEntries => {
  const at = (namespace: string, key: string) => redis.key("cache", "entry", namespace, key)
  return {
    read: (namespace, key, mark) =>
      Effect.map(redis.command("GET", at(namespace, key)), (found) => {
        const head = `${mark}\n`
        if (typeof found !== "string" || !found.startsWith(head)) return Option.none()
        const end = found.indexOf("\n", head.length)
        const expiresAt = Number(found.slice(head.length, end))
        return Option.some({ expiresAt, text: found.slice(end + 1) })
      }),
    write: (namespace, key, mark, { expiresAt, text }, ttl) =>
      Effect.asVoid(
        redis.command(
          "SET",
          at(namespace, key),
          `${mark}\n${expiresAt}\n${text}`,
          "PX",
          Math.ceil(Duration.toMillis(ttl))
        )
      )
  }
}
