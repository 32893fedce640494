/**
 * Where the hub keeps its sessions.
 *
 * | key | default | allowed |
 * |---|---|---|
 * | `WS_SESSION_STORE` | `database` | `database`, `redis` (needs `REDIS_URL`), `memory` |
 *
 * In the database and in Redis any process finds them; in Redis they do not queue behind the ledger that is being written, and are gone where Redis loses its data. In
 * memory they survive connections, not the process.
 *
 * While Redis is away connected clients go on with what the process has of them, which is saved when Redis is back. Who comes back meanwhile gets a new session, and
 * after its `lastEventId` every event all the same, since those are in the log.
 */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as ConfigText from "../../lifecycle/ConfigText.js"
import * as RedisSessionStore from "../../realtime/redis/RedisSessionStore.js"
import * as SessionStore from "../../realtime/SessionStore.js"
import * as Redis from "../../redis/Redis.js"
import * as RedisConfig from "../../redis/RedisConfig.js"
import type * as Database from "../Database.js"
import * as SqlSessions from "./SqlSessions.js"

const stores = ["database", "redis", "memory"] as const

/** A kind of store. */
export type Store = (typeof stores)[number]

/** What is used where nothing is said. */
export const standard: Store = "database"

const store: ConfigText.Parse<Store> = (text) => {
  const found = stores.find((one) => one === text)
  return found === undefined
    ? Either.left(`"${text}" is none of them; allowed are ${stores.join(", ")}`)
    : Either.right(found)
}

/** `WS_SESSION_STORE`. Ends in a `ConfigError` that names the key, its value and what is allowed. */
export const config: Config.Config<Store> = Config.all({
  chosen: ConfigText.parsed("WS_SESSION_STORE", store, standard),
  redis: RedisConfig.config
}).pipe(
  Config.mapOrFail(({ chosen, redis }) =>
    chosen === "redis" && Option.isNone(redis.endpoint)
      ? Either.left(ConfigError.InvalidData(["WS_SESSION_STORE"], `"redis" needs REDIS_URL`))
      : Either.right(chosen)
  )
)

const inRedis = Layer.effect(
  SessionStore.SessionStore,
  Effect.flatMap(
    Redis.Configured,
    Option.match({
      onNone: () => Effect.dieMessage("sessions are to be in Redis, and the service was built without one"),
      onSome: (redis) => Effect.succeed(RedisSessionStore.make(redis))
    })
  )
)

type Needs = Database.Database | Redis.Configured

/** The store of the environment. Fails with `ConfigError`. */
export const layerConfig = Layer.unwrapEffect(
  Effect.map(config, (chosen): Layer.Layer<SessionStore.SessionStore, never, Needs> => {
    switch (chosen) {
      case "database":
        return SqlSessions.layer
      case "redis":
        return inRedis
      case "memory":
        return SessionStore.layerMemory
    }
  })
)
