/** What the API says of the network, pools and trustlines, against sums over the ledgers themselves. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as Window from "../../../src/insights/analytics/Window.js"
import type { LedgerDetails } from "../../../src/stellar/facts/LedgerDetails.js"
import type * as Service from "../Service.js"
import * as Serving from "./Serving.js"

const ledgers = Serving.ledgers(21, { hoursApart: 11, contents: { payments: 10 } })
const last = ledgers.at(-1)!.facts
const within = (window: Window.Window): ReadonlyArray<LedgerDetails> =>
  ledgers.filter(({ facts }) => Window.hourOf(facts.closeTime) >= Window.firstHour(window, last.closeTime))

const serving = Effect.gen(function* () {
  const made = yield* Serving.make()
  for (const ledger of ledgers) {
    yield* made.store.commit(ledger)
    yield* made.snapshot
  }
  return made
})

describe("the network", () => {
  it.scoped("has the sums of each window, the last ledger's fees, and how long ago that was", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving
      yield* TestClock.setTime((last.closeTime + 12.5) * 1000)
      for (const window of Window.all) {
        const all = within(window)
        const count = (of: (ledger: LedgerDetails) => number) => Serving.sum(all, of)
        const { json } = yield* ask(`/api/network?window=${window}`)
        const [transactions, successful] = [
          count((one) => one.facts.txCount),
          count((one) => one.facts.successTx)
        ]
        const spread = last.closeTime - all[0]!.facts.closeTime
        assert.deepStrictEqual(json, {
          window,
          lastLedger: last.sequence,
          lastCloseTime: last.closeTime,
          protocol: last.protocol,
          lagSeconds: 12.5,
          ledgers: all.length,
          firstClosedAt: all[0]!.facts.closeTime,
          lastClosedAt: last.closeTime,
          closeInterval: all.length === 1 ? null : spread / (all.length - 1),
          transactions,
          successful,
          failed: count((one) => one.facts.failedTx),
          successRate: successful / transactions,
          operations: count((one) => one.facts.opCount),
          allOperations: count((one) => one.facts.txSetOpCount),
          contractTransactions: count((one) => one.facts.sorobanTx),
          payments: count((one) => one.payments.length),
          accountMerges: count((one) => one.accountMerges.length),
          createdAccounts: count((one) => one.operations["createAccount"] ?? 0),
          feeCharged: String(Serving.total(all, (one) => one.facts.totalFeeCharged)),
          fees: { min: "100", p50: "100", p95: "200", max: "1000" }
        })
      }
      assert.strictEqual((yield* ask("/api/network")).json.window, "24h")
    })
  )

  it.scoped("has its fee bumps", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving
      for (const window of Window.all) {
        const all = within(window)
        const bumps = all.flatMap((one) => one.feeBumps)
        const { json } = yield* ask(`/api/fee-bumps/stats?window=${window}`)
        const operations = Serving.sum(bumps, (one) => one.operations)
        const feeCharged = Serving.total(bumps, (one) => one.feeCharged)
        assert.deepStrictEqual(json, {
          window,
          ledgers: all.length,
          firstClosedAt: all[0]!.facts.closeTime,
          lastClosedAt: last.closeTime,
          feeBumps: bumps.length,
          successful: bumps.filter(({ success }) => success).length,
          share: bumps.length / Serving.sum(all, (one) => one.facts.txCount),
          operations,
          feeCharged: String(feeCharged),
          meanFeePerOperation: Number(feeCharged) / operations
        })
      }
    })
  )

  it.scoped("of which nothing is known yet is nulls and zeros", () =>
    Effect.gen(function* () {
      const { ask } = yield* Serving.make()
      const { json, status } = yield* ask("/api/network")
      assert.strictEqual(status, 200)
      const { closeInterval, fees, lagSeconds, lastLedger, ledgers, successRate } = json
      assert.deepStrictEqual(
        { closeInterval, fees, lagSeconds, lastLedger, ledgers, successRate },
        {
          closeInterval: null,
          fees: { min: null, p50: null, p95: null, max: null },
          lagSeconds: null,
          lastLedger: null,
          ledgers: 0,
          successRate: null
        }
      )
      assert.strictEqual((yield* ask("/api/fee-bumps/stats")).json.meanFeePerOperation, null)
    })
  )
})

describe("pools", () => {
  const ids = [
    ...new Set(ledgers.flatMap(({ pools }) => [...pools.images.map(({ id }) => id), ...pools.removed]))
  ]

  /** A pool as the last ledger that touched it left it. */
  const stateOf = (id: string) => {
    const touched = ledgers.filter(
      ({ pools }) => pools.removed.includes(id) || pools.images.some((image) => image.id === id)
    )
    const image = ledgers.flatMap(({ pools }) => pools.images).findLast((one) => one.id === id)!
    const removed = touched.at(-1)!.pools.removed.includes(id)
    const [a, b] = removed ? [0n, 0n] : [image.reserveA, image.reserveB]
    return {
      id,
      assetA: image.assetA,
      assetB: image.assetB,
      feeBp: image.feeBp,
      reserveA: String(a),
      reserveB: String(b),
      shares: String(removed ? 0n : image.shares),
      trustlines: removed ? 0 : Number(image.trustlines),
      price: a > 0n ? Number(b) / Number(a) : null,
      lastLedger: touched.at(-1)!.facts.sequence,
      removedLedger: removed ? touched.at(-1)!.facts.sequence : null
    }
  }

  it.scoped("are listed as they were left, all or those with an asset, in pages", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving
      const all = ids.map(stateOf)
      const asset = Serving.asset(2)
      for (const limit of [1, 3, 200]) {
        const { found } = yield* Serving.walk(ask, `/api/liquidity-pools?limit=${limit}`, "pools")
        assert.sameDeepMembers(found, all)
        const some = yield* Serving.walk(ask, `/api/liquidity-pools?limit=${limit}&asset=${asset}`, "pools")
        const kept = all.filter(({ assetA, assetB }) => assetA === asset || assetB === asset)
        assert.isAbove(kept.length, 1)
        assert.sameDeepMembers(some.found, kept)
      }
      const none = yield* ask(`/api/liquidity-pools?asset=${Serving.asset(99)}`)
      assert.deepStrictEqual(none.json, { pools: [], next: null })
    })
  )

  it.scoped("have what was done with each over each window, and what a share earned in a week", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving
      for (const id of ids) {
        const { feeApr, windows, ...state } = (yield* ask(`/api/liquidity-pools/${id}`)).json
        assert.deepStrictEqual(state, stateOf(id))
        for (const window of Window.all) {
          const done = within(window).flatMap(({ pools }) => pools.activity.filter((one) => one.id === id))
          const touched = within(window).filter(
            ({ pools }) => pools.removed.includes(id) || pools.images.some((image) => image.id === id)
          )
          assert.deepStrictEqual(windows[window], {
            ledgers: touched.length,
            trades: Serving.sum(done, ({ trades }) => trades),
            deposits: Serving.sum(done, ({ deposits }) => deposits),
            withdrawals: Serving.sum(done, ({ withdrawals }) => withdrawals),
            volumeA: String(Serving.total(done, ({ volumeA }) => volumeA)),
            volumeB: String(Serving.total(done, ({ volumeB }) => volumeB))
          })
        }
        const snapshots = (yield* Serving.walk(
          ask,
          `/api/liquidity-pools/${id}/snapshots?limit=200`,
          "snapshots"
        )).found
        const week = snapshots.filter(
          ({ bucket, feeGrowth }) => feeGrowth > 0 && bucket >= Window.firstHour("7d", last.closeTime)
        )
        const [newest, oldest] = [week[0], week.at(-1)]
        const years = (newest.bucket - oldest.bucket) / (365 * 86_400)
        assert.closeTo(feeApr, (newest.feeGrowth / oldest.feeGrowth - 1) / years, Math.abs(feeApr) * 1e-9)
      }
    })
  )

  it.scoped("have snapshots, newest first, in pages", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving
      for (const id of ids.slice(0, 3)) {
        const expected = ledgers
          .filter(({ pools }) => pools.removed.includes(id) || pools.images.some((one) => one.id === id))
          .map(({ facts, pools }) => {
            const image = pools.images.find((one) => one.id === id)
            return {
              bucket: facts.closeTime - (facts.closeTime % Serving.bucket),
              asOfLedger: facts.sequence,
              reserveA: String(image?.reserveA ?? 0n),
              reserveB: String(image?.reserveB ?? 0n),
              shares: String(image?.shares ?? 0n),
              trustlines: Number(image?.trustlines ?? 0n)
            }
          })
          .toReversed()
        for (const limit of [1, 6, 200]) {
          const path = `/api/liquidity-pools/${id}/snapshots?limit=${limit}`
          const { found } = yield* Serving.walk(ask, path, "snapshots")
          assert.deepStrictEqual(
            found.map(({ feeGrowth: _growth, price: _price, ...one }) => one),
            expected
          )
        }
      }
    })
  )

  it.scoped("that nobody has seen are 404, their snapshots too", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving
      const id = "0".repeat(64)
      for (const path of [id, `${id}/snapshots`]) {
        const { json, status } = yield* ask(`/api/liquidity-pools/${path}`)
        assert.strictEqual(status, 404)
        assert.strictEqual(json.detail, `no stored ledger has touched the pool ${id}`)
      }
    })
  )
})

