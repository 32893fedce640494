import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as BearerKeys from "../../src/http/BearerKeys.js"

const first = "first-key-0123456789"
const second = "second-key-0123456789"

const read = (text: string) =>
  Effect.withConfigProvider(BearerKeys.config, ConfigProvider.fromMap(new Map([["ADMIN_KEYS", text]])))

const status = (keys: BearerKeys.BearerKeys, key: string) =>
  Option.getOrNull(Option.map(BearerKeys.refuse(keys, Redacted.make(key)), (response) => response.status))

describe("keys", () => {
  it.effect("are taken from the environment, several for a change of keys", () =>
    Effect.gen(function* () {
      const keys = yield* read(` ${first} ,${second},`)
      assert.strictEqual(keys.count, 2)
      assert.isTrue(keys.has(Redacted.make(first)))
      assert.isTrue(keys.has(Redacted.make(second)))
      for (const wrong of ["", first.slice(1), `${first},${second}`, `${first} `, first.toUpperCase()]) {
        assert.isFalse(keys.has(Redacted.make(wrong)), wrong)
      }
    })
  )

  it.effect("may be missing, and then nothing fits", () =>
    Effect.gen(function* () {
      const keys = yield* Effect.withConfigProvider(BearerKeys.config, ConfigProvider.fromMap(new Map()))
      assert.strictEqual(keys.count, 0)
      assert.isFalse(keys.has(Redacted.make("")))
    })
  )

  it.effect("that are too short or cannot stand in a header are refused, without being said", () =>
    Effect.gen(function* () {
      for (const wrong of ["short", `${first},with space inside it`, `${first},käse-käse-käse-käse`]) {
        const result = yield* Effect.either(read(wrong))
        const message = String(Either.getOrThrow(Either.flip(result)))
        assert.include(message, "ADMIN_KEYS")
        assert.include(message, "16 to 256")
        assert.notInclude(message, first)
        assert.notInclude(message, "space inside")
      }
    })
  )

  it("say 403 where there are none, 401 for a wrong one, nothing for a right one", () => {
    const keys = BearerKeys.make([first])
    assert.strictEqual(status(BearerKeys.make([]), first), 403)
    assert.strictEqual(status(keys, ""), 401)
    assert.strictEqual(status(keys, second), 401)
    assert.isNull(status(keys, first))
    const refused = Option.getOrThrow(BearerKeys.refuse(keys, Redacted.make(second)))
    assert.strictEqual(refused.headers["www-authenticate"], 'Bearer error="invalid_token"')
  })
})
