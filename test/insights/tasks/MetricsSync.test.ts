/** What the metrics sync makes of facts, against sums that are made of the ledgers themselves. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SuccessRate from "../../../src/insights/analytics/SuccessRate.js"
import * as Window from "../../../src/insights/analytics/Window.js"
import * as AnchorStore from "../../../src/insights/anchors/AnchorStore.js"
import * as Database from "../../../src/insights/Database.js"
import * as LedgerStore from "../../../src/insights/LedgerStore.js"
import * as Outbox from "../../../src/insights/Outbox.js"
import * as MetricsSync from "../../../src/insights/tasks/MetricsSync.js"
import * as WideSum from "../../../src/insights/WideSum.js"
import type { LedgerDetails } from "../../../src/stellar/facts/LedgerDetails.js"
import * as Made from "../Made.js"
import * as Service from "../Service.js"

const secondsPerHour = 3600

/** The store, the outbox and the sync over one file. */
const fresh = Effect.gen(function* () {
  const config = yield* Service.fresh
  const layer = Layer.provideMerge(AnchorStore.layer, Service.storeOn(config))
  const context = yield* Layer.build(layer)
  const store = Context.get(context, LedgerStore.LedgerStore)
  yield* store.claim("a network")
  return {
    store,
    sync: yield* Effect.provide(MetricsSync.makeUnit, context),
    again: Effect.provide(MetricsSync.makeUnit, context),
    anchors: Context.get(context, AnchorStore.AnchorStore),
    outbox: Context.get(context, Outbox.Outbox),
    database: Context.get(context, Database.Database)
  }
})

/** Ledgers some hours apart, so that hours fall out of every window but the longest. */
const spread = (count: number, hoursApart: number, from = 0): ReadonlyArray<LedgerDetails> =>
  Service.chain(100, from + count)
    .slice(from)
    .map((facts, i) =>
      Made.full({ ...facts, closeTime: 1_700_000_000 + (from + i) * hoursApart * secondsPerHour })
    )

/** The window's sums of a corridor, out of the ledgers. */
const expected = (ledgers: ReadonlyArray<LedgerDetails>, window: Window.Window) => {
  const now = ledgers.at(-1)!.facts.closeTime
  const sums: Record<string, { success: number; failed: number; self: number; volume: bigint }> = {}
  for (const { corridors, facts } of ledgers) {
    if (Window.hourOf(facts.closeTime) < Window.firstHour(window, now)) continue
    for (const one of corridors) {
      const sum = (sums[`${one.srcAsset}~${one.dstAsset}`] ??= { success: 0, failed: 0, self: 0, volume: 0n })
      sum.success += one.success
      sum.failed += one.failedOwn
      sum.self += one.selfSuccess + one.selfFailed
      sum.volume += one.srcVolume
    }
  }
  return sums
}

const stored = (database: Database.Shape, window: Window.Window) =>
  Effect.map(
    database.read<{
      src: string
      dst: string
      success: number
      failed: number
      attempts: number
      self: number
      hi: number
      lo: number
      score: number | null
      rate: number | null
    }>`SELECT source.name AS src, destination.name AS dst, success, failed_own AS failed, attempts, self_success + self_failed AS self,
        src_volume_hi AS hi, src_volume_lo AS lo, score, success_rate AS rate
      FROM corridor_window JOIN asset AS source ON source.id = src_asset JOIN asset AS destination ON destination.id = dst_asset
      WHERE window_seconds = ${Window.hours[window] * secondsPerHour}`,
    (rows) => {
      for (const { attempts, failed, rate, score, success } of rows) {
        assert.strictEqual(attempts, success + failed)
        assert.strictEqual(score, SuccessRate.score({ success, failed }))
        assert.strictEqual(rate, SuccessRate.rate({ success, failed }))
      }
      return Object.fromEntries(
        rows.map(({ dst, failed, hi, lo, self, src, success }) => [
          `${src}~${dst}`,
          { success, failed, self, volume: WideSum.join(hi, lo) }
        ])
      )
    }
  )

