/** Entries that processes share, in Redis. They go when their time is over; one whose mark is not the wanted one is none. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redis from "../redis/Redis.js"
import type { RedisError } from "../redis/RedisError.js"

/** The entries. */
export interface SharedEntries {
  /** The encoded text of a key's entry when it carries `mark`. */
  readonly read: (
    namespace: string,
    key: string,
    mark: string
  ) => Effect.Effect<Option.Option<string>, RedisError>
  /** Keeps an entry for `ttl`, in place of the one before. */
  readonly write: (
    namespace: string,
    key: string,
    mark: string,
    text: string,
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
        return typeof found === "string" && found.startsWith(head)
          ? Option.some(found.slice(head.length))
          : Option.none()
      }),
    write: (namespace, key, mark, text, ttl) =>
      Effect.asVoid(
        redis.command("SET", at(namespace, key), `${mark}\n${text}`, "PX", Math.ceil(Duration.toMillis(ttl)))
      )
  }
}