describe("trustlines", () => {
  it.scoped("have all changes, hours and snapshots of an asset", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving
      const assets = ledgers[0]!.trustlines.assets.map(({ asset }) => asset)
      for (const asset of assets) {
        const changes = ledgers.map(({ facts, trustlines }) => {
          const one = trustlines.assets.find((each) => each.asset === asset)!
          return { facts, one }
        })
        const { json } = yield* ask(`/api/trustlines/${asset}`)
        const ones = changes.map(({ one }) => one)
        const whole = {
          created: Serving.sum(ones, ({ created }) => created),
          removed: Serving.sum(ones, ({ removed }) => removed),
          updated: Serving.sum(ones, ({ updated }) => updated),
          authorized: Serving.sum(ones, ({ authorizedDelta }) => authorizedDelta),
          maintainLiabilities: 0,
          unknownBefore: 0,
          balance: String(Serving.total(ones, ({ balanceDelta }) => balanceDelta))
        }
        assert.deepStrictEqual(json.total, { lines: whole.created - whole.removed, ...whole })
        assert.strictEqual(json.asset, asset)
        assert.strictEqual(json.sinceLedger, 100)
        const hours = changes
          .map(({ facts, one }) => ({
            hour: Window.hourOf(facts.closeTime),
            created: one.created,
            removed: one.removed,
            updated: one.updated,
            authorized: one.authorizedDelta,
            maintainLiabilities: 0,
            unknownBefore: 0,
            balance: String(one.balanceDelta)
          }))
          .toReversed()
        assert.deepStrictEqual(json.history, hours)
        assert.strictEqual(json.snapshots.length, ledgers.length)
        const { authorized, balance } = whole
        const now = { lines: whole.created - whole.removed, authorized, maintainLiabilities: 0, balance }
        const bucket = last.closeTime - (last.closeTime % Serving.bucket)
        assert.deepStrictEqual(json.snapshots[0], { bucket, asOfLedger: last.sequence, ...now })
        const short = (yield* ask(`/api/trustlines/${asset}?limit=2`)).json
        assert.deepStrictEqual(short.history, json.history.slice(0, 2))
        assert.deepStrictEqual(short.snapshots, json.snapshots.slice(0, 2))
        assert.deepStrictEqual(short.total, json.total)
      }
      for (const missing of ["native", Serving.asset(99)]) {
        const { json, status } = yield* ask(`/api/trustlines/${missing}`)
        assert.strictEqual(status, 404)
        assert.strictEqual(json.detail, `no stored ledger has touched a trustline of ${missing}`)
      }
    })
  )
})

describe("tasks", () => {
  it.scoped("are listed as the board has them", () =>
    Effect.gen(function* () {
      const { ask, board, leases } = yield* Serving.make()
      assert.deepStrictEqual((yield* ask("/api/tasks")).json, { tasks: [], leases: [] })
      const status: Service.Json = {
        name: "a-task",
        state: "failing",
        intervalMillis: 60_000,
        limitMillis: 5000,
        completed: 3,
        failed: 2,
        failedInARow: 1,
        lastRun: { startedAt: 7, durationMillis: 1.5, error: "no luck" },
        lastSuccessAt: 6,
        nextAt: null,
        lag: { amount: 4, unit: "ledgers" }
      }
      yield* board.add(Effect.succeed(status))
      assert.deepStrictEqual((yield* ask("/api/tasks")).json, { tasks: [status], leases: [] })
      const lease = { name: "tasks", state: "standby", since: 5, holder: "a:1#b", epoch: 2 } as const
      yield* leases.add(Effect.succeed(lease))
      assert.deepStrictEqual((yield* ask("/api/tasks")).json, { tasks: [status], leases: [lease] })
    })
  )
})
