import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as ConfigText from "../../src/lifecycle/ConfigText.js"

const read = (text: string | undefined) =>
  ConfigText.parsed("A_KEY", ConfigText.integer(2, 40), 7).pipe(
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(text === undefined ? [] : [["A_KEY", text]])))
  )

describe("a setting that is read from text", () => {
  it.effect("is the number within its bounds, and at its default where it is not set", () =>
    Effect.gen(function* () {
      const values = yield* Effect.forEach(["2", " 40 ", undefined], read)
      assert.deepStrictEqual(values, [2, 40, 7])
    })
  )

  it.effect("is refused by its name, with its value and what is allowed", () =>
    Effect.gen(function* () {
      for (const text of ["1", "41", "4.5", "-3", "1e1", "", "9999999999"]) {
        const message = String(yield* Effect.flip(read(text)))
        assert.include(message, "A_KEY")
        assert.include(message, `"${text}" is not a whole number from 2 to 40`)
      }
    })
  )

  it("is true or false, and nothing else", () => {
    assert.deepStrictEqual(
      ["true", "false", "TRUE", "1"].map((text) => ConfigText.truth(text)._tag),
      ["Right", "Right", "Left", "Left"]
    )
  })
})
