import { assert, describe, it } from "@effect/vitest"
import { StrKey } from "@stellar/stellar-sdk"
import * as fc from "fast-check"
import * as AssetId from "../../../src/stellar/facts/AssetId.js"
import type * as T from "../../../src/stellar/xdr/generated/types.js"
import * as Making from "./Making.js"

const issuer = StrKey.encodeEd25519PublicKey(Buffer.from(Making.key(5)) as never)

const withCode = (assetCode: Uint8Array): T.Asset => ({
  type: assetCode.length === 4 ? "assetTypeCreditAlphanum4" : "assetTypeCreditAlphanum12",
  value: { assetCode, issuer: Making.publicKey(5) }
})

describe("an asset's text", () => {
  it("is native, or code and issuer", () => {
    assert.strictEqual(AssetId.of(Making.native), "native")
    for (const code of ["X", "USDC", "yUSDC", "21SharesCore"])
      assert.strictEqual(AssetId.of(Making.asset(code, 5)), `${code}:${issuer}`)
  })

  it("is another one for every other asset, and has no separator in its code, whatever bytes that has", () => {
    const byte = fc.oneof(fc.constantFrom(0, 0, 65, 92, 120, 48, 58, 62, 126, 32), fc.nat({ max: 255 }))
    const code = fc.oneof(
      fc.array(byte, { minLength: 4, maxLength: 4 }),
      fc.array(byte, { minLength: 12, maxLength: 12 })
    )
    fc.assert(
      fc.property(code, code, (one, other) => {
        const [a, b] = [one, other].map((bytes) => AssetId.of(withCode(Uint8Array.from(bytes))))
        assert.strictEqual(a === b, one.join() === other.join())
        assert.match(a!, /^([A-Za-z0-9]|\\x[0-9a-f]{2})*:G[A-Z2-7]{55}$/)
      }),
      { numRuns: 2000 }
    )
    const short = AssetId.of(withCode(Buffer.from("USD\0")))
    const long = AssetId.of(withCode(Buffer.from("USD\0\0\0\0\0\0\0\0\0")))
    assert.deepStrictEqual([short, long], [`USD:${issuer}`, `USD\\x00:${issuer}`])
    assert.strictEqual(AssetId.of(withCode(Buffer.from("A\0B\0"))), `A\\x00B:${issuer}`)
  })
})
