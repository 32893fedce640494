/** The API, asked without a socket: what it answers, what it refuses and in which words, and how it waits. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as Database from "../../src/insights/Database.js"
import * as LedgerStore from "../../src/insights/LedgerStore.js"
import * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import * as LeaseBoard from "../../src/lease/LeaseBoard.js"
import * as TaskBoard from "../../src/lifecycle/TaskBoard.js"
import * as Made from "./Made.js"
import * as Service from "./Service.js"

/** The API on a store that holds `count` ledgers from 100 on. */
const serving = (count: number) =>
  Effect.gen(function* () {
    const lifecycle = yield* Service.ready
    const context = yield* Effect.flatMap(Service.fresh, (config) =>
      Layer.build(
        Layer.mergeAll(
          Service.storeOn(config),
          LeaseBoard.layer,
          TaskBoard.layer,
          Layer.succeed(Lifecycle.Lifecycle, lifecycle)
        )
      )
    )
    const store = yield* Effect.provide(LedgerStore.LedgerStore, context)
    const database = yield* Effect.provide(Database.Database, context)
    yield* store.claim("a network")
    const ledgers = Service.chain(100, 10)
    yield* Effect.forEach(ledgers.slice(0, count).map(Made.bare), store.commit)
    const ask = yield* Effect.provide(Service.api, context)
    return { ask, database, ledgers, lifecycle, store }
  })

/** Lets the web handler's promises have their turns, which no TestClock moves. */
const turns = Effect.promise(async () => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
})
const later = (fiber: Fiber.RuntimeFiber<Service.Answer>) => Effect.map(turns, () => fiber.unsafePoll())

describe("ledgers", () => {
  it.scoped("are given with amounts as text and both forms of the close time", () =>
    Effect.gen(function* () {
      const { ask, ledgers } = yield* serving(1)
      const { json, status } = yield* ask("/api/ledgers/100")
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(json, {
        sequence: 100,
        hash: ledgers[0]!.hash,
        prevHash: ledgers[0]!.previousHash,
        closeTime: 1_700_000_000,
        closedAt: "2023-11-14T22:13:20.000Z",
        protocol: 23,
        lcmVersion: 2,
        txCount: 3,
        successTx: 2,
        failedTx: 1,
        opCount: 4,
        txSetOpCount: 7,
        totalFeeCharged: "300",
        feePool: "9007199254740993",
        totalCoins: "9223372036854775807",
        baseFee: 100,
        baseReserve: 5_000_000,
        maxTxSetSize: 1000,
        feeBumps: 1,
        sorobanTx: 1
      })
    })
  )

  it.scoped("come in pages that end", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving(10)
      const walk = function* (limit: number) {
        const pages: Array<Array<number>> = []
        for (let path = `/api/ledgers?limit=${limit}`; ;) {
          const { json } = yield* ask(path)
          pages.push(json.ledgers.map(({ sequence }: { sequence: number }) => sequence))
          if (json.next === null) return pages
          path = `/api/ledgers?limit=${limit}&before=${json.next}`
        }
      }
      assert.deepStrictEqual(yield* walk(4), [
        [109, 108, 107, 106],
        [105, 104, 103, 102],
        [101, 100]
      ])
      assert.deepStrictEqual(yield* walk(5), [
        [109, 108, 107, 106, 105],
        [104, 103, 102, 101, 100]
      ])
      assert.lengthOf(yield* walk(200), 1)
    })
  )

  it.scoped("are not there: 404 says what is", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving(2)
      const missing = yield* ask("/api/ledgers/7")
      assert.strictEqual(missing.status, 404)
      assert.strictEqual(missing.headers.get("content-type"), "application/problem+json")
      assert.strictEqual(missing.headers.get("cache-control"), "no-store")
      assert.strictEqual(missing.json.detail, "there is no ledger 7 here: stored are 100 to 101")
      assert.deepStrictEqual(missing.json.range, { first: 100, last: 101 })
      const empty = yield* serving(0)
      const latest = yield* empty.ask("/api/ledgers/latest")
      assert.strictEqual(latest.status, 404)
      assert.strictEqual(latest.json.detail, "there is no latest ledger yet: no ledger has been stored")
      assert.deepStrictEqual((yield* empty.ask("/api/ledgers")).json, { ledgers: [], next: null })
    })
  )

  it.scoped("cannot be read: 503 without the inside of it", () =>
    Effect.gen(function* () {
      const { ask, database } = yield* serving(2)
      yield* database.write`ALTER TABLE ledger RENAME TO elsewhere`
      for (const path of ["", "/latest", "/100", "/next?after=1"]) {
        const { headers, status, text } = yield* ask(`/api/ledgers${path}`)
        assert.strictEqual(status, 503)
        assert.strictEqual(headers.get("retry-after"), "10")
        assert.notInclude(text, "elsewhere")
        assert.notInclude(text, "no such table")
      }
    })
  )
})

