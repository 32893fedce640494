import { assert, describe, it } from "@effect/vitest"
import { StrKey } from "@stellar/stellar-sdk"
import * as LedgerDetails from "../../../src/stellar/facts/LedgerDetails.js"
import * as LedgerFacts from "../../../src/stellar/LedgerFacts.js"
import * as Network from "../../../src/stellar/Network.js"
import type * as T from "../../../src/stellar/xdr/generated/types.js"
import * as SelfMadeLedger from "../xdr/SelfMadeLedger.js"
import {
  asset,
  data,
  event,
  i128,
  line,
  metaOf,
  native,
  payment,
  plain,
  pool,
  transaction
} from "./Making.js"
import * as Making from "./Making.js"

const networkId = Network.id(Network.passphrases.pubnet)
const extract = (options: SelfMadeLedger.Options) =>
  LedgerDetails.extract(SelfMadeLedger.bytes(options), networkId)

const G = (byte: number): string => StrKey.encodeEd25519PublicKey(Buffer.from(Making.key(byte)) as never)
const usd = asset("USD", 9)
const euro = asset("EUROTOKEN", 9)
const USD = `USD:${G(9)}`
const EURO = `EUROTOKEN:${G(9)}`
const pay = [payment(plain(2), native, 1n)]
const id = (byte: number): string => Buffer.from(Making.key(byte)).toString("hex")

const changed = (...changes: ReadonlyArray<T.LedgerEntryChange>) =>
  extract({ raw: [transaction(pay, { meta: metaOf(changes) })] })

const unchanged = {
  created: 0,
  removed: 0,
  updated: 0,
  authorizedDelta: 0,
  maintainLiabilitiesDelta: 0,
  balanceDelta: 0n,
  unknownBefore: 0
}

describe("trustlines", () => {
  it("are created, changed and removed, asset by asset", () => {
    const { trustlines } = changed(
      line(1, usd, 0n).created,
      data("between").updated,
      line(2, usd, 50n, 0).state,
      line(2, usd, 70n, 1).updated,
      line(3, euro, 0n, 2).state,
      line(3, euro).removed,
      line(4, euro, -5n, 1).state,
      line(4, euro, -8n, 2).updated
    )
    assert.deepStrictEqual(trustlines, {
      raw: { created: 1, updated: 2, removed: 1 },
      net: { created: 1, updated: 2, removed: 1 },
      poolShareNet: { created: 0, updated: 0, removed: 0 },
      assets: [
        { ...unchanged, asset: USD, created: 1, updated: 1, authorizedDelta: 2, balanceDelta: 20n },
        {
          ...unchanged,
          asset: EURO,
          removed: 1,
          updated: 1,
          authorizedDelta: -1,
          balanceDelta: -3n
        }
      ]
    })
  })

  it("count from the ledger's first record of a line to its last", () => {
    const { trustlines } = changed(
      // Came and went.
      line(1, usd).created,
      line(1, usd, 5n).state,
      line(1, usd).removed,
      // Went and came back with less.
      line(2, euro, 30n).state,
      line(2, euro).removed,
      line(2, euro, 10n).created,
      // Twice.
      line(3, euro, 1n).state,
      line(3, euro, 2n).updated,
      line(3, euro, 2n).state,
      line(3, euro, 4n).updated
    )
    assert.deepStrictEqual(trustlines.raw, { created: 2, updated: 2, removed: 2 })
    assert.deepStrictEqual(trustlines.net, { created: 0, updated: 2, removed: 0 })
    assert.deepStrictEqual(trustlines.assets, [{ ...unchanged, asset: EURO, updated: 2, balanceDelta: -17n }])
  })

  it("may hold their balance, or only keep up their liabilities, by their flags", () => {
    const deltas = [0, 1, 2, 3, 4].map((flags) => {
      const { authorizedDelta, maintainLiabilitiesDelta } = changed(line(1, usd, 0n, flags).created)
        .trustlines.assets[0]!
      return [authorizedDelta, maintainLiabilitiesDelta]
    })
    assert.deepStrictEqual(deltas, [
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
      [0, 0]
    ])
  })

  it("for shares of pools are apart", () => {
    const { trustlines } = changed(line(1, 5, 0n).created, line(2, 5, 9n).state, line(2, 5).removed)
    assert.deepStrictEqual(trustlines.raw, { created: 1, updated: 0, removed: 1 })
    assert.deepStrictEqual(trustlines.net, { created: 0, updated: 0, removed: 0 })
    assert.deepStrictEqual(trustlines.poolShareNet, { created: 1, updated: 0, removed: 1 })
    assert.deepStrictEqual(trustlines.assets, [])
  })

  it("of which the state before is not told change nothing but the counts, and say so", () => {
    const { trustlines } = changed(line(1, usd, 8n).updated, line(2, usd, 7n).restored, line(3, usd).removed)
    assert.deepStrictEqual(trustlines.raw, { created: 0, updated: 2, removed: 1 })
    assert.deepStrictEqual(trustlines.assets, [
      { ...unchanged, asset: USD, updated: 2, removed: 1, unknownBefore: 3 }
    ])
  })

  it("cannot be for the network's own coin", () => {
    assert.throws(() => changed(line(1, native).created), LedgerFacts.LedgerRejected, "own coin")
  })
})

