import { assert, describe, it } from "@effect/vitest"
import { decodeLedgerCloseMeta } from "../../../src/stellar/xdr/generated/decode.js"
import { encodeLedgerCloseMeta } from "../../../src/stellar/xdr/generated/encode.js"
import * as XdrPath from "../../../src/stellar/xdr/XdrPath.js"
import * as Recorded from "./RecordedLedgers.js"
import * as SdkComparison from "./SdkComparison.js"

describe.skipIf(!Recorded.available)(`recorded ledgers${Recorded.note}`, () => {
  it("go through the decoder and the encoder and come out the same, byte for byte", () => {
    const ledgers = Recorded.all()
    assert.strictEqual(ledgers.length, 109)
    for (const { name, bytes } of ledgers) {
      const again = encodeLedgerCloseMeta(decodeLedgerCloseMeta(bytes))
      assert.isTrue(Buffer.compare(again, bytes) === 0, name)
    }
  })

  it("hold in every field what the SDK decodes", () => {
    const chosen = [
      ...Recorded.pubnet().slice(0, 13),
      ...Recorded.testnet(),
      ...Recorded.singles(),
      ...Recorded.core()
    ]
    for (const { bytes } of chosen) SdkComparison.same("LedgerCloseMeta", decodeLedgerCloseMeta(bytes), bytes)
  })

  it("hold arms of protocol 27, on which the SDK's predecessor failed", () => {
    const arms = new Set<string>()
    for (const { bytes } of Recorded.core()) collect(decodeLedgerCloseMeta(bytes), arms)
    assert.include([...arms], "sorobanCredentialsAddressV2")
    assert.include([...arms], "sorobanCredentialsAddressWithDelegates")
  })

  it("are found without fault by the slow walk", () => {
    for (const { name, bytes } of Recorded.pubnet().slice(0, 12)) {
      assert.isUndefined(XdrPath.locate("LedgerCloseMeta", bytes), name)
    }
  })
})

const collect = (value: unknown, arms: Set<string>): void => {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return
  if ("type" in value && typeof value.type === "string") arms.add(value.type)
  for (const inner of Object.values(value)) collect(inner, arms)
}
