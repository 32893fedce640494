/** Answers that are remembered: their tags change when what they tell of does, and no answer is older than its tag. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { turn } from "../../../src/http/EventLoop.js"
import * as Made from "../Made.js"
import * as Service from "../Service.js"
import * as Serving from "./Serving.js"

const pool = Made.hash(1, "f")
const asset = Serving.asset(1)
type Event = "ledger" | "sync" | "snapshot"

/** Every answer that has a tag, and what its tag follows. */
const tagged: ReadonlyArray<readonly [path: string, follows: ReadonlyArray<Event>]> = [
  ["/api/corridors", ["sync"]],
  ["/api/corridors?window=1h&sort=score", ["sync"]],
  ["/api/corridors/native~native", ["ledger", "sync"]],
  ["/api/payments", ["ledger"]],
  [`/api/payments?asset=${asset}`, ["ledger"]],
  ["/api/account-merges", ["ledger"]],
  ["/api/fee-bumps/stats", ["ledger"]],
  ["/api/liquidity-pools", ["ledger"]],
  [`/api/liquidity-pools/${pool}`, ["ledger", "snapshot"]],
  [`/api/liquidity-pools/${pool}/snapshots`, ["ledger", "snapshot"]],
  [`/api/trustlines/${asset}`, ["ledger", "snapshot"]]
]
const untagged = ["/api/network", "/api/anchors", "/api/tasks"]

const ledgers = Serving.ledgers(30, { hoursApart: 1, contents: { payments: 60, assets: 3, accounts: 9 } })
const etag = ({ headers }: Service.Answer) => headers.get("etag")!

