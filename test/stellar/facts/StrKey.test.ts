import { assert, describe, it } from "@effect/vitest"
import { StrKey as Sdk } from "@stellar/stellar-sdk"
import * as fc from "fast-check"
import * as StrKey from "../../../src/stellar/facts/StrKey.js"

describe("account", () => {
  it("is what the SDK writes, for any key", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
        const text = Sdk.encodeEd25519PublicKey(Buffer.from(key) as never)
        assert.strictEqual(StrKey.account(key), text)
        assert.strictEqual(StrKey.account(Uint8Array.from(key)), text)
      })
    )
  })

  it("is right for more keys than are remembered", () => {
    const key = new Uint8Array(32)
    const view = new DataView(key.buffer)
    const first = StrKey.account(key)
    const seen = new Set<string>()
    for (let i = 0; i < 40_000; i++) {
      view.setUint32(0, i)
      seen.add(StrKey.account(key))
    }
    assert.strictEqual(seen.size, 40_000)
    assert.strictEqual(StrKey.account(new Uint8Array(32)), first)
  })
})
