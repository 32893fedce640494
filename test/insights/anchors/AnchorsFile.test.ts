import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as AnchorsFile from "../../../src/insights/anchors/AnchorsFile.js"
import * as AccountAddress from "../../../src/stellar/AccountAddress.js"
import * as StrKey from "../../../src/stellar/facts/StrKey.js"

const address = StrKey.account(new Uint8Array(32).map((_, i) => 7 * i))

const refusal = (text: string) =>
  Either.match(AnchorsFile.read("a.toml", text), {
    onLeft: ({ message }) => message,
    onRight: () => "nothing is wrong with it"
  })

describe("addresses", () => {
  it("are valid with their checksum and in no other form", () => {
    for (let i = 0; i < 50; i++) {
      const key = new Uint8Array(32).map((_, at) => (i * 31 + at * at * 17) & 0xff)
      const text = StrKey.account(key)
      assert.isTrue(AccountAddress.isValid(text), text)
      const at = 1 + (i % 54)
      const other = text[at] === "A" ? "B" : "A"
      assert.isFalse(
        AccountAddress.isValid(text.slice(0, at) + other + text.slice(at + 1)),
        `${text} at ${at}`
      )
    }
    for (const wrong of ["", "G", address.toLowerCase(), `${address}A`, `M${address.slice(1)}`]) {
      assert.isFalse(AccountAddress.isValid(wrong))
    }
  })
})

describe("a file of anchors", () => {
  it("describes them by id, with defaults", () => {
    const text = `
      [one]
      name = "One"
      home_domain = "one.example"
      accounts = ["${address}"]
      assets = ["USD:${address}"]
      [two]
      name = "Two"`
    assert.deepStrictEqual(Either.getOrThrow(AnchorsFile.read("a.toml", text)), [
      { id: "one", name: "One", homeDomain: "one.example", accounts: [address], assets: [`USD:${address}`] },
      { id: "two", name: "Two", homeDomain: null, accounts: [], assets: [] }
    ])
    assert.deepStrictEqual(Either.getOrThrow(AnchorsFile.read("a.toml", "")), [])
  })

  it("that is wrong is refused by file, place and what is allowed", () => {
    const cases: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
      ["[one", ["is no TOML"]],
      ['one = "x"', ["one must be a table"]],
      ["[Not_An_Id]\nname='x'", ["[Not_An_Id]", "lower case letters"]],
      ["[one]", ["[one.name]"]],
      ["[one]\nname='x'\naccounts=['GABC']", ["[one.accounts.0]", "address of an account", "GABC"]],
      ["[one]\nname='x'\nassets=['USD']", ["[one.assets.0]", "CODE:ISSUER"]],
      ["[one]\nname='x'\nhome_domain='https://one.example'", ["[one.home_domain]", "such as example.com"]],
      ["[one]\nname='x'\nacounts=[]", ["[one.acounts]", "accounts"]]
    ]
    for (const [text, wanted] of cases) {
      const message = refusal(text)
      for (const part of ["ANCHORS_FILE", "a.toml", ...wanted]) assert.include(message, part)
    }
  })
})