describe("bad parameters", () => {
  const cases: ReadonlyArray<readonly [path: string, parameter: string, value: string, allowed: string]> = [
    ["?limit=0", "limit", "0", "an integer from 1 to 200"],
    ["?limit=201", "limit", "201", "an integer from 1 to 200"],
    ["?limit=", "limit", "", "an integer from 1 to 200"],
    ["?limit=ten", "limit", "ten", "an integer from 1 to 200"],
    ["?limit=1.5", "limit", "1.5", "an integer from 1 to 200"],
    ["?limit=-1", "limit", "-1", "an integer from 1 to 200"],
    ["?limit=%201", "limit", " 1", "an integer from 1 to 200"],
    ["?before=0", "before", "0", "an integer from 1 to 4294967295"],
    ["?before=4294967296", "before", "4294967296", "an integer from 1 to 4294967295"],
    ["?before=1e3", "before", "1e3", "an integer from 1 to 4294967295"],
    ["/next?after=x", "after", "x", "an integer from 0 to 4294967295"],
    ["/next?after=1&timeout=61", "timeout", "61", "an integer from 0 to 60"],
    ["/next?after=1&timeout=-1", "timeout", "-1", "an integer from 0 to 60"],
    ["/0", "sequence", "0", "an integer from 1 to 4294967295"],
    ["/newest", "sequence", "newest", "an integer from 1 to 4294967295"],
    ["/99999999999", "sequence", "99999999999", "an integer from 1 to 4294967295"]
  ]
  for (const [path, parameter, value, allowed] of cases) {
    it.scoped(`${path} is a 400 that names ${parameter}, its value and the range`, () =>
      Effect.gen(function* () {
        const { ask } = yield* serving(1)
        const { headers, json, status } = yield* ask(`/api/ledgers${path}`)
        assert.strictEqual(status, 400)
        assert.strictEqual(headers.get("content-type"), "application/problem+json")
        assert.strictEqual(json.status, 400)
        assert.lengthOf(json.errors, 1)
        assert.strictEqual(json.errors[0].parameter, parameter)
        for (const part of [parameter, JSON.stringify(value), allowed]) assert.include(json.detail, part)
      })
    )
  }

  it.scoped("a missing one is named, a repeated one too, and several are all named", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving(1)
      const missing = yield* ask("/api/ledgers/next")
      assert.strictEqual(
        missing.json.detail,
        "after: must be an integer from 0 to 4294967295, and is missing"
      )
      const twice = yield* ask("/api/ledgers?limit=1&limit=2")
      assert.strictEqual(twice.status, 400)
      assert.include(twice.json.detail, `must be an integer from 1 to 200, not ["1","2"]`)
      const long = yield* ask(`/api/ledgers?limit=${"9".repeat(5000)}`)
      assert.strictEqual(long.status, 400)
    })
  )
})