describe("pools", () => {
  it("are as their last image says", () => {
    const { pools } = changed(
      pool(5, [native, usd], [1n, 2n]).state,
      pool(5, [native, usd], [3n, 4n]).updated,
      pool(6, [usd, euro], [5n, 6n]).created,
      pool(5, [native, usd], [3n, 4n]).state,
      pool(5, [native, usd], [7n, 8n]).updated,
      pool(7, [native, usd]).state,
      pool(7, [native, usd]).removed,
      pool(8, [native, usd]).created,
      pool(8, [native, usd]).state,
      pool(8, [native, usd]).removed
    )
    const image = { feeBp: 30, shares: 7n, trustlines: 2n }
    assert.deepStrictEqual(pools, {
      raw: { created: 2, updated: 2, removed: 2 },
      net: { created: 1, updated: 1, removed: 1 },
      images: [
        { ...image, id: id(5), assetA: "native", assetB: USD, reserveA: 7n, reserveB: 8n, created: false },
        { ...image, id: id(6), assetA: USD, assetB: EURO, reserveA: 5n, reserveB: 6n, created: true }
      ],
      removed: [id(7)],
      activity: []
    })
  })
})

describe("changes are found", () => {
  const before = line(1, usd, 1n).state
  const after = (balance: bigint) => line(1, usd, balance).updated

  it("in every version of the meta", () => {
    for (const version of [0, 1, 2, 3, 4] as const) {
      // A change before the operations since version 1, and one after them since version 2.
      const meta = metaOf([before, after(5n)], version, [line(2, usd).created], [before, after(9n)])
      const ledger = version < 3 ? 0 : version < 4 ? 1 : 2
      const details = extract({ version: ledger, raw: [transaction(pay, { meta, old: true })] })
      assert.deepStrictEqual(details.metaVersions, { [`v${version}`]: 1 })
      assert.deepStrictEqual(details.trustlines.assets, [
        {
          ...unchanged,
          asset: USD,
          created: version < 1 ? 0 : 1,
          updated: 1,
          authorizedDelta: version < 1 ? 0 : 1,
          balanceDelta: version < 2 ? 4n : 8n
        }
      ])
      assert.strictEqual(details.payments.length, 1)
    }
  })

  it("in the order of time: fees, transactions from before to after, refunds, upgrades", () => {
    const last = (drop: number): bigint => {
      const steps = [2n, 3n, 4n, 5n, 6n, 7n].map((balance, i) => (i < 6 - drop ? [after(balance)] : []))
      const [fee, first, during, then, refund, upgrade] = steps
      const meta = metaOf(during, 4, first, then)
      const main = transaction(pay, { feeProcessing: fee!, meta, postTxApplyFeeProcessing: refund! })
      const other = transaction(pay, { feeProcessing: [before] })
      const upgrades = [
        { upgrade: { type: "ledgerUpgradeBaseReserve", value: 5_000_000 }, changes: upgrade! }
      ] as const
      // The one whose fee comes first in time stands behind the others in one sense only: its refund would be last.
      return extract({ raw: [other, main], upgrades }).trustlines.assets[0]!.balanceDelta
    }
    assert.deepStrictEqual([0, 1, 2, 3, 4, 5].map(last), [6n, 5n, 4n, 3n, 2n, 1n])
  })

  it("when fees of a later transaction precede an earlier one's operations", () => {
    const early = transaction(pay, { meta: metaOf([after(9n)]) })
    const late = transaction(pay, { feeProcessing: [before, after(2n)] })
    assert.strictEqual(extract({ raw: [early, late] }).trustlines.assets[0]!.balanceDelta, 8n)
  })

  it("in the changes of an upgrade, in every version of the ledger", () => {
    for (const version of [0, 1, 2] as const) {
      const upgrades = [
        { upgrade: { type: "ledgerUpgradeVersion", value: 10 }, changes: [data("x").updated] },
        { upgrade: { type: "ledgerUpgradeFlags", value: 1 }, changes: [before, after(3n)] }
      ] as const
      const { trustlines } = extract({ version, raw: [], upgrades })
      assert.deepStrictEqual(trustlines.raw, { created: 0, updated: 1, removed: 0 })
      assert.strictEqual(trustlines.assets[0]!.balanceDelta, 2n)
    }
  })
})

describe("events", () => {
  it("are counted by what they say, of transactions and of operations", () => {
    const ext = { type: "v0" } as const
    const long = event("transfer_and_more")
    const none: T.ContractEvent = {
      ...event("x"),
      body: { type: "v0", value: { topics: [], data: { type: "scvVoid" } } }
    }
    const diagnostic = { inSuccessfulContractCall: true, event: event("transfer") }
    const value = {
      ...(metaOf() as T.TransactionMeta & { readonly type: "v4" }).value,
      operations: [
        {
          ext,
          changes: [],
          events: [
            event("transfer", i128(5n)),
            event("mint", i128(1n), null),
            event("burn"),
            event("clawback"),
            long,
            none
          ]
        }
      ],
      sorobanMeta: { ext, returnValue: { type: "scvVoid" } },
      events: [
        { stage: "transactionEventStageBeforeAllTxs", event: event("fee", i128(500n)) },
        { stage: "transactionEventStageAfterAllTxs", event: event("fee", i128(-80n)) },
        { stage: "transactionEventStageAfterTx", event: { ...event("transfer"), type: "system" } },
        { stage: "transactionEventStageAfterTx", event: event("fee", { type: "scvU32", value: 3 }) }
      ],
      diagnosticEvents: [diagnostic]
    } as const
    const { events } = extract({ raw: [transaction(pay, { meta: { type: "v4", value } })] })
    assert.deepStrictEqual(events, { events: 10, fee: 420n, transfer: 1, mint: 1, burn: 1, clawback: 1 })
  })
})
