import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { decodeLedgerCloseMeta, decodeScVal } from "../../../src/stellar/xdr/generated/decode.js"
import * as Encode from "../../../src/stellar/xdr/generated/encode.js"
import { decodeLedgerCloseMetaOutline } from "../../../src/stellar/xdr/generated/outline.js"
import { skipLedgerCloseMeta } from "../../../src/stellar/xdr/generated/skip.js"
import type * as T from "../../../src/stellar/xdr/generated/types.js"
import * as XdrError from "../../../src/stellar/xdr/XdrError.js"
import * as XdrPath from "../../../src/stellar/xdr/XdrPath.js"
import * as XdrReader from "../../../src/stellar/xdr/XdrReader.js"
import * as SdkComparison from "./SdkComparison.js"
import * as SelfMadeLedger from "./SelfMadeLedger.js"

const ways: ReadonlyArray<readonly [string, (bytes: Uint8Array) => unknown]> = [
  ["decoder", decodeLedgerCloseMeta],
  ["outline", decodeLedgerCloseMetaOutline],
  ["skipper", (bytes) => XdrReader.decode("LedgerCloseMeta", skipLedgerCloseMeta, bytes)]
]

/** What every way of reading says of the bytes; they must agree. */
const fault = (bytes: Uint8Array): XdrError.XdrError => {
  const [first, ...others] = ways.map(([name, read]) => {
    try {
      read(bytes)
    } catch (error) {
      if (error instanceof XdrError.XdrError) return error
      throw error
    }
    return assert.fail(`the ${name} accepted what it must not`)
  })
  for (const other of others) assert.strictEqual(other!.message, first!.message)
  return first!
}

const scValError = (bytes: Uint8Array): XdrError.XdrError => {
  try {
    decodeScVal(bytes)
  } catch (error) {
    if (error instanceof XdrError.XdrError) return error
    throw error
  }
  return assert.fail("the value was accepted")
}

const put = (bytes: Uint8Array, at: number, value: number): Uint8Array => {
  const copy = bytes.slice()
  new DataView(copy.buffer).setInt32(at, value)
  return copy
}

const whole = SelfMadeLedger.bytes()
const ledger = decodeLedgerCloseMeta(whole)
/** Bytes between a result and the transaction's meta in these ledgers: one removed account. */
const FEE_CHANGES = 4 + 4 + 4 + 4 + 32
const pairs = ledger.value.txProcessing.map((processing) => processing.result.range!)