describe("next", () => {
  it.scoped("answers at once with what is in", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving(3)
      assert.strictEqual((yield* ask("/api/ledgers/next?after=100")).json.sequence, 101)
      assert.strictEqual((yield* ask("/api/ledgers/next?after=0&timeout=0")).json.sequence, 100)
    })
  )

  it.scoped("answers every waiting client when the ledger is in", () =>
    Effect.gen(function* () {
      const { ask, ledgers, store } = yield* serving(3)
      const polls = yield* Effect.replicateEffect(Effect.fork(ask("/api/ledgers/next?after=102")), 20)
      for (const poll of polls) assert.isNull(yield* later(poll))
      yield* store.commit(Made.bare(ledgers[3]!))
      for (const poll of polls) assert.strictEqual((yield* Fiber.join(poll)).json.sequence, 103)
    })
  )

  it.scoped("answers 204 at the timeout, not before", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving(3)
      for (const [query, millis] of [
        ["", 30_000],
        ["&timeout=7", 7000]
      ] as const) {
        const poll = yield* Effect.fork(ask(`/api/ledgers/next?after=102${query}`))
        yield* turns
        yield* TestClock.adjust(millis - 1)
        assert.isNull(yield* later(poll))
        yield* TestClock.adjust(1)
        const { status, text } = yield* Fiber.join(poll)
        assert.deepStrictEqual({ status, text }, { status: 204, text: "" })
      }
      assert.strictEqual((yield* ask("/api/ledgers/next?after=102&timeout=0")).status, 204)
    })
  )

  it.scoped("answers 204 when the drain begins, also a poll that comes later, unless the ledger is in", () =>
    Effect.gen(function* () {
      const { ask, lifecycle } = yield* serving(3)
      const poll = yield* Effect.fork(ask("/api/ledgers/next?after=102"))
      yield* turns
      yield* lifecycle.internal.advance("announcing")
      assert.isNull(yield* later(poll))
      yield* lifecycle.internal.advance("draining")
      assert.strictEqual((yield* Fiber.join(poll)).status, 204)
      assert.strictEqual((yield* ask("/api/ledgers/next?after=102")).status, 204)
      assert.strictEqual((yield* ask("/api/ledgers/next?after=101")).json.sequence, 102)
    })
  )

  it.scoped("costs nothing once its client is gone", () =>
    Effect.gen(function* () {
      const { ask, ledgers, store } = yield* serving(3)
      const poll = yield* Effect.fork(ask("/api/ledgers/next?after=102"))
      yield* turns
      yield* Fiber.interrupt(poll)
      assert.strictEqual(yield* store.commit(Made.bare(ledgers[3]!)), "stored")
    })
  )
})

describe("the description", () => {
  it.scoped("has every endpoint, the bounds of every parameter, and problems as problems", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving(0)
      const { json, status } = yield* ask("/openapi.json")
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(Object.keys(json.paths).sort(), [
        "/api/account-merges",
        "/api/anchors",
        "/api/anchors/{id}",
        "/api/broadcast",
        "/api/cache/stats",
        "/api/corridors",
        "/api/corridors/{corridor}",
        "/api/events",
        "/api/fee-bumps/stats",
        "/api/ledgers",
        "/api/ledgers/latest",
        "/api/ledgers/next",
        "/api/ledgers/{sequence}",
        "/api/liquidity-pools",
        "/api/liquidity-pools/{id}",
        "/api/liquidity-pools/{id}/snapshots",
        "/api/network",
        "/api/payments",
        "/api/tasks",
        "/api/trustlines/{asset}",
        "/api/webhooks",
        "/api/webhooks/{id}",
        "/api/webhooks/{id}/deliveries",
        "/api/webhooks/{id}/deliveries/{delivery}/redeliver",
        "/api/webhooks/{id}/secret",
        "/api/webhooks/{id}/test"
      ])
      for (const path of Object.values(json.paths) as ReadonlyArray<Service.Json>) {
        for (const { parameters, responses } of Object.values(path) as ReadonlyArray<Service.Json>) {
          for (const { name, schema } of parameters) {
            assert.isString(schema.description, name)
            if (schema.type !== "integer") continue
            assert.isNumber(schema.minimum, name)
            assert.isNumber(schema.maximum, name)
          }
          for (const [code, { content }] of Object.entries(responses) as ReadonlyArray<Service.Json>) {
            if (Number(code) >= 400)
              assert.deepStrictEqual(Object.keys(content), ["application/problem+json"])
          }
        }
      }
      assert.notInclude(JSON.stringify(json), "HttpApiDecodeError")
      const refs = [...JSON.stringify(json).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
        ([, name]) => name
      )
      for (const name of refs) assert.property(json.components.schemas, name!)
    })
  )

  it.scoped("is shown by a page that loads nothing from elsewhere", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving(0)
      for (let time = 0; time < 2; time++) {
        const { headers, status, text } = yield* ask("/docs")
        assert.strictEqual(status, 200)
        assert.include(headers.get("content-type")!, "text/html")
        assert.match(headers.get("content-security-policy")!, /^default-src 'none'; /)
        assert.include(text, "Stellar Insights")
        assert.notMatch(
          text.replace(/<script>[^]*?<\/script>/g, ""),
          /(?:src|href)\s*=\s*["']?(?:https?:)?\/\//
        )
      }
    })
  )

  it.scoped("has nothing to say of other paths: 404 as a problem", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving(0)
      const { json, status } = yield* ask("/api/nothing")
      assert.strictEqual(status, 404)
      assert.strictEqual(json.status, 404)
    })
  )
})
