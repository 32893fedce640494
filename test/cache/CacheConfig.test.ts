import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as CacheConfig from "../../src/cache/CacheConfig.js"
import * as ErrorText from "../../src/lifecycle/ErrorText.js"

const read = (values: Record<string, string>) =>
  Effect.map(
    Effect.either(
      Effect.withConfigProvider(CacheConfig.config, ConfigProvider.fromMap(new Map(Object.entries(values))))
    ),
    Either.match({
      onLeft: (error) => ErrorText.of(error),
      onRight: ({ entries, memory, staleness }) => [memory, entries, Duration.toMillis(staleness)]
    })
  )

describe("the settings of the cache", () => {
  it.effect("have defaults, units and bounds", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read({}), [32 * 1024 ** 2, 10_000, 5000])
      assert.deepStrictEqual(
        yield* read({ CACHE_MEMORY: "64kb", CACHE_ENTRIES: "1", CACHE_STALENESS: "10 millis" }),
        [65_536, 1, 10]
      )
      assert.deepStrictEqual(
        yield* read({ CACHE_MEMORY: "4 GiB", CACHE_ENTRIES: "1000000", CACHE_STALENESS: "3600" }),
        [4 * 1024 ** 3, 1_000_000, 3_600_000]
      )
    })
  )

  it.effect.each([
    ["CACHE_MEMORY", "65535"],
    ["CACHE_MEMORY", "5gb"],
    ["CACHE_MEMORY", "much"],
    ["CACHE_ENTRIES", "0"],
    ["CACHE_ENTRIES", "1000001"],
    ["CACHE_STALENESS", "0"],
    ["CACHE_STALENESS", "2 hours"]
  ])("%s=%s is refused", ([key, value]) =>
    Effect.gen(function* () {
      const said = yield* read({ [key!]: value! })
      assert.isString(said)
      assert.include(String(said), `${key}: "${value}"`)
    })
  )
})
