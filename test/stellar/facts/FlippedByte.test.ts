/**
 * One byte of a ledger changed, whatever byte it is: the ledger is refused, or it says the same, or the byte lies in the meta.
 *
 * Of the meta no hash of the chain knows. There a changed byte can change the facts that come from it, and no other; in a lake it does not come so far,
 * since the frame around the ledger has a checksum.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fc from "fast-check"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as LedgerDetails from "../../../src/stellar/facts/LedgerDetails.js"
import * as LedgerFacts from "../../../src/stellar/LedgerFacts.js"
import * as Network from "../../../src/stellar/Network.js"
import * as Zstd from "../../../src/stellar/source/Zstd.js"
import type * as T from "../../../src/stellar/xdr/generated/types.js"
import * as LedgerBatch from "../../../src/stellar/xdr/LedgerBatch.js"
import type { Range } from "../../../src/stellar/xdr/XdrReader.js"
import { frame } from "../../support/Zstd.js"
import * as Recorded from "../xdr/RecordedLedgers.js"
import * as SelfMadeLedger from "../xdr/SelfMadeLedger.js"
import * as Making from "./Making.js"
import {
  asset,
  data,
  line,
  metaOf,
  muxed,
  native,
  payment,
  plain,
  pool,
  pooled,
  transaction
} from "./Making.js"

const networkId = Network.id(Network.passphrases.pubnet)
const usd = asset("USD", 9)
const euro = asset("EUROTOKEN", 9)

/** A ledger in which every fact is something. */
const rich = (version: 0 | 1 | 2): Uint8Array => {
  const metaVersion = version === 0 ? 2 : version === 1 ? 3 : 4
  const changes = [
    line(1, usd, 5n, 0).state,
    line(1, usd, 6n, 1).updated,
    line(2, euro).created,
    line(3, 5).created,
    pool(5, [native, usd], [1n, 2n]).created,
    pool(6, [native, usd]).state,
    pool(6, [native, usd]).removed,
    data("else").updated
  ]
  const meta = metaOf(
    changes,
    metaVersion,
    [data("before").state],
    [line(4, euro, 3n).state, line(4, euro).removed]
  )
  const withEvents: T.TransactionMeta =
    meta.type === "v4"
      ? {
          ...meta,
          value: {
            ...meta.value,
            events: [
              { stage: "transactionEventStageBeforeAllTxs", event: Making.event("fee", Making.i128(500n)) },
              { stage: "transactionEventStageAfterTx", event: Making.event("transfer") }
            ]
          }
        }
      : meta
  const pay = payment(plain(2), usd, 5n)
  const merge: Making.Done = [
    Making.operation({ type: "accountMerge", value: muxed(3, 4n) }, muxed(2, 1n)),
    Making.inner({ type: "accountMerge", value: { type: "accountMergeSuccess", value: 49n } })
  ]
  const deposit: Making.Done = [
    Making.operation({
      type: "liquidityPoolDeposit",
      value: {
        liquidityPoolId: Making.key(5),
        maxAmountA: 1n,
        maxAmountB: 1n,
        minPrice: { n: 1, d: 1 },
        maxPrice: { n: 1, d: 1 }
      }
    }),
    Making.inner({ type: "liquidityPoolDeposit", value: { type: "liquidityPoolDepositSuccess" } })
  ]
  const send = Making.strictSend([usd, 30n], [euro, 9n], muxed(2, 1n), [pooled(5, [euro, 9n], [usd, 30n])])
  const feeBump = { source: muxed(8, 3n), fee: 400n }
  return SelfMadeLedger.bytes({
    version,
    raw: [
      transaction([pay, send, merge], { meta: withEvents, feeProcessing: [line(1, euro, 1n).updated] }),
      transaction([deposit], { feeBump, feeCharged: 300n, meta: metaOf([], metaVersion) }),
      transaction([pay, payment(plain(1), native, 1n, "paymentNoTrust")], { result: "txFailed", old: true }),
      transaction([pay], { result: "txBadSeq", postTxApplyFeeProcessing: [line(7, usd).created] })
    ],
    upgrades: [{ upgrade: { type: "ledgerUpgradeFlags", value: 1 }, changes: [line(8, usd).created] }]
  })
}

const text = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? `${item}n` : item))

/** The facts that the hashes of the chain vouch for. */
const vouched = ({
  events: _e,
  metaVersions: _m,
  pools,
  trustlines: _t,
  ...rest
}: LedgerDetails.LedgerDetails) => ({
  ...rest,
  activity: pools.activity
})