describe("corridors", () => {
  it.scoped("have the sums of each window, at first and as hours come and go", () =>
    Effect.gen(function* () {
      const { database, store, sync } = yield* fresh
      const ledgers = spread(40, 7)
      for (const [i, ledger] of ledgers.entries()) {
        yield* store.commit(ledger)
        if (i % 4 !== 0 && i !== ledgers.length - 1) continue
        yield* sync
        for (const window of Window.all) {
          assert.deepStrictEqual(
            yield* stored(database, window),
            expected(ledgers.slice(0, i + 1), window),
            window
          )
        }
      }
    })
  )

  it.scoped("have the same sums when another process goes on, or one comes back after a month", () =>
    Effect.gen(function* () {
      const { again, database, store, sync } = yield* fresh
      const ledgers = [...spread(10, 5), ...spread(3, 400, 10)]
      for (const ledger of ledgers.slice(0, 10)) yield* store.commit(ledger)
      yield* sync
      for (const ledger of ledgers.slice(10)) yield* store.commit(ledger)
      yield* sync
      for (const window of Window.all) {
        assert.deepStrictEqual(yield* stored(database, window), expected(ledgers, window), window)
      }
      yield* yield* again
      for (const window of Window.all) {
        assert.deepStrictEqual(yield* stored(database, window), expected(ledgers, window), window)
      }
    })
  )

  it.scoped("say once when they get worse, and once when they are well again", () =>
    Effect.gen(function* () {
      const { again, database, outbox, store, sync } = yield* fresh
      const facts = Service.chain(100, 5)
      const ledger = (i: number, hours: number, success: number, failedOwn: number): LedgerDetails => ({
        ...Made.bare({ ...facts[i]!, closeTime: 1_700_000_000 + hours * secondsPerHour }),
        corridors: [
          {
            srcAsset: "native",
            dstAsset: Made.asset(1),
            success,
            failedOwn,
            rolledBack: 0,
            noOpResult: 0,
            selfSuccess: 0,
            selfFailed: 0,
            srcVolume: 1n,
            dstVolume: 1n,
            selfSrcVolume: 0n,
            selfDstVolume: 0n
          }
        ]
      })
      // Asset numbers are given to what ledgers name in payments, trustlines or corridors.
      yield* store.commit(ledger(0, 0, 1000, 0))
      yield* sync
      yield* store.commit(ledger(1, 3, 50, 50))
      yield* sync
      yield* yield* again
      yield* store.commit(ledger(2, 5, 100, 0))
      yield* sync
      yield* sync
      const events = (yield* outbox.readAfter(0, 1000)).filter(({ kind }) => kind === "health_alert")
      assert.deepStrictEqual(
        events.map(({ ledger: of, payload }) => [of, payload.from, payload.to, payload.attempts1h]),
        [
          [101, "healthy", "critical", 100],
          [102, "critical", "healthy", 100]
        ]
      )
      assert.strictEqual(events[0]?.key, `corridor:native~${Made.asset(1)}`)
      const [mark] = yield* database.read`SELECT ledger FROM task_watermark WHERE task = ${MetricsSync.name}`
      assert.deepStrictEqual(mark, { ledger: 102 })
    })
  )
})

describe("anchors", () => {
  const anchor = {
    id: "one",
    name: "One",
    homeDomain: null,
    accounts: [Made.account(1), Made.account(2)],
    assets: [Made.asset(3)]
  }

  /** Counted once more, straight from the payments. */
  const counted = (ledgers: ReadonlyArray<LedgerDetails>, window: Window.Window) => {
    const counts = { success: 0, failedOwn: 0, rolledBack: 0, deposits: 0, withdrawals: 0 }
    const now = ledgers.at(-1)!.facts.closeTime
    const issuer = Made.asset(3).split(":")[1]!
    for (const { facts, failures, payments } of ledgers) {
      if (Window.hourOf(facts.closeTime) < Window.firstHour(window, now)) continue
      for (const attempt of [...payments.filter(({ kind }) => kind !== "accountMerge"), ...failures]) {
        const { dstAsset, from, self, srcAsset, to } = attempt
        const moves = srcAsset === Made.asset(3) || dstAsset === Made.asset(3)
        const ours = (account: string) => anchor.accounts.includes(account) || (account === issuer && moves)
        const outcome = "outcome" in attempt ? attempt.outcome : "success"
        if (self || outcome === "noOpResult" || !(ours(from) || ours(to))) continue
        counts[outcome] += 1
        if (outcome !== "success") continue
        if (ours(from) && !ours(to)) counts.deposits += 1
        if (ours(to) && !ours(from)) counts.withdrawals += 1
      }
    }
    return counts
  }

  const read = (database: Database.Shape, window: Window.Window) =>
    Effect.map(
      database.read<
        ReturnType<typeof counted>
      >`SELECT success, failed_own AS "failedOwn", rolled_back AS "rolledBack", deposits, withdrawals
        FROM anchor_window WHERE anchor = 'one' AND window_seconds = ${Window.hours[window] * secondsPerHour}`,
      ([row]) => row
    )

  it.scoped("have the attempts of their accounts and assets, whenever they are described", () =>
    Effect.gen(function* () {
      const { anchors, database, store, sync } = yield* fresh
      const ledgers = spread(30, 9)
      for (const ledger of ledgers.slice(0, 20)) yield* store.commit(ledger)
      yield* sync
      yield* anchors.put({ ...anchor, accounts: [Made.account(7)] })
      yield* sync
      yield* anchors.put(anchor)
      for (const ledger of ledgers.slice(20)) {
        yield* store.commit(ledger)
        yield* sync
      }
      for (const window of Window.all) {
        assert.deepStrictEqual(yield* read(database, window), counted(ledgers, window), window)
      }
      const { success } = counted(ledgers, "30d")
      assert.isAbove(success, 20, "the test counts something")
    })
  )

  it.scoped("keep a history by the hour, and tell of a change of their status", () =>
    Effect.gen(function* () {
      const { anchors, database, outbox, store, sync } = yield* fresh
      yield* anchors.put(anchor)
      for (const ledger of spread(30, 1)) {
        yield* store.commit(ledger)
        yield* sync
      }
      const history = yield* database.read<{
        bucket: number
        status: string
      }>`SELECT bucket, status FROM anchor_history ORDER BY bucket`
      assert.strictEqual(history.length, 30)
      assert.strictEqual(history[0]!.status, "unknown")
      const last = history.at(-1)!.status
      assert.notStrictEqual(last, "unknown")
      const changes = (yield* outbox.readAfter(0, 10_000)).filter(({ kind }) => kind === "anchor_update")
      assert.strictEqual(changes.at(-1)?.payload.to, last)
      yield* anchors.remove("one")
      yield* sync
      assert.deepStrictEqual(yield* database.read`SELECT * FROM anchor_history`, [])
    })
  )
})
