import { assert, describe, it } from "@effect/vitest"
import * as LedgerFacts from "../../src/stellar/LedgerFacts.js"
import * as Recorded from "./xdr/RecordedLedgers.js"

/** Fact by fact, under the names of the oracle. */
const named = (facts: LedgerFacts.LedgerFacts): Record<string, unknown> => {
  const { previousHash, feeBumps, totalFeeCharged, feePool, totalCoins, ...same } = facts
  return {
    ...same,
    prevHash: previousHash,
    feeBumps,
    totalFeeCharged: String(totalFeeCharged),
    feePool: String(feePool),
    totalCoins: String(totalCoins)
  }
}

const expected = (facts: LedgerFacts.LedgerFacts): Record<string, unknown> => {
  const entry = Recorded.oracle().find(
    ({ sequence, hash }) => sequence === facts.sequence && hash === facts.hash
  )
  if (entry === undefined) return assert.fail(`the oracle has no ledger ${facts.sequence} ${facts.hash}`)
  const wanted = Object.fromEntries(Object.keys(named(facts)).map((key) => [key, entry[key]]))
  return { ...wanted, feeBumps: (entry["feeBumps"] as ReadonlyArray<unknown>).length }
}

describe.skipIf(!Recorded.available)(`facts of recorded ledgers${Recorded.note}`, () => {
  it("are those of the oracle, for every ledger that it knows", () => {
    const seen = new Set<number>()
    for (const { bytes } of [...Recorded.pubnet(), ...Recorded.testnet(), ...Recorded.singles()]) {
      const facts = LedgerFacts.extract(bytes)
      assert.deepStrictEqual(named(facts), expected(facts))
      seen.add(facts.sequence)
    }
    assert.strictEqual(seen.size, Recorded.oracle().length)
  })

  it("chain up where ledgers follow each other", () => {
    const chain = (ledgers: ReadonlyArray<Recorded.Recorded>): number => {
      const facts = ledgers
        .map(({ bytes }) => LedgerFacts.extract(bytes))
        .sort((a, b) => a.sequence - b.sequence)
      const links = facts.slice(1).map((next, i) => [facts[i]!, next] as const)
      for (const [before, after] of links.filter(([a, b]) => a.sequence + 1 === b.sequence)) {
        assert.strictEqual(after.previousHash, before.hash)
        assert.strictEqual(after.feePool, before.feePool + after.totalFeeCharged)
      }
      return links.length
    }
    assert.strictEqual(chain(Recorded.pubnet()), 20)
    assert.strictEqual(chain(Recorded.load()), 29)
  })

  it("come out of the ledgers of stellar-core's own tests", () => {
    for (const { bytes } of Recorded.core()) assert.isAtLeast(LedgerFacts.extract(bytes).protocol, 26)
  })

  it("are not taken from ledgers whose hashes are wrong", () => {
    const [first, ...wrong] = Recorded.bad()
    assert.strictEqual(LedgerFacts.extract(first!.bytes).sequence, 84)
    const refused = wrong.map(({ bytes }) => {
      try {
        LedgerFacts.extract(bytes)
      } catch (error) {
        if (error instanceof LedgerFacts.LedgerRejected) return [error.sequence, error.reason]
        throw error
      }
      return []
    })
    assert.deepStrictEqual(refused, [
      [85, "result_hash"],
      [88, "result_hash"]
    ])
  })
})
