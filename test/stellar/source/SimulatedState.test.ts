import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as LedgerFacts from "../../../src/stellar/LedgerFacts.js"
import * as SimulatedSource from "../../../src/stellar/source/SimulatedSource.js"
import { decodeLedgerCloseMeta } from "../../../src/stellar/xdr/generated/decode.js"
import { writeLedgerKey } from "../../../src/stellar/xdr/generated/encode.js"
import type * as T from "../../../src/stellar/xdr/generated/types.js"
import { encode } from "../../../src/stellar/xdr/XdrWriter.js"
import * as SimulatedOracle from "../../support/SimulatedOracle.js"

const bytesOf = (key: T.LedgerKey) => Buffer.from(encode(writeLedgerKey, key)).toString("base64")

const keyOf = ({ data }: T.LedgerEntry): string => {
  switch (data.type) {
    case "account":
      return bytesOf({ type: "account", value: { accountId: data.value.accountId } })
    case "trustline":
      return bytesOf({
        type: "trustline",
        value: { accountId: data.value.accountId, asset: data.value.asset }
      })
    case "liquidityPool":
      return bytesOf({ type: "liquidityPool", value: { liquidityPoolId: data.value.liquidityPoolId } })
    case "contractData": {
      const { contract, durability, key } = data.value
      return bytesOf({ type: "contractData", value: { contract, durability, key } })
    }
    default:
      throw new Error(`nobody has a ${data.type}`)
  }
}

/** All groups of changes of a ledger, in the order in which they happened. */
const groups = (ledger: T.LedgerCloseMetaV2): ReadonlyArray<ReadonlyArray<T.LedgerEntryChange>> => [
  ...ledger.txProcessing.map(({ feeProcessing }) => feeProcessing),
  ...ledger.txProcessing.flatMap(({ txApplyProcessing: { type, value } }) => {
    if (type !== "v4") throw new Error("only meta V4 is made")
    return [value.txChangesBefore, ...value.operations.map(({ changes }) => changes), value.txChangesAfter]
  }),
  ...ledger.txProcessing.map(({ postTxApplyFeeProcessing }) => postTxApplyFeeProcessing)
]

/** What an entry holds of the network's own coin. */
const lumensIn = (data: T.LedgerEntryData): bigint => {
  if (data.type === "account") return data.value.balance
  if (data.type !== "liquidityPool") return 0n
  const { params, reserveA } = data.value.body.value
  return params.assetA.type === "assetTypeNative" ? reserveA : 0n
}

/** Follows entries through ledgers, and complains where an image is not what the one before said. */
const follower = () => {
  const known = new Map<string, T.LedgerEntryData | undefined>()
  const coins = { fees: 0n, held: 0n }
  const take = (changes: ReadonlyArray<T.LedgerEntryChange>, sequence: number) => {
    let state: T.LedgerEntry | undefined
    for (const change of changes) {
      if (change.type === "ledgerEntryRemoved") {
        assert.strictEqual(bytesOf(change.value), keyOf(state!))
        known.set(keyOf(state!), undefined)
        coins.held -= lumensIn(state!.data)
        continue
      }
      const entry = change.value
      const { data } = entry
      const key = keyOf(entry)
      if (change.type === "ledgerEntryState") {
        if (known.has(key)) assert.deepEqual(data, known.get(key), `state of ${key}`)
        state = entry
        continue
      }
      assert.strictEqual(entry.lastModifiedLedgerSeq, sequence)
      if (change.type === "ledgerEntryCreated") assert.isUndefined(known.get(key), "it was there already")
      else assert.strictEqual(key, keyOf(state!))
      coins.held += lumensIn(data) - (change.type === "ledgerEntryUpdated" ? lumensIn(state!.data) : 0n)
      if (data.type === "account") assert.isTrue(data.value.balance >= 0n)
      if (data.type === "trustline")
        assert.isTrue(data.value.balance >= 0n && data.value.balance <= data.value.limit)
      if (data.type === "liquidityPool") {
        const now = data.value.body.value
        assert.isTrue(now.reserveA >= 0n && now.reserveB >= 0n && now.poolSharesTrustLineCount > 0n)
        const was = state?.data.type === "liquidityPool" ? state.data.value.body.value : undefined
        // An exchange never takes from those who have a share.
        if (
          was !== undefined &&
          was.totalPoolShares === now.totalPoolShares &&
          change.type === "ledgerEntryUpdated"
        ) {
          assert.isTrue(now.reserveA * now.reserveB >= was.reserveA * was.reserveB)
        }
      }
      known.set(key, data)
    }
  }
  return { coins, known, take }
}

const take = (options: SimulatedSource.Options, start: number, count: number, previousHash?: string) =>
  SimulatedSource.make({ interval: 0, ...options })
    .ledgers(start, previousHash)
    .pipe(Stream.take(count), Stream.runCollect, Effect.map(Chunk.toReadonlyArray))

describe("the state of the simulated network", () => {
  it.effect("every image of an entry is what the one before left, and nobody owes anything", () =>
    Effect.gen(function* () {
      const follow = follower()
      // A pool's whole round of 50 turns, eight ledgers apart.
      for (const { bytes } of yield* take({ transactions: 12 }, 2, 420)) {
        const meta = decodeLedgerCloseMeta(bytes)
        if (meta.type !== "v2") throw new Error("only V2 is made")
        const { ledgerSeq } = meta.value.ledgerHeader.header
        for (const changes of groups(meta.value)) follow.take(changes, ledgerSeq)
        for (const { result } of meta.value.txProcessing) follow.coins.fees += result.result.feeCharged
      }
      assert.isAbove(follow.known.size, 500)
      assert.isTrue(follow.coins.fees > 0n)
      // What accounts and pools have lost together is what the fee pool got.
      assert.strictEqual(follow.coins.held, -follow.coins.fees)
    })
  )

  it.effect("a chain that is entered anywhere is the one that was never left", () =>
    Effect.gen(function* () {
      const options = { transactions: 20, seed: "entered" }
      const whole = yield* take(options, 2, 240)
      for (const at of [1, 40, 133, 230]) {
        const { hash } = LedgerFacts.extract(whole[at]!.bytes)
        assert.deepStrictEqual(yield* take(options, at + 3, 8, hash), whole.slice(at + 1, at + 9))
      }
    })
  )

  it.effect("a ledger may have ten thousand operations", () =>
    Effect.gen(function* () {
      const [ledger] = yield* SimulatedOracle.ledgers({ transactions: 104, operations: 100 }, 9, 1)
      const facts = LedgerFacts.extract(ledger!.bytes)
      assert.isAtLeast(facts.txSetOpCount, 10_000)
      assert.isAbove(facts.opCount, 8_000)
    })
  )
})
