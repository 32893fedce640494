/** What the API says of corridors, against sums over the ledgers themselves. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as SuccessRate from "../../../src/insights/analytics/SuccessRate.js"
import * as Window from "../../../src/insights/analytics/Window.js"
import type { LedgerDetails } from "../../../src/stellar/facts/LedgerDetails.js"
import type * as Service from "../Service.js"
import * as Serving from "./Serving.js"

const nothing = { success: 0, failed: 0, rolledBack: 0, rejected: 0, selfSuccess: 0, selfFailed: 0 }

/** What the API is to say of each corridor, by its name, out of the ledgers of some hours. */
const counted = (ledgers: ReadonlyArray<LedgerDetails>, since = 0) => {
  const sums = new Map<string, typeof nothing & { sourceVolume: bigint; destinationVolume: bigint }>()
  for (const { corridors, facts } of ledgers) {
    if (Window.hourOf(facts.closeTime) < since) continue
    for (const one of corridors) {
      const key = `${one.srcAsset}~${one.dstAsset}`
      const sum = sums.get(key) ?? { ...nothing, sourceVolume: 0n, destinationVolume: 0n }
      sums.set(key, {
        success: sum.success + one.success,
        failed: sum.failed + one.failedOwn,
        rolledBack: sum.rolledBack + one.rolledBack,
        rejected: sum.rejected + one.noOpResult,
        selfSuccess: sum.selfSuccess + one.selfSuccess,
        selfFailed: sum.selfFailed + one.selfFailed,
        sourceVolume: sum.sourceVolume + one.srcVolume,
        destinationVolume: sum.destinationVolume + one.dstVolume
      })
    }
  }
  return new Map(
    Array.from(sums, ([key, { destinationVolume, sourceVolume, ...counts }]) => [
      key,
      { ...counts, sourceVolume: String(sourceVolume), destinationVolume: String(destinationVolume) }
    ])
  )
}

const rated = (counts: typeof nothing) => ({
  attempts: counts.success + counts.failed,
  successRate: SuccessRate.rate(counts),
  score: SuccessRate.score(counts)
})

const over = (ledgers: ReadonlyArray<LedgerDetails>, window: Window.Window) => {
  const { closeTime, sequence } = ledgers.at(-1)!.facts
  const sums = counted(ledgers, Window.firstHour(window, closeTime))
  return new Map(
    Array.from(sums, ([key, counts]) => [key, { ...counts, ...rated(counts), asOfLedger: sequence }])
  )
}

const keyOf = ({ destination, source }: Service.Json) => `${source}~${destination}`
const byKey = (corridors: ReadonlyArray<Service.Json>) =>
  new Map(
    corridors.map(({ destination, source, status: _status, ...figures }) => [
      `${source}~${destination}`,
      figures
    ])
  )

const ledgers = Serving.ledgers(30)
const serving = Effect.gen(function* () {
  const made = yield* Serving.make()
  yield* Effect.forEach(ledgers, made.store.commit)
  yield* made.sync
  return made
})

