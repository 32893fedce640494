/**
 * Sessions in Redis: found again by any process, also after all of them were replaced.
 *
 * A session is a hash under its token's hash; an index by expiry serves the sweep, so that a session expires by the hub's clock and not by that of Redis.
 * Whatever nobody sweeps, because the service is gone, Redis removes after {@link garbage}.
 *
 * @module
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redis from "../../redis/Redis.js"
import * as Script from "../../redis/Script.js"
import * as SessionStore from "../SessionStore.js"

/** After this Redis removes a session by itself: longer than the longest `WS_SESSION_TTL`. */
export const garbage: Duration.Duration = Duration.days(8)

/** Sessions that are saved by one script: Redis does nothing else meanwhile. */
const batch = 200

/** Sessions that one step of a sweep removes. */
const swept = 500

/** KEYS: the index, then a key for each session. ARGV: when it is garbage (ms), then four for each: hash, epoch, expiry, body. */
const save = Script.make(`
for i = 2, #KEYS do
  local at = (i - 2) * 4 + 2
  local epoch = redis.call('HGET', KEYS[i], 'epoch')
  if not epoch or tonumber(epoch) <= tonumber(ARGV[at + 1]) then
    redis.call('HSET', KEYS[i], 'epoch', ARGV[at + 1], 'expires', ARGV[at + 2], 'body', ARGV[at + 3])
    redis.call('PEXPIRE', KEYS[i], ARGV[1])
    redis.call('ZADD', KEYS[1], ARGV[at + 2], ARGV[at])
  end
end
return redis.status_reply('OK')
`)

/** KEYS: the session. ARGV: now. */
const claim = Script.make(`
local kept = redis.call('HMGET', KEYS[1], 'expires', 'body')
if not kept[1] or tonumber(kept[1]) <= tonumber(ARGV[1]) then return false end
return { redis.call('HINCRBY', KEYS[1], 'epoch', 1), kept[2] }
`)

/** KEYS: the index. ARGV: now, what the sessions' keys begin with, how many at most. */
const sweep = Script.make(`
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
for _, hash in ipairs(gone) do
  redis.call('DEL', ARGV[2] .. hash)
  redis.call('ZREM', KEYS[1], hash)
end
return #gone
`)

const chunks = <A>(all: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(all.length / batch) }, (_, i) => all.slice(i * batch, (i + 1) * batch))

/** A store in this Redis. */
export const make = (redis: Redis.Shape): SessionStore.Shape => {
  const index = redis.key("sessions")
  const keyOf = (hash: string) => redis.key("session", hash)
  const orFail = <A, E>(effect: Effect.Effect<A, E>) =>
    Effect.mapError(effect, (cause) => new SessionStore.SessionStoreError({ cause }))

  const saveSome = (sessions: ReadonlyArray<SessionStore.Session>) =>
    redis.run(
      save,
      [index, ...sessions.map(({ tokenHash }) => keyOf(tokenHash))],
      [
        Duration.toMillis(garbage),
        ...sessions.flatMap(({ epoch, tokenHash, ...body }) => [
          tokenHash,
          epoch,
          body.expiresAt,
          JSON.stringify(body)
        ])
      ]
    )
  const sweepSome = (now: number) =>
    Effect.map(redis.run(sweep, [index], [now, keyOf(""), swept]), (count) => Number(count))

  return {
    save: Effect.fn("RedisSessionStore.save")((sessions) =>
      orFail(Effect.forEach(chunks(sessions), saveSome, { discard: true }))
    ),
    claim: Effect.fn("RedisSessionStore.claim")((tokenHash, now) =>
      orFail(redis.run(claim, [keyOf(tokenHash)], [now])).pipe(
        Effect.flatMap((found) =>
          Array.isArray(found)
            ? orFail(
                Effect.try(() => {
                  const [epoch, text] = found as [number, string]
                  const body = JSON.parse(text) as Omit<SessionStore.Session, "epoch" | "tokenHash">
                  return Option.some<SessionStore.Session>({ ...body, tokenHash, epoch })
                })
              )
            : Effect.succeedNone
        )
      )
    ),
    sweep: Effect.fn("RedisSessionStore.sweep")((now) =>
      orFail(Effect.asVoid(Effect.repeat(sweepSome(now), { while: (count) => count === swept })))
    )
  }
}

/** {@link make} as a layer. */
export const layer: Layer.Layer<SessionStore.SessionStore, never, Redis.Redis> = Layer.effect(
  SessionStore.SessionStore,
  Effect.map(Redis.Redis, make)
)
