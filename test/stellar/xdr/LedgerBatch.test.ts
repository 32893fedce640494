import { assert, describe, it } from "@effect/vitest"
import * as Encode from "../../../src/stellar/xdr/generated/encode.js"
import * as LedgerBatch from "../../../src/stellar/xdr/LedgerBatch.js"
import * as XdrError from "../../../src/stellar/xdr/XdrError.js"
import * as SelfMadeLedger from "./SelfMadeLedger.js"

const ledgers = [0, 1, 2].map((version) =>
  SelfMadeLedger.bytes({ version: version as 0 | 1 | 2, sequence: 77 + version })
)

const refused = (bytes: Uint8Array): XdrError.XdrError => {
  try {
    LedgerBatch.decodeBatch(bytes)
  } catch (error) {
    if (error instanceof XdrError.XdrError) return error
    throw error
  }
  return assert.fail("the batch was accepted")
}

describe("LedgerBatch", () => {
  it("packs ledgers and splits them again, without copying", () => {
    const bytes = LedgerBatch.encodeBatch(77, 79, ledgers)
    const batch = LedgerBatch.decodeBatch(bytes)
    assert.deepStrictEqual(batch, { startSequence: 77, endSequence: 79, ledgers })
    for (const ledger of batch.ledgers) assert.strictEqual(ledger.buffer, bytes.buffer)
  })

  it("packs what the encoder of the type packs", () => {
    const ledgerCloseMetas = [SelfMadeLedger.make({ sequence: 5 })]
    const typed = Encode.encodeLedgerCloseMetaBatch({ startSequence: 5, endSequence: 5, ledgerCloseMetas })
    assert.deepStrictEqual(LedgerBatch.encodeBatch(5, 5, [SelfMadeLedger.bytes({ sequence: 5 })]), typed)
  })

  it("splits an empty batch only if it claims to be empty", () => {
    assert.deepStrictEqual(LedgerBatch.decodeBatch(LedgerBatch.encodeBatch(8, 7, [])).ledgers, [])
    assert.strictEqual(refused(Uint8Array.from([0, 0, 0, 7, 0, 0, 0, 7, 0, 0, 0, 0])).fault, "length")
  })

  it("refuses a batch whose range and count disagree", () => {
    assert.throws(() => LedgerBatch.encodeBatch(77, 78, ledgers), XdrError.XdrError)
    const bytes = LedgerBatch.encodeBatch(77, 79, ledgers)
    bytes[7] = 80
    const error = refused(bytes)
    assert.deepInclude(error, { fault: "length", path: "ledgerCloseMetaBatch.ledgerCloseMetas" })
    assert.include(error.message, "the batch says 77 to 80 and holds 3 ledgers")
  })

  it("refuses what is cut short, goes on, or is damaged, and names the ledger", () => {
    const bytes = LedgerBatch.encodeBatch(77, 79, ledgers)
    for (const length of [0, 3, 8, 11, 12, 13, 500, bytes.length - 1]) refused(bytes.subarray(0, length))
    assert.strictEqual(refused(Uint8Array.from([...bytes, 0, 0, 0, 0])).fault, "trailing")
    const second = 12 + ledgers[0]!.length
    bytes[second + 3] = 9
    assert.deepInclude(refused(bytes), {
      fault: "unknown_arm",
      path: "ledgerCloseMetaBatch.ledgerCloseMetas[1]",
      offset: second
    })
  })
})
