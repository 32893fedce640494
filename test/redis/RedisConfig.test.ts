import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as ErrorText from "../../src/lifecycle/ErrorText.js"
import * as RedisConfig from "../../src/redis/RedisConfig.js"

const read = (values: Record<string, string>) =>
  Effect.either(
    Effect.withConfigProvider(
      RedisConfig.config,
      ConfigProvider.fromMap(new Map(Object.entries(values)), { pathDelim: "__" })
    )
  )

const refused = (values: Record<string, string>) =>
  Effect.map(read(values), (either) => (Either.isLeft(either) ? ErrorText.of(either.left) : "not refused"))

describe("what is said of Redis", () => {
  it.effect("nothing is no Redis, and everything at its default", () =>
    Effect.gen(function* () {
      const config = Either.getOrThrow(yield* read({}))
      assert.isTrue(Option.isNone(config.endpoint))
      assert.deepStrictEqual({ ...config, endpoint: null }, { ...RedisConfig.defaults, endpoint: null })
    })
  )

  it.each([
    ["redis://cache", "redis://cache:6379/0", { host: "cache", port: 6379, db: 0 }],
    ["redis://10.0.0.1:7000/3", "redis://10.0.0.1:7000/3", { host: "10.0.0.1", port: 7000, db: 3 }],
    ["redis://[::1]:7000", "redis://[::1]:7000/0", { host: "::1", port: 7000, db: 0 }],
    [
      "rediss://me:p%40ss@cache.example:7000",
      "rediss://cache.example:7000/0",
      {
        host: "cache.example",
        port: 7000,
        db: 0,
        username: "me",
        password: "p@ss",
        tls: { servername: "cache.example" }
      }
    ],
    ["redis://:word@cache", "redis://cache:6379/0", { host: "cache", port: 6379, db: 0, password: "word" }],
    ["unix:/run/redis.sock", "unix:/run/redis.sock", { path: "/run/redis.sock" }],
    ["unix:///run/redis.sock", "unix:/run/redis.sock", { path: "/run/redis.sock" }]
  ])("%s is an address", (text, where, address) => {
    const endpoint = Either.getOrThrow(RedisConfig.parse(text))
    assert.strictEqual(endpoint.where, where)
    assert.deepStrictEqual(Redacted.value(endpoint.address), address)
  })

  it("nothing that prints an address tells its password", () => {
    const endpoint = Either.getOrThrow(RedisConfig.parse("redis://me:secret@cache"))
    assert.notInclude(JSON.stringify(endpoint) + String(endpoint.address) + endpoint.where, "secret")
  })

  it.effect.each([
    "cache:6379",
    "http://me:secret@cache",
    "redis://",
    "redis://cache/one",
    "redis://cache?password=secret",
    "redis://me:secret%zz@cache",
    "unix:relative/secret",
    ""
  ])("%j is no address, and the refusal does not repeat it", (text) =>
    Effect.gen(function* () {
      const said = yield* refused({ REDIS_URL: text })
      assert.match(said, /^REDIS_URL: /)
      assert.include(said, "redis://127.0.0.1:6379/0")
      assert.notInclude(said, "secret")
    })
  )

  it.effect("times, the prefix and the flag have bounds, and required needs an address", () =>
    Effect.gen(function* () {
      const set = Either.getOrThrow(
        yield* read({
          REDIS_URL: "redis://cache",
          REDIS_REQUIRED: "true",
          REDIS_PREFIX: "a:",
          REDIS_COMMAND_TIMEOUT: "10 millis",
          REDIS_CONNECT_TIMEOUT: "60"
        })
      )
      assert.deepInclude(set, { required: true, prefix: "a:" })
      assert.strictEqual(Duration.toMillis(set.commandTimeout), 10)
      assert.strictEqual(Duration.toMillis(set.connectTimeout), 60_000)
      assert.match(
        yield* refused({ REDIS_COMMAND_TIMEOUT: "9 millis" }),
        /^REDIS_COMMAND_TIMEOUT: .*10 ms to 1 min/
      )
      assert.match(
        yield* refused({ REDIS_CONNECT_TIMEOUT: "61" }),
        /^REDIS_CONNECT_TIMEOUT: .*100 ms to 1 min/
      )
      assert.match(yield* refused({ REDIS_PREFIX: "a b" }), /^REDIS_PREFIX: /)
      assert.match(yield* refused({ REDIS_REQUIRED: "yes" }), /^REDIS_REQUIRED: .*true, false/)
      assert.match(yield* refused({ REDIS_REQUIRED: "true" }), /^REDIS_REQUIRED: .*REDIS_URL/)
    })
  )
})
