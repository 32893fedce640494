/** What the API says of payments and merges of accounts, against the ledgers themselves. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { LedgerDetails } from "../../../src/stellar/facts/LedgerDetails.js"
import type * as Service from "../Service.js"
import * as Serving from "./Serving.js"

const ledgers = Serving.ledgers(12, { contents: { payments: 25, accounts: 12, assets: 5 } })
const newestFirst = (ledgers: ReadonlyArray<LedgerDetails>) =>
  ledgers
    .flatMap(({ facts, payments }) =>
      payments.map((one) => ({
        toid: String(one.toid),
        ledger: facts.sequence,
        closedAt: facts.closeTime,
        txHash: one.txHash,
        kind: one.kind,
        from: one.from,
        to: one.to,
        fromMuxedId: one.fromMuxedId === null ? null : String(one.fromMuxedId),
        toMuxedId: one.toMuxedId === null ? null : String(one.toMuxedId),
        sourceAsset: one.srcAsset,
        sourceAmount: String(one.srcAmount),
        destinationAsset: one.dstAsset,
        destinationAmount: String(one.dstAmount)
      }))
    )
    .sort((a, b) => (BigInt(a.toid) < BigInt(b.toid) ? 1 : -1))

const serving = Effect.gen(function* () {
  const made = yield* Serving.make()
  yield* Effect.forEach(ledgers, made.store.commit)
  return made
})
const expected = newestFirst(ledgers)
type Payment = (typeof expected)[number]

describe("payments", () => {
  const [who, nobody] = [Serving.account(3), Serving.account(7777)]
  const [asset, other] = [Serving.asset(2), Serving.asset(3)]
  const cases: ReadonlyArray<readonly [filter: string, keeps: (payment: Payment) => boolean]> = [
    ["", () => true],
    [`account=${who}`, ({ from, to }) => from === who || to === who],
    [`account=${nobody}`, () => false],
    [
      "asset=native",
      ({ destinationAsset, sourceAsset }) => [sourceAsset, destinationAsset].includes("native")
    ],
    [
      `asset=${asset}`,
      ({ destinationAsset, sourceAsset }) => [sourceAsset, destinationAsset].includes(asset)
    ],
    [
      `corridor=${asset}~${other}`,
      ({ destinationAsset, sourceAsset }) => sourceAsset === asset && destinationAsset === other
    ],
    [
      `corridor=${asset}~${asset}`,
      ({ destinationAsset, sourceAsset }) => sourceAsset === asset && destinationAsset === asset
    ],
    ["ledger=105", ({ ledger }) => ledger === 105],
    ["ledger=99", () => false],
    ["ledger=2147483647", () => false],
    ["ledger=4294967295", () => false]
  ]
  for (const [filter, keeps] of cases) {
    it.scoped(`${filter.slice(0, 20) || "all"}: every one once, newest first, in pages of any size`, () =>
      Effect.gen(function* () {
        const { ask } = yield* serving
        const kept = expected.filter(keeps)
        for (const limit of [7, 200]) {
          const path = `/api/payments?limit=${limit}&${filter}`
          const { found, pages } = yield* Serving.walk(ask, path, "payments")
          assert.deepStrictEqual(found, kept)
          assert.strictEqual(pages, Math.max(1, Math.ceil(kept.length / limit)))
        }
        const { json } = yield* ask(`/api/payments?${filter}`)
        assert.deepStrictEqual(json.payments, kept.slice(0, 20))
      })
    )
  }

  it.scoped("are gone through without a gap or one twice while new ones come", () =>
    Effect.gen(function* () {
      const { ask, store } = yield* serving
      const more = Serving.ledgers(30, { from: 12, contents: { payments: 5 } }).values()
      const commit = Effect.suspend(() => {
        const next = more.next()
        return next.done === true ? Effect.void : store.commit(next.value)
      })
      for (const filter of ["", `account=${who}`, "asset=native"]) {
        const before = (yield* Serving.walk(ask, `/api/payments?limit=200&${filter}`, "payments")).found
        const { found } = yield* Serving.walk(ask, `/api/payments?limit=13&${filter}`, "payments", commit)
        assert.deepStrictEqual(found, before)
      }
    })
  )
})

describe("merges of accounts", () => {
  const all = ledgers
    .flatMap(({ accountMerges, facts }) =>
      accountMerges.map(({ account, amount, into, toid, txHash }) => ({
        toid: String(toid),
        ledger: facts.sequence,
        closedAt: facts.closeTime,
        txHash,
        account,
        into,
        amount: String(amount)
      }))
    )
    .toReversed()

  it.scoped("are given newest first, of one account on either side, in pages", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving
      assert.isAbove(all.length, 5)
      const merged = all[0]!.account
      const cases: ReadonlyArray<readonly [string, ReadonlyArray<Service.Json>]> = [
        ["", all],
        [`account=${merged}`, all.filter(({ account }) => account === merged)],
        [`account=${all[0]!.into}`, all],
        [`account=${Serving.account(7777)}`, []]
      ]
      for (const [filter, kept] of cases) {
        for (const limit of [1, 4, 200]) {
          const { found } = yield* Serving.walk(ask, `/api/account-merges?limit=${limit}&${filter}`, "merges")
          assert.deepStrictEqual(found, kept)
        }
      }
    })
  )
})
