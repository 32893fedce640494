import { assert, describe, it } from "@effect/vitest"
import * as XdrError from "../../../src/stellar/xdr/XdrError.js"
import { XdrReader } from "../../../src/stellar/xdr/XdrReader.js"

describe("XdrReader", () => {
  // Four bytes in the middle of a larger buffer, as ledgers lie in a batch.
  const part = (...bytes: ReadonlyArray<number>) =>
    new XdrReader(Uint8Array.from([9, 9, 9, 9, ...bytes, 9, 9, 9, 9]).subarray(4, 4 + bytes.length))

  it("gives byte strings as views of the input", () => {
    const bytes = Uint8Array.from([0, 0, 0, 2, 7, 8, 0, 0])
    const reader = new XdrReader(bytes)
    const value = reader.variable(10)
    assert.deepStrictEqual(value, Uint8Array.from([7, 8]))
    assert.strictEqual(value.buffer, bytes.buffer)
    assert.strictEqual(reader.p, 8)
  })

  it("reads nothing from behind its input, though the buffer goes on", () => {
    assert.throws(() => part(1, 2, 3, 4).bytes(0, 5), XdrError.XdrError)
    assert.throws(() => part(0, 0, 0, 5, 1, 2, 3, 4).variable(10), XdrError.XdrError)
    assert.throws(() => part(0, 0, 0, 5, 1, 2, 3, 4).skipVariable(10), XdrError.XdrError)
    assert.throws(() => part(0, 0, 0, 3, 1, 2, 3).variable(10), XdrError.XdrError)
    assert.throws(() => part(1, 2, 3).bool(0), RangeError)
  })

  it("refuses a count that the rest cannot hold, before anyone allocates for it", () => {
    const three = part(0, 0, 0, 3, ...new Uint8Array(24))
    assert.strictEqual(three.count(0, 3, 8), 3)
    assert.throws(() => three.count(0, 2, 8), /a count of 3 is above the maximum of 2/)
    assert.throws(() => three.count(0, 3, 9), /3 elements are announced, 24 bytes are left/)
  })
})