describe("a list of corridors", () => {
  it.scoped("has the sums of each window, 24 hours unless another is asked for", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving
      for (const window of Window.all) {
        const { json } = yield* ask(`/api/corridors?window=${window}&limit=200`)
        assert.deepStrictEqual(byKey(json.corridors), over(ledgers, window), window)
        assert.isNull(json.next)
      }
      const { json } = yield* ask("/api/corridors?limit=200")
      assert.deepStrictEqual(byKey(json.corridors), over(ledgers, "24h"))
      assert.lengthOf((yield* ask("/api/corridors")).json.corridors, 20)
    })
  )

  it.scoped("is ordered by each figure, goes on without a gap, and leaves out who has no such figure", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving
      for (const window of Window.all) {
        const expected = over(ledgers, window)
        for (const sort of ["attempts", "successRate", "score"] as const) {
          const with_ = [...expected].filter(([, figures]) => figures[sort] !== null)
          for (const limit of [1, 7, 200]) {
            if (limit === 1 && window !== "1h") continue
            const path = `/api/corridors?window=${window}&sort=${sort}&limit=${limit}`
            const { found, pages } = yield* Serving.walk(ask, path, "corridors")
            assert.deepStrictEqual(byKey(found), new Map(with_), path)
            assert.strictEqual(found.length, with_.length, `${path}: each once`)
            assert.strictEqual(pages, Math.max(1, Math.ceil(with_.length / limit)))
            for (const [i, corridor] of found.entries()) {
              if (i > 0) assert.isTrue(found[i - 1][sort] >= corridor[sort], `${path}: descending`)
            }
          }
        }
      }
    })
  )

  it.scoped(
    "is the same, however far its reader has come, while ledgers come in and are not yet scored",
    () =>
      Effect.gen(function* () {
        const { ask, store } = yield* serving
        const more = Serving.ledgers(40, { from: 30 }).values()
        const path = "/api/corridors?window=30d&limit=9"
        const { found } = yield* Serving.walk(
          ask,
          path,
          "corridors",
          Effect.suspend(() => {
            const next = more.next()
            return next.done === true ? Effect.void : store.commit(next.value)
          })
        )
        assert.deepStrictEqual(byKey(found), over(ledgers, "30d"))
        assert.strictEqual(new Set(found.map(keyOf)).size, found.length)
      })
  )

  it.scoped("is filtered by asset, attempts and rate, each alone and all together", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving
      const expected = over(ledgers, "30d")
      const [one, two] = [Serving.asset(2), Serving.asset(5)]
      const rates = [...expected.values()].flatMap(({ successRate }) => successRate ?? []).sort()
      const [low, high] = [rates[10]!.toFixed(4), rates.at(-10)!.toFixed(4)]
      const source = [`source=${one}`, (key: string) => key.startsWith(`${one}~`)] as const
      const native = ["source=native", (key: string) => key.startsWith("native~")] as const
      const destination = [`destination=${two}`, (key: string) => key.endsWith(`~${two}`)] as const
      type Figures = typeof expected extends Map<string, infer A> ? A : never
      type Filter = readonly [query: string, keeps: (key: string, figures: Figures) => boolean]
      const attempts: Filter = ["minAttempts=5", (_, figures) => figures.attempts >= 5]
      const none: Filter = ["minAttempts=0", () => true]
      const least: Filter = [
        `minSuccessRate=${low}`,
        (_, { successRate }) => successRate !== null && successRate >= Number(low)
      ]
      const most: Filter = [
        `maxSuccessRate=${high}`,
        (_, { successRate }) => successRate !== null && successRate <= Number(high)
      ]
      const nobody: Filter = [`source=${Serving.asset(77)}`, () => false]
      const sets: ReadonlyArray<ReadonlyArray<Filter>> = [
        [source],
        [native],
        [destination],
        [attempts],
        [none],
        [least],
        [most],
        [nobody],
        [source, destination],
        [least, most],
        [attempts, least],
        [native, attempts, least, most]
      ]
      for (const set of sets) {
        for (const sort of ["attempts", "successRate", "score"] as const) {
          const path = `/api/corridors?window=30d&sort=${sort}&limit=5&${set.map(([query]) => query).join("&")}`
          const { found } = yield* Serving.walk(ask, path, "corridors")
          const kept = [...expected].filter(
            ([key, figures]) => figures[sort] !== null && set.every(([, keeps]) => keeps(key, figures))
          )
          assert.deepStrictEqual(byKey(found), new Map(kept), path)
          if (set[0] !== nobody && sort === "attempts" && set.length === 1)
            assert.isAbove(kept.length, 0, path)
        }
      }
    })
  )

  it.scoped("says the same status for a corridor in every window", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving
      const day = over(ledgers, "24h")
      for (const corridor of (yield* ask("/api/corridors?window=30d&limit=200")).json.corridors) {
        const figures = day.get(keyOf(corridor))
        if (figures === undefined || figures.score === null) assert.strictEqual(corridor.status, "unknown")
        else assert.notStrictEqual(corridor.status, "unknown")
      }
    })
  )

  it.scoped("is empty before the first sync, and carries the sync in its tag", () =>
    Effect.gen(function* () {
      const { ask, store, sync } = yield* Serving.make()
      assert.deepStrictEqual((yield* ask("/api/corridors")).json, { corridors: [], next: null })
      yield* store.commit(ledgers[0]!)
      assert.deepStrictEqual((yield* ask("/api/corridors")).json, { corridors: [], next: null })
      yield* sync
      assert.isAbove((yield* ask("/api/corridors")).json.corridors.length, 0)
    })
  )
})

describe("one corridor", () => {
  it.scoped("has every window, and hours from the newest", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving
      for (const [key, { attempts: _attempts, ...whole }] of over(ledgers, "30d")) {
        const { json, status } = yield* ask(`/api/corridors/${key}`)
        assert.strictEqual(status, 200)
        assert.strictEqual(`${json.source}~${json.destination}`, key)
        for (const window of Window.all) {
          assert.deepStrictEqual(json.windows[window], over(ledgers, window).get(key) ?? null, window)
        }
        const hours = [...new Set(ledgers.map(({ facts }) => Window.hourOf(facts.closeTime)))].toReversed()
        const expected = hours.flatMap((hour) => {
          const counts = counted(ledgers.filter(({ facts }) => Window.hourOf(facts.closeTime) === hour)).get(
            key
          )
          return counts === undefined ? [] : [{ hour, ...counts }]
        })
        assert.deepStrictEqual(json.history, expected)
        assert.strictEqual(
          Serving.sum(expected, ({ success }) => success),
          whole.success
        )
        const short = yield* ask(`/api/corridors/${key}?hours=2`)
        assert.deepStrictEqual(short.json.history, expected.slice(0, 2))
      }
    })
  )

  it.scoped("is there from its first ledger on, its windows from the sync after it", () =>
    Effect.gen(function* () {
      const { ask, store, sync } = yield* Serving.make()
      const [key] = counted(ledgers.slice(0, 1)).keys()
      assert.strictEqual((yield* ask(`/api/corridors/${key}`)).status, 404)
      yield* store.commit(ledgers[0]!)
      const before = yield* ask(`/api/corridors/${key}`)
      assert.deepStrictEqual(before.json.windows, { "1h": null, "24h": null, "7d": null, "30d": null })
      assert.strictEqual(before.json.status, "unknown")
      assert.lengthOf(before.json.history, 1)
      yield* sync
      const after = yield* ask(`/api/corridors/${key}`)
      assert.deepStrictEqual(after.json.windows["1h"], over(ledgers.slice(0, 1), "1h").get(key!))
      assert.notStrictEqual(before.headers.get("etag"), after.headers.get("etag"))
    })
  )

  it.scoped("is not there: 404 names both assets", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving
      const { json, status } = yield* ask(`/api/corridors/native~${Serving.asset(77)}`)
      assert.strictEqual(status, 404)
      assert.strictEqual(json.detail, `no payment from native to ${Serving.asset(77)} was ever tried`)
    })
  )
})