describe("tags", () => {
  it.scoped("follow what the answer is a function of, and nothing else", () =>
    Effect.gen(function* () {
      const { ask, snapshot, store, sync } = yield* Serving.make()
      const more = ledgers.values()
      const commit = Effect.suspend(() => store.commit(more.next().value!))
      const does = { ledger: commit, sync, snapshot }
      yield* commit
      yield* sync
      yield* snapshot
      let count = 0
      const tags = new Map<string, string>()
      const bodies = new Map<string, string>()
      for (const [path] of tagged) {
        const answer = yield* ask(path)
        assert.strictEqual(answer.status, 200, path)
        assert.match(etag(answer), /^W\/"[a-z]+-[0-9a-f]{8}-\d+(-\d+)*"$/)
        assert.strictEqual(answer.headers.get("cache-control"), "no-cache")
        tags.set(path, etag(answer))
        bodies.set(path, answer.text)
      }
      for (const event of [
        "ledger",
        "sync",
        "snapshot",
        "sync",
        "snapshot",
        "ledger",
        "ledger",
        "snapshot",
        "sync"
      ] as const) {
        const before = new Map(tags)
        yield* does[event]
        for (const [path, follows] of tagged) {
          const answer = yield* ask(path)
          const same = etag(answer) === before.get(path)
          // Asked in a way that nobody has asked before, it is made anew.
          const anew = yield* ask(`${path}${path.includes("?") ? "&" : "?"}${(count += 1)}`)
          assert.strictEqual(answer.text, anew.text, `${path} after ${event}: as it is now`)
          if (!follows.includes(event)) assert.isTrue(same, `${path} after ${event}`)
          if (same)
            assert.strictEqual(answer.text, bodies.get(path), `${path}: the same tag, the same answer`)
          // The network's hour goes on with every ledger.
          if (event === "ledger" && follows.includes("ledger")) assert.isFalse(same, path)
          tags.set(path, etag(answer))
          bodies.set(path, answer.text)
        }
      }
      for (const path of untagged) assert.isNull((yield* ask(path)).headers.get("etag"), path)
    })
  )

  it.scoped("spare the body of what has not changed: 304, until it does", () =>
    Effect.gen(function* () {
      const { ask, snapshot, store, sync } = yield* Serving.make()
      yield* store.commit(ledgers[0]!)
      yield* sync
      yield* snapshot
      for (const [path] of tagged) {
        const first = yield* ask(path)
        const tag = etag(first)
        for (const given of [tag, `"x", ${tag}`, tag.slice(2), "*"]) {
          const again = yield* ask(path, { headers: { "if-none-match": given } })
          assert.deepStrictEqual([again.status, again.text, etag(again)], [304, "", tag], `${path} ${given}`)
        }
        for (const given of ['""', '"x"', `${tag}x`, tag.slice(0, -2)]) {
          const again = yield* ask(path, { headers: { "if-none-match": given } })
          assert.strictEqual(again.status, 200, `${path} ${given}`)
          assert.strictEqual(again.text, first.text)
        }
      }
      yield* store.commit(ledgers[1]!)
      yield* sync
      yield* snapshot
      yield* store.commit(ledgers[2]!)
      yield* sync
      yield* snapshot
      for (const [path] of tagged) {
        const now = yield* ask(path, { headers: { "if-none-match": `W/"ledger-00000100-100"` } })
        assert.strictEqual(now.status, 200, path)
      }
    })
  )

  it.scoped("are those of one database: the same ledgers from elsewhere on have others", () =>
    Effect.gen(function* () {
      const tags = yield* Effect.forEach([0, 1], (from) =>
        Effect.gen(function* () {
          const { ask, store, sync } = yield* Serving.make()
          yield* Effect.forEach(ledgers.slice(from, 3), store.commit)
          yield* sync
          return [etag(yield* ask("/api/payments")), etag(yield* ask("/api/corridors"))]
        })
      )
      assert.notStrictEqual(tags[0]![0], tags[1]![0])
      assert.notStrictEqual(tags[0]![1], tags[1]![1])
    })
  )

  it.scoped("are not on what is not there, which may be there the next time", () =>
    Effect.gen(function* () {
      const { ask, store } = yield* Serving.make()
      for (const path of [
        "/api/corridors/native~native",
        `/api/trustlines/${asset}`,
        `/api/liquidity-pools/${pool}`
      ]) {
        const { headers, status } = yield* ask(path)
        assert.strictEqual(status, 404)
        assert.isNull(headers.get("etag"))
        assert.strictEqual(headers.get("cache-control"), "no-store")
      }
      yield* store.commit(ledgers[0]!)
      assert.strictEqual((yield* ask(`/api/trustlines/${asset}`)).status, 200)
    })
  )

  it.scoped("never come with an older answer while all goes on at once", () =>
    Effect.gen(function* () {
      const { ask, snapshot, store, sync } = yield* Serving.make()
      yield* store.commit(ledgers[0]!)
      const seen = new Map<string, string>()
      let over = false
      const reader = Effect.gen(function* () {
        // Bounded, and with turns for the writer: nothing here waits for anything else.
        for (let round = 0; round < 500 && !over; round++) {
          yield* turn
          for (const [path] of tagged) {
            const answer = yield* ask(path)
            if (answer.status !== 200) continue
            const newest = Number(/-(\d+)[^-]*"$/.exec(etag(answer))?.[1])
            assert.isAtLeast(newest, 0)
            if (path === "/api/payments") {
              const inTag = Number(/-(\d+)"$/.exec(etag(answer))![1])
              assert.isAtLeast(answer.json.payments[0].ledger, inTag, "not older than its tag")
            }
            seen.set(`${path} ${etag(answer)}`, answer.text)
          }
        }
      })
      const writer = Effect.gen(function* () {
        for (const ledger of ledgers.slice(1)) {
          yield* store.commit(ledger)
          yield* Effect.all([sync, snapshot], { concurrency: 2 })
          yield* turn
        }
        over = true
      })
      yield* Effect.all([reader, writer], { concurrency: 2 })
      // Once all is quiet, every answer is what a server says that remembers nothing.
      for (const [path] of tagged) {
        const answer = yield* ask(path)
        const fresh = yield* ask(`${path}${path.includes("?") ? "&" : "?"}unknown=1`)
        assert.strictEqual(answer.text, fresh.text, path)
      }
      assert.isAbove(seen.size, tagged.length * 2)
    })
  )
})

describe("the database's failure", () => {
  it.scoped("is 503 everywhere, without the inside of it", () =>
    Effect.gen(function* () {
      const { ask, database, store } = yield* Serving.make()
      yield* store.commit(ledgers[0]!)
      yield* database.write`ALTER TABLE ingestion_cursor RENAME TO elsewhere`
      yield* database.write`ALTER TABLE network_hour RENAME TO elsewhere_too`
      yield* database.write`ALTER TABLE anchor_asset RENAME TO elsewhere_as_well`
      yield* database.write`ALTER TABLE anchor RENAME TO elsewhere_again`
      for (const path of [
        ...tagged.map(([path]) => path),
        "/api/network",
        "/api/anchors",
        "/api/anchors/one"
      ]) {
        const { headers, status, text } = yield* ask(path)
        assert.strictEqual(status, 503, `${path}: ${text}`)
        assert.isNotNull(headers.get("retry-after"))
        assert.notInclude(text, "elsewhere")
        assert.notInclude(text, "no such table")
      }
    })
  )
})
