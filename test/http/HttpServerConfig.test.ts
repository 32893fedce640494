import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as HttpServerConfig from "../../src/http/HttpServerConfig.js"

const read = (env: Record<string, string>) =>
  HttpServerConfig.config.pipe(
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(env)))),
    Effect.either
  )

describe("HttpServerConfig", () => {
  it.effect("an empty environment is the defaults", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read({}), Either.right(HttpServerConfig.defaults))
    })
  )

  it.effect("sizes may have a unit", () =>
    Effect.gen(function* () {
      for (const [text, bytes] of [
        ["2048", 2048],
        ["64kb", 65536],
        ["1 MiB", 1048576],
        ["1gb", 1073741824]
      ] as const) {
        const config = yield* read({ SERVER_MAX_BODY: text })
        assert.strictEqual(Either.isRight(config) && config.right.maxBody, bytes)
      }
    })
  )

  for (const [key, value, allowed] of [
    ["SERVER_PORT", "65536", "0 (any free one) to 65535"],
    ["SERVER_PORT", "", "0 (any free one) to 65535"],
    ["SERVER_PORT", "-1", "0 (any free one) to 65535"],
    ["SERVER_PORT", "http", "0 (any free one) to 65535"],
    ["HEALTH_PORT", "80.5", "0 (any free one) to 65535"],
    ["HEALTH_PORT", "8080", "another port"],
    ["SERVER_HOST", "", "an IP address or a host name"],
    ["SERVER_HOST", "a b", "an IP address or a host name"],
    ["SERVER_MAX_BODY", "1023", "1024 (1kb) to 1073741824 (1gb)"],
    ["SERVER_MAX_BODY", "2gb", "1024 (1kb) to 1073741824 (1gb)"],
    ["SERVER_MAX_BODY", "lots", "1024 (1kb) to 1073741824 (1gb)"],
    ["SERVER_MAX_BODY", "", "1024 (1kb) to 1073741824 (1gb)"],
    ["SERVER_KEEP_ALIVE_TIMEOUT", "-1", "100 ms to 10 min"],
    ["SERVER_REQUEST_TIMEOUT", "", "100 ms to 10 min"],
    ["SERVER_REQUEST_TIMEOUT", "1 hours", "100 ms to 10 min"],
    ["SERVER_HEADERS_TIMEOUT", "61", "SERVER_REQUEST_TIMEOUT (1 min)"]
  ] as const) {
    it.effect(`${key}="${value}" is refused in one line that says what is allowed`, () =>
      Effect.gen(function* () {
        const result = yield* read({ [key]: value })
        assert.isTrue(Either.isLeft(result))
        const message = String(Either.isLeft(result) ? result.left : "")
        assert.include(message, key)
        assert.include(message, allowed)
        assert.notInclude(message, "\n")
      })
    )
  }
})