describe("broken input", () => {
  it("is refused when it ends early, at whatever byte", () => {
    for (const version of [0, 1, 2] as const) {
      const bytes = SelfMadeLedger.bytes({ version, transactions: SelfMadeLedger.DEFAULT.slice(0, 3) })
      // A view into a larger buffer: what lies behind the end must not be read as if it belonged to it.
      const behind = new Uint8Array(bytes.length * 2)
      behind.set(bytes)
      behind.set(bytes, bytes.length)
      for (let length = 0; length < bytes.length; length++) {
        const error = fault(behind.subarray(0, length))
        assert.include(["truncated", "length"], error.fault)
        assert.isAtMost(error.offset, length)
      }
    }
  })

  it("is refused when something follows", () => {
    const longer = new Uint8Array(whole.length + 4)
    longer.set(whole)
    const error = fault(longer)
    assert.deepInclude(error, { fault: "trailing", path: "ledgerCloseMeta", offset: whole.length })
  })

  it("is named by path and offset when an arm is unknown", () => {
    const error = fault(put(whole, pairs[3]!.end + FEE_CHANGES, 9))
    assert.deepInclude(error, {
      fault: "unknown_arm",
      path: "ledgerCloseMeta.v2.txProcessing[3].txApplyProcessing"
    })
    assert.strictEqual(
      error.message,
      `TransactionMeta has no case 9 at ledgerCloseMeta.v2.txProcessing[3].txApplyProcessing, byte ${error.offset}`
    )
    assert.strictEqual(new DataView(whole.buffer).getInt32(error.offset), 2)
    assert.deepInclude(fault(put(whole, 0, 3)), { fault: "unknown_arm", path: "ledgerCloseMeta", offset: 0 })
  })

  it("is named when a length is impossible, before anything is allocated for it", () => {
    const count = pairs[0]!.start - 8
    assert.deepInclude(fault(put(whole, count, -1)), {
      fault: "length",
      path: "ledgerCloseMeta.v2.txProcessing",
      offset: count
    })
  })

  it("is named when a flag is neither 0 nor 1, padding is not zero, or a string is too long", () => {
    const memo = Buffer.from(whole).indexOf("tx 0")
    const source = memo + 4 + 4
    assert.deepInclude(fault(put(whole, source, 2)), {
      fault: "boolean",
      path: "ledgerCloseMeta.v2.txSet.v1TxSet.phases[0].v0Components[0].txsetCompTxsMaybeDiscountedFee.txs[0].envelopeTypeTx.tx.operations[0].sourceAccount"
    })
    assert.include(fault(put(whole, memo - 4, 29)), { fault: "length", offset: memo - 4 })
    const odd = SelfMadeLedger.bytes({ transactions: [{ operations: 1, outcome: "success" }] })
    const text = Buffer.from(odd).indexOf("tx 0")
    const shorter = put(odd, text - 4, 3)
    assert.deepInclude(fault(shorter), { fault: "padding", offset: text + 3 })
  })

  it("is named when a byte string is longer than its type allows, though it is all there", () => {
    const symbol = Uint8Array.from([0, 0, 0, 15, 0, 0, 0, 33, ...new Uint8Array(36)])
    const error = scValError(symbol)
    assert.deepInclude(error, { fault: "length", path: "scVal.scvSymbol", offset: 4 })
  })

  it("gives the same verdict whoever reads it: decoder, outline, skipper, path finder and the SDK", () => {
    const cut = fc.record({ at: fc.nat(whole.length - 1), bit: fc.nat(7), drop: fc.boolean() })
    fc.assert(
      fc.property(cut, ({ at, bit, drop }) => {
        const bytes = drop ? whole.slice(0, at) : whole.slice()
        if (!drop) bytes[at] = bytes[at]! ^ (1 << bit)
        const accepted = SdkComparison.accepts("LedgerCloseMeta", bytes)
        assert.strictEqual(XdrPath.locate("LedgerCloseMeta", bytes) === undefined, accepted)
        if (accepted) for (const [, read] of ways) read(bytes)
        else fault(bytes)
      }),
      { numRuns: 1500 }
    )
  })
})

describe("recursion", () => {
  const nested = (levels: number): Uint8Array => {
    const head = [0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 1]
    return Uint8Array.from([...Array.from({ length: levels }, () => head).flat(), 0, 0, 0, 1])
  }

  it.effect("is followed to the limit and refused behind it, without exhausting the stack", () =>
    Effect.sync(() => {
      let value: T.ScVal = decodeScVal(nested(XdrError.MAX_DEPTH - 1))
      let depth = 1
      for (; value.type === "scvVec" && value.value !== null; depth++) value = value.value[0]!
      assert.strictEqual(depth, XdrError.MAX_DEPTH)
      for (const levels of [XdrError.MAX_DEPTH, 100_000]) {
        const error = scValError(nested(levels))
        assert.strictEqual(error.fault, "depth")
        assert.isTrue(error.path.startsWith("scVal.scvVec[0].scvVec[0]"))
      }
    })
  )

  it("counts depth, not values", () => {
    const wide = {
      type: "scvVec",
      value: Array.from({ length: 3000 }, () => ({ type: "scvVoid" }) as const)
    } as const
    assert.strictEqual(decodeScVal(Encode.encodeScVal(wide)).type, "scvVec")
  })
})
