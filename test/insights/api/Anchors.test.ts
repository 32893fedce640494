/** Anchors through the API: who may change them, what is refused, and that nobody is told of what was. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Window from "../../../src/insights/analytics/Window.js"
import * as Made from "../Made.js"
import * as Service from "../Service.js"
import * as Serving from "./Serving.js"

const key = Service.key
const bearer = { authorization: `Bearer ${key}` }
const put = (ask: Service.Ask, id: string, body: unknown, headers: Record<string, string> = bearer) =>
  ask(`/api/anchors/${id}`, {
    method: "PUT",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body)
  })
const remove = (ask: Service.Ask, id: string, headers: Record<string, string> = bearer) =>
  ask(`/api/anchors/${id}`, { method: "DELETE", headers })

const one = {
  name: "One",
  homeDomain: "one.example.com",
  accounts: [Serving.account(1), Serving.account(2)].sort(),
  assets: [Serving.asset(3)]
}

describe("who may change anchors", () => {
  it.scoped("nobody, where no key is configured: 403 says how to allow it", () =>
    Effect.gen(function* () {
      const { ask } = yield* Serving.make([])
      for (const headers of [{}, bearer]) {
        for (const answer of [yield* put(ask, "one", one, headers), yield* remove(ask, "one", headers)]) {
          assert.strictEqual(answer.status, 403)
          assert.strictEqual(
            answer.json.detail,
            "changes are switched off here: set ADMIN_KEYS to allow them"
          )
        }
      }
      assert.deepStrictEqual((yield* ask("/api/anchors")).json, { anchors: [] })
    })
  )

  it.scoped("who has one of the keys; others are challenged before their request is looked at", () =>
    Effect.gen(function* () {
      const { ask } = yield* Serving.make(["the-first-key-of-two", "the-second-key-of-two"])
      const refusals: ReadonlyArray<readonly [Record<string, string>, string]> = [
        [{}, "Bearer"],
        [{ authorization: "Basic dXNlcjpwYXNz" }, "Bearer"],
        [{ authorization: "Bearer wrong" }, 'Bearer error="invalid_token"'],
        [{ authorization: "Bearer the-first-key-of-tw" }, 'Bearer error="invalid_token"'],
        [{ authorization: "Bearer the-first-key-of-two," }, 'Bearer error="invalid_token"']
      ]
      for (const [headers, challenge] of refusals) {
        const answers = [
          yield* put(ask, "one", one, headers),
          yield* put(ask, "one", "{ no json", headers),
          yield* remove(ask, "one", headers)
        ]
        for (const answer of answers) {
          assert.strictEqual(answer.status, 401, JSON.stringify(headers))
          assert.match(answer.headers.get("www-authenticate")!, /^Bearer/)
          assert.strictEqual(answer.headers.get("content-type"), "application/problem+json")
          if (headers["authorization"]?.startsWith("Bearer") === true) {
            assert.strictEqual(answer.headers.get("www-authenticate"), challenge)
          }
        }
      }
      for (const valid of ["the-first-key-of-two", "the-second-key-of-two"]) {
        const answer = yield* put(ask, "one", one, { authorization: `Bearer ${valid}` })
        assert.include([200, 201], answer.status)
      }
      const anybody = yield* ask("/api/anchors/one")
      assert.strictEqual(anybody.status, 200)
    })
  )
})

describe("an anchor", () => {
  it.scoped("is put, put again, given and removed", () =>
    Effect.gen(function* () {
      const { ask } = yield* Serving.make()
      const created = yield* put(ask, "one", one)
      assert.strictEqual(created.status, 201)
      assert.deepStrictEqual(created.json, { id: "one", ...one })
      const again = yield* put(ask, "one", {
        name: "Uno",
        accounts: [...one.accounts, ...one.accounts].toReversed()
      })
      assert.strictEqual(again.status, 200)
      const uno = { id: "one", name: "Uno", homeDomain: null, accounts: one.accounts, assets: [] }
      assert.deepStrictEqual(again.json, uno, "what is answered is what is stored: each once, in order")
      const given = yield* ask("/api/anchors/one")
      assert.deepStrictEqual(given.json, {
        ...uno,
        reliability: null,
        status: "unknown",
        windows: { "1h": null, "24h": null, "7d": null, "30d": null },
        history: []
      })
      yield* put(ask, "another-1", { name: "x".repeat(100) })
      assert.deepStrictEqual(
        (yield* ask("/api/anchors")).json.anchors.map(({ id, status }: Service.Json) => [id, status]),
        [
          ["another-1", "unknown"],
          ["one", "unknown"]
        ]
      )
      const gone = yield* remove(ask, "one")
      assert.deepStrictEqual([gone.status, gone.text], [204, ""])
      for (const answer of [yield* ask("/api/anchors/one"), yield* remove(ask, "one")]) {
        assert.strictEqual(answer.status, 404)
        assert.strictEqual(answer.json.detail, "there is no anchor one")
      }
    })
  )

  it.scoped("is refused with each fault by its place, and is not changed by that", () =>
    Effect.gen(function* () {
      const { ask } = yield* Serving.make()
      yield* put(ask, "one", one)
      const address = "the address of an account, G and 55 more characters"
      const faults: ReadonlyArray<readonly [body: object, place: string, allowed: string]> = [
        [{ ...one, name: "" }, "name", "must be 1 to 100 characters"],
        [{ ...one, name: "x".repeat(101) }, "name", "must be 1 to 100 characters"],
        [{ ...one, name: 7 }, "name", "must be 1 to 100 characters"],
        [{ accounts: [] }, "name", "missing"],
        [{ ...one, homeDomain: "https://one.example" }, "homeDomain", "must be a domain in lower case"],
        [{ ...one, homeDomain: "One.example" }, "homeDomain", "must be a domain in lower case"],
        [{ ...one, accounts: [one.accounts[0], "G1"] }, "accounts.1", `must be ${address}, not "G1"`],
        [{ ...one, accounts: [null] }, "accounts.0", `must be ${address}, not null`],
        [{ ...one, accounts: one.accounts[0] }, "accounts", "must be a list of at most 1000"],
        [
          { ...one, accounts: Array(1001).fill(one.accounts[0]) },
          "accounts",
          "must be a list of at most 1000"
        ],
        [{ ...one, assets: ["native"] }, "assets.0", 'must be an asset, CODE:ISSUER, not "native"'],
        [{ ...one, assets: ["USD"] }, "assets.0", 'must be an asset, CODE:ISSUER, not "USD"'],
        [{ ...one, home_domain: "one.example" }, "home_domain", "is not known here; known are "]
      ]
      for (const [body, place, allowed] of faults) {
        const { json, status } = yield* put(ask, "one", body)
        const what = `${place}: ${JSON.stringify(json)}`
        assert.strictEqual(status, 400, what)
        assert.strictEqual(json.errors[0].parameter, place, what)
        assert.include(json.errors[0].allowed, allowed, what)
      }
      for (const body of ["", "{ no json", "[]", "null", '"one"', "7"]) {
        const { headers, json, status } = yield* put(ask, "one", body)
        assert.strictEqual(status, 400, `${body}: ${JSON.stringify(json)}`)
        assert.strictEqual(headers.get("content-type"), "application/problem+json")
        assert.isString(json.detail)
        if (body.startsWith("{") || body === "") assert.include(json.detail, "the body is not valid JSON")
        else assert.strictEqual(json.errors[0].parameter, "body")
      }
      const several = yield* put(ask, "one", { name: "", accounts: ["x"], assets: ["y"] })
      assert.deepStrictEqual(
        several.json.errors.map(({ parameter }: Service.Json) => parameter),
        ["name", "accounts.0", "assets.0"]
      )
      const { accounts, assets, homeDomain, name } = (yield* ask("/api/anchors/one")).json
      assert.deepStrictEqual({ accounts, assets, homeDomain, name }, one)
    })
  )

  it.scoped("is never given as it was: its answers carry no tag and are not remembered", () =>
    Effect.gen(function* () {
      const { ask, store, sync } = yield* Serving.make()
      const ledgers = Serving.ledgers(30, { hoursApart: 1 })
      yield* Effect.forEach(ledgers.slice(0, 29), store.commit)
      yield* sync
      const nothing = yield* ask("/api/anchors/one")
      assert.strictEqual(nothing.status, 404)
      yield* put(ask, "one", one)
      const fresh = yield* ask("/api/anchors/one", { headers: { "if-none-match": "*" } })
      assert.strictEqual(fresh.status, 200)
      assert.isNull(fresh.headers.get("etag"))
      assert.deepStrictEqual((yield* ask("/api/anchors")).json.anchors[0].reliability, null)
      yield* sync
      const scored = (yield* ask("/api/anchors/one")).json
      assert.isNumber(scored.reliability)
      const week = scored.windows["7d"]
      assert.deepStrictEqual(
        { reliability: scored.reliability, status: scored.status },
        { reliability: week.score, status: week.status }
      )
      assert.deepStrictEqual((yield* ask("/api/anchors")).json.anchors[0].reliability, scored.reliability)
      yield* put(ask, "one", { ...one, accounts: [], assets: [] })
      yield* sync
      assert.strictEqual((yield* ask("/api/anchors/one")).json.windows["30d"].success, 0)
      assert.deepStrictEqual((yield* ask("/api/anchors")).json.anchors[0].reliability, null)
    })
  )

  it.scoped("has the payments of its accounts and assets, and a history by the hour", () =>
    Effect.gen(function* () {
      const { ask, store, sync } = yield* Serving.make()
      const ledgers = Serving.ledgers(12, { hoursApart: 20 })
      yield* put(ask, "one", one)
      for (const ledger of ledgers) {
        yield* store.commit(ledger)
        yield* sync
      }
      const [issuedBy] = one.assets.map((asset) => asset.split(":")[1])
      const now = ledgers.at(-1)!.facts.closeTime
      const { json } = yield* ask("/api/anchors/one")
      for (const window of Window.all) {
        const counts = { success: 0, failed: 0, rolledBack: 0, deposits: 0, withdrawals: 0 }
        for (const { facts, failures, payments } of ledgers) {
          if (Window.hourOf(facts.closeTime) < Window.firstHour(window, now)) continue
          for (const attempt of [...payments, ...failures]) {
            if ("kind" in attempt && attempt.kind === "accountMerge") continue
            const moves = one.assets.some((asset) => asset === attempt.srcAsset || asset === attempt.dstAsset)
            const isOurs = (account: string) =>
              one.accounts.includes(account) || (moves && account === issuedBy)
            const [from, to] = [isOurs(attempt.from), isOurs(attempt.to)]
            if (attempt.self || !(from || to)) continue
            const outcome = "outcome" in attempt ? attempt.outcome : "success"
            if (outcome === "noOpResult") continue
            counts[outcome === "failedOwn" ? "failed" : outcome] += 1
            if (outcome === "success" && from !== to) counts[from ? "deposits" : "withdrawals"] += 1
          }
        }
        const { asOfLedger, score: _score, status: _status, ...given } = json.windows[window]
        assert.deepStrictEqual(given, counts, window)
        assert.strictEqual(asOfLedger, ledgers.at(-1)!.facts.sequence)
      }
      assert.deepStrictEqual(
        json.history.map(({ asOfLedger, hour }: Service.Json) => [hour, asOfLedger]),
        ledgers.toReversed().map(({ facts }) => [Window.hourOf(facts.closeTime), facts.sequence])
      )
      assert.deepStrictEqual((yield* ask("/api/anchors/one?hours=3")).json.history, json.history.slice(0, 3))
    })
  )

  it.scoped("has all of its payments, however many pages of them and however long their numbers are", () =>
    Effect.gen(function* () {
      const { ask, store, sync } = yield* Serving.make()
      // From ledger 233 on, a toid has one digit more.
      const ledgers = Service.chain(231, 4).map((facts) =>
        Serving.validated(Made.full(facts, { payments: 900, failures: 0, accounts: 2 }))
      )
      yield* Effect.forEach(ledgers, store.commit)
      yield* put(ask, "one", { name: "One", accounts: [Serving.account(1)] })
      yield* sync
      const paid = ledgers
        .flatMap(({ payments }) => payments)
        .filter(({ kind, self }) => !self && kind !== "accountMerge")
      assert.isAbove(paid.length, 1200)
      assert.strictEqual((yield* ask("/api/anchors/one")).json.windows["30d"].success, paid.length)
    })
  )

  it.live("may be put and removed in the middle of a sync, and the next one has it right", () =>
    Effect.gen(function* () {
      const { ask, store, sync } = yield* Serving.make()
      yield* Effect.forEach(Serving.ledgers(25, { hoursApart: 5 }), store.commit)
      for (let i = 0; i < 8; i++) yield* put(ask, `anchor-${i}`, one)
      const syncing = yield* Effect.fork(sync)
      const answers: Array<number> = []
      for (let i = 0; i < 8; i++) {
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
        answers.push((yield* put(ask, `new-${i}`, one)).status)
        answers.push((yield* put(ask, `anchor-${i}`, { ...one, accounts: [], assets: [] })).status)
        if (i % 2 === 0) answers.push((yield* remove(ask, `anchor-${i}`)).status)
      }
      yield* Fiber.join(syncing)
      assert.deepStrictEqual(new Set(answers), new Set([201, 200, 204]))
      yield* sync
      const { anchors } = (yield* ask("/api/anchors")).json
      assert.strictEqual(anchors.length, 12)
      const sizes = new Set<number>()
      for (const { id } of anchors) {
        const { success } = (yield* ask(`/api/anchors/${id}`)).json.windows["30d"]
        if (id.startsWith("anchor")) assert.strictEqual(success, 0, id)
        else sizes.add(success)
      }
      assert.strictEqual(sizes.size, 1)
    }).pipe(Effect.scoped)
  )
})
