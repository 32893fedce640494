import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "fast-check"
import * as LedgerFacts from "../../src/stellar/LedgerFacts.js"
import type * as T from "../../src/stellar/xdr/generated/types.js"
import * as XdrError from "../../src/stellar/xdr/XdrError.js"
import * as SelfMadeLedger from "./xdr/SelfMadeLedger.js"

const rejection = (bytes: Uint8Array): LedgerFacts.LedgerRejected => {
  try {
    LedgerFacts.extract(bytes)
  } catch (error) {
    if (error instanceof LedgerFacts.LedgerRejected) return error
    throw error
  }
  return assert.fail("the ledger was accepted")
}

const versions = [0, 1, 2] as const

describe("extract", () => {
  it("counts each kind of transaction where it belongs", () => {
    for (const version of versions) {
      const facts = LedgerFacts.extract(SelfMadeLedger.bytes({ version }))
      const { header, hash } = SelfMadeLedger.make({ version }).value.ledgerHeader
      assert.deepStrictEqual(facts, {
        sequence: 77,
        hash: Buffer.from(hash).toString("hex"),
        previousHash: "09".repeat(32),
        closeTime: 1_700_000_000,
        protocol: header.ledgerVersion,
        lcmVersion: version,
        txCount: 7,
        successTx: 3,
        failedTx: 4,
        opCount: 2 + 1 + 1,
        txSetOpCount: 2 + 3 + 1 + 4 + 5 + 1 + 6,
        totalFeeCharged: 721n,
        feePool: 42n,
        totalCoins: 1_054_439_020_873_472_865n,
        baseFee: 100,
        baseReserve: 5_000_000,
        maxTxSetSize: 1000,
        feeBumps: 2,
        sorobanTx: 1
      })
    }
  })

  it("takes an empty ledger", () => {
    const facts = LedgerFacts.extract(SelfMadeLedger.bytes({ transactions: [] }))
    assert.deepInclude(facts, { txCount: 0, opCount: 0, txSetOpCount: 0, totalFeeCharged: 0n })
  })

  it("never gives other facts when a byte is flipped, wherever it is", () => {
    for (const version of versions) {
      const whole = SelfMadeLedger.bytes({ version })
      const facts = LedgerFacts.extract(whole)
      let refused = 0
      for (let at = 0; at < whole.length; at++) {
        const bytes = whole.slice()
        bytes[at] = bytes[at]! ^ (1 << (at % 8))
        try {
          assert.deepStrictEqual(LedgerFacts.extract(bytes), facts)
        } catch (error) {
          if (!(error instanceof LedgerFacts.LedgerRejected)) throw error
          refused += 1
        }
      }
      assert.isAbove(refused, whole.length / 2)
    }
  })

  it("never gives other facts when bytes are changed, dropped or doubled", () => {
    const whole = SelfMadeLedger.bytes()
    const facts = LedgerFacts.extract(whole)
    const part = fc.record({
      at: fc.nat(whole.length),
      take: fc.nat(40),
      put: fc.uint8Array({ maxLength: 40 })
    })
    fc.assert(
      fc.property(part, ({ at, take, put }) => {
        const bytes = Uint8Array.from([...whole.subarray(0, at), ...put, ...whole.subarray(at + take)])
        try {
          assert.deepStrictEqual(LedgerFacts.extract(bytes), facts)
        } catch (error) {
          if (!(error instanceof LedgerFacts.LedgerRejected)) throw error
        }
      }),
      { numRuns: 1000 }
    )
  })
})