/** What came of a ledger with a changed byte: whether that is right, and which of the three it was. */
const judge = (bytes: Uint8Array) => {
  const truth = LedgerDetails.extract(bytes, networkId)
  const [whole, certain] = [text(truth), text(vouched(truth))]
  const { transactions, upgrades } = LedgerFacts.verify(bytes).meta
  const ranges: ReadonlyArray<Range> = [
    upgrades,
    ...transactions.flatMap(({ feeProcessing, postTxApplyFeeProcessing, txApplyProcessing }) =>
      postTxApplyFeeProcessing === undefined
        ? [feeProcessing, txApplyProcessing]
        : [feeProcessing, txApplyProcessing, postTxApplyFeeProcessing]
    )
  ]
  return (at: number, mask: number): "refused" | "same" | "meta" => {
    const changed = Uint8Array.from(bytes)
    changed[at]! ^= mask
    let details: LedgerDetails.LedgerDetails
    try {
      details = LedgerDetails.extract(changed, networkId)
    } catch (error) {
      if (error instanceof LedgerFacts.LedgerRejected) return "refused"
      throw error
    }
    if (text(details) === whole) return "same"
    assert.strictEqual(text(vouched(details)), certain, `byte ${at}, mask ${mask}`)
    assert.isTrue(
      ranges.some(({ end, start }) => at >= start && at < end),
      `byte ${at} is not one of the meta`
    )
    return "meta"
  }
}

describe("a ledger with a byte changed", () => {
  for (const version of [0, 1, 2] as const) {
    it(`in LedgerCloseMeta version ${version} is refused or says the same, but for what its meta says`, () => {
      const bytes = rich(version)
      const outcome = judge(bytes)
      const seen = { refused: 0, same: 0, meta: 0 }
      for (let at = 0; at < bytes.length; at++) seen[outcome(at, 1 << (at % 8))] += 1
      assert.isAbove(seen.refused, bytes.length / 3)
      assert.isAbove(seen.same, 10)
      assert.isAbove(seen.meta, 100)
    })
  }

  it("or a stretch of its meta overwritten never ends in anything but facts or a refusal", () => {
    const bytes = rich(2)
    const ranges = LedgerFacts.verify(bytes).meta.transactions.map(
      ({ txApplyProcessing }) => txApplyProcessing
    )
    const words = fc.array(fc.oneof(fc.nat({ max: 6 }), fc.integer({ min: 0, max: 0xffffffff })), {
      minLength: 1,
      maxLength: 8
    })
    fc.assert(
      fc.property(fc.constantFrom(...ranges), fc.nat(), words, (range, place, values) => {
        const changed = Uint8Array.from(bytes)
        const view = new DataView(changed.buffer)
        const count = (range.end - range.start) / 4
        values.forEach((value, i) => {
          if ((place % count) + i < count) view.setUint32(range.start + ((place % count) + i) * 4, value)
        })
        try {
          LedgerDetails.extract(changed, networkId)
        } catch (error) {
          if (!(error instanceof LedgerFacts.LedgerRejected)) throw error
        }
      }),
      { numRuns: 1000 }
    )
  })
})

describe("a frame with a byte changed", () => {
  /** What comes of an object of which a byte is changed. */
  const opened = (object: Uint8Array, whole: Uint8Array, at: number, mask: number) => {
    const changed = Uint8Array.from(object)
    changed[at]! ^= mask
    return Effect.map(Effect.either(Zstd.decompress(changed)), (content) =>
      Either.isLeft(content) ? "refused" : Buffer.compare(content.right, whole) === 0 ? "same" : "other"
    )
  }

  it.effect("does not decompress, or to the same, wherever in a lake's object of our own it is", () =>
    Effect.gen(function* () {
      const batch = LedgerBatch.encodeBatch(77, 77, [rich(2)])
      const object = frame(batch)
      for (let at = 0; at < object.length; at += at < 100 || at > object.length - 100 ? 1 : 7)
        assert.notStrictEqual(yield* opened(object, batch, at, 1 << (at % 8)), "other", `byte ${at}`)
      // It is the checksum that says so.
      assert.strictEqual(yield* opened(object, batch, 1000, 1), "refused")
      assert.strictEqual(yield* opened(frame(batch, { checksum: false }), batch, 1000, 1), "other")
    })
  )

  it.effect.skipIf(!Recorded.available)(`in a recorded object of the public network${Recorded.note}`, () =>
    Effect.gen(function* () {
      const path = "FE2A45FF--30784000-30847999/FE29B17D--30822018.xdr.zst"
      const object = readFileSync(join(Recorded.folder, "lake-pubnet", path))
      const whole = yield* Zstd.decompress(object)
      for (let i = 0; i < 60; i++) {
        const at = Math.floor((object.length * i) / 60)
        assert.notStrictEqual(yield* opened(object, whole, at, 1 << (i % 8)), "other", `byte ${at}`)
      }
    })
  )
})

describe.skipIf(!Recorded.available)(`a recorded ledger with a byte changed${Recorded.note}`, () => {
  it("is refused or says the same, but for what its meta says", () => {
    const ledger = Recorded.pubnet().find(({ name }) => name.includes("30822018"))!
    const outcome = judge(ledger.bytes)
    fc.assert(
      fc.property(fc.nat({ max: ledger.bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        outcome(at, mask)
      }),
      { numRuns: 100 }
    )
  })
})