describe("a ledger is rejected", () => {
  const change = (
    f: (ledger: T.LedgerCloseMeta & { readonly type: "v2" }) => T.LedgerCloseMeta
  ): Uint8Array => SelfMadeLedger.bytes({ tamper: (ledger) => (ledger.type === "v2" ? f(ledger) : ledger) })

  it("when its header was changed", () => {
    const error = rejection(
      change((ledger) => {
        const entry = ledger.value.ledgerHeader
        const header = { ...entry.header, feePool: 43n }
        return { ...ledger, value: { ...ledger.value, ledgerHeader: { ...entry, header } } }
      })
    )
    assert.deepInclude(error, { reason: "header_hash", sequence: 77 })
    assert.match(
      error.message,
      /^ledger 77 is not what it says: its header hashes to [0-9a-f]{64}, not to [0-9a-f]{64}$/
    )
  })

  it("when results were changed, reordered or dropped", () => {
    const results = (
      f: (all: ReadonlyArray<T.TransactionResultMetaV1>) => ReadonlyArray<T.TransactionResultMetaV1>
    ) =>
      rejection(
        change((ledger) => ({
          ...ledger,
          value: { ...ledger.value, txProcessing: f(ledger.value.txProcessing) }
        }))
      )
    assert.strictEqual(results((all) => all.toReversed()).reason, "result_hash")
    assert.strictEqual(results((all) => all.slice(1)).reason, "result_hash")
  })

  it("when its transactions were changed, in either form of the set", () => {
    const set = (txSet: T.GeneralizedTransactionSet): T.GeneralizedTransactionSet => ({
      ...txSet,
      value: { ...txSet.value, phases: txSet.value.phases.toReversed() }
    })
    const generalized = change((ledger) => ({
      ...ledger,
      value: { ...ledger.value, txSet: set(ledger.value.txSet) }
    }))
    assert.strictEqual(rejection(generalized).reason, "tx_set_hash")
    const legacy = SelfMadeLedger.bytes({
      version: 0,
      tamper: (ledger) =>
        ledger.type !== "v0"
          ? ledger
          : {
              ...ledger,
              value: {
                ...ledger.value,
                txSet: { ...ledger.value.txSet, txs: ledger.value.txSet.txs.toReversed() }
              }
            }
    })
    assert.strictEqual(rejection(legacy).reason, "tx_set_hash")
  })

  it("when it has other than one result for each transaction, though every hash is right", () => {
    const other = SelfMadeLedger.make({ transactions: SelfMadeLedger.DEFAULT.slice(1) }).value
    const bytes = SelfMadeLedger.bytes({
      header: (header) => ({ ...header, txSetResultHash: other.ledgerHeader.header.txSetResultHash }),
      tamper: (ledger) =>
        ({ ...ledger, value: { ...ledger.value, txProcessing: other.txProcessing } }) as T.LedgerCloseMeta
    })
    assert.deepInclude(rejection(bytes), {
      reason: "tx_count",
      message: "ledger 77 has 7 transactions and 6 results"
    })
  })

  it("when it does not decode, with the sequence if the header was still readable", () => {
    const whole = SelfMadeLedger.bytes()
    const cut = rejection(whole.subarray(0, whole.length - 4))
    assert.deepInclude(cut, { reason: "decode", sequence: 77 })
    assert.match(
      cut.message,
      /^ledger 77 cannot be decoded: .* at ledgerCloseMeta\.v2\.evictedKeys, byte \d+; its header says protocol 28/
    )
    assert.instanceOf(cut.cause, XdrError.XdrError)
    const nothing = rejection(new Uint8Array(0))
    assert.deepInclude(nothing, { reason: "decode", sequence: undefined })
    assert.match(nothing.message, /^a ledger cannot be decoded/)
  })

  it("when it has an arm that a later protocol may have brought", () => {
    const later = SelfMadeLedger.bytes({ header: (header) => ({ ...header, ledgerVersion: 29 }) })
    const extension = Buffer.from(later).indexOf(Buffer.alloc(128)) + 128
    // The header's extension follows the skip list, which is all zeros here.
    new DataView(later.buffer).setInt32(extension, 7)
    const error = rejection(later)
    assert.strictEqual(error.reason, "decoder_behind_protocol")
    assert.include(error.message, "ledgerCloseMeta.v2.ledgerHeader.header.ext")
    const version = SelfMadeLedger.bytes()
    version[3] = 3
    assert.deepInclude(rejection(version), { reason: "decoder_behind_protocol", sequence: undefined })
  })
})

describe("a ledger that closed without its transaction set (CAP-83)", () => {
  it("counts as empty", () => {
    const facts = LedgerFacts.extract(SelfMadeLedger.bytes({ emptySet: true }))
    assert.deepInclude(facts, { txCount: 0, txSetOpCount: 0, protocol: 28 })
  })

  it("is rejected when there is a transaction in it, or a hash, or when it builds on another ledger", () => {
    const reasons = [
      {
        emptySet: true,
        header: (header: T.LedgerHeader) => value(header, { txSetHash: new Uint8Array(32).fill(1) })
      },
      {
        emptySet: true,
        header: (header: T.LedgerHeader) => ({ ...header, previousLedgerHash: new Uint8Array(32) })
      },
      { transactions: SelfMadeLedger.DEFAULT, header: (header: T.LedgerHeader) => value(header, empty) },
      {
        transactions: [],
        header: (header: T.LedgerHeader) => value(header, { txSetHash: new Uint8Array(32) })
      }
    ].map((options) => rejection(SelfMadeLedger.bytes(options)).reason)
    assert.deepStrictEqual(reasons, ["tx_set_hash", "tx_set_hash", "tx_set_hash", "tx_set_hash"])
  })

  const value = (header: T.LedgerHeader, scpValue: Partial<T.StellarValue>): T.LedgerHeader => ({
    ...header,
    scpValue: { ...header.scpValue, ...scpValue }
  })
  const empty = SelfMadeLedger.make({ emptySet: true }).value.ledgerHeader.header.scpValue
})

describe("fromBytes", () => {
  it.effect("succeeds with what extract gives", () =>
    Effect.gen(function* () {
      const bytes = SelfMadeLedger.bytes()
      assert.deepStrictEqual(yield* LedgerFacts.fromBytes(bytes), LedgerFacts.extract(bytes))
    })
  )

  it.effect("fails with LedgerRejected", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(LedgerFacts.fromBytes(new Uint8Array(3)))
      assert.deepInclude(error, { _tag: "LedgerRejected", reason: "decode" })
    })
  )

  it.effect("dies of what is not the ledger's fault", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(LedgerFacts.fromBytes(undefined as never))
      assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
    })
  )
})
