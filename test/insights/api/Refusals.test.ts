/** What the API refuses: every parameter of every endpoint, in words that name it, what was given and what is allowed. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Service from "../Service.js"
import * as Serving from "./Serving.js"

const anAsset = "an asset, native or CODE:ISSUER"
const anAccount = "the address of an account, G and 55 more characters"
const aCorridor = "two assets, <source>~<destination>, each native or CODE:ISSUER"
const aWindow = "one of 1h, 24h, 7d, 30d"
const aSort = "one of attempts, successRate, score"
const aShare = "a number from 0 to 1"
const aStatus = "one of pending, delivered, dead"
const aWebhook = "the id of a webhook, wh_ and 24 hexadecimal digits"
const aPool = "64 hexadecimal digits in lower case"
const aCursor = "what a page gave as next"
const aLimit = "an integer from 1 to 200"
const rows = "an integer from 1 to 720"
const aSequence = "an integer from 1 to 4294967295"
const anId = "1 to 64 lower case letters, digits and single hyphens between them"

const address = Serving.account(1)
/** One letter is another one, so the checksum does not hold. */
const mistyped = address.slice(0, 20) + (address[20] === "A" ? "B" : "A") + address.slice(21)
const pool = "f".repeat(64)
const webhook = `wh_${"0".repeat(24)}`
const cursor = (json: string) => Encoding.encodeBase64Url(json)

const cursors = [
  "x",
  "-",
  "%00",
  cursor("[]"),
  cursor("{}"),
  cursor('["a"]'),
  cursor("[null,1,1]"),
  cursor("[1,2,3,4]"),
  cursor(`["${2n ** 63n}"]`),
  cursor('["-1"]'),
  cursor(`[${"9".repeat(400)}]`),
  cursor("[1e999,1,1]"),
  cursor("[1.5,1.5,1]")
]
const assets = [
  "",
  "XLM",
  "NATIVE",
  "USD",
  "USD:",
  `:${address}`,
  `USD:${mistyped}`,
  `USD:${address}:1`,
  `U$D:${address}`
]
const accounts = ["", "G", mistyped, address.toLowerCase(), `S${address.slice(1)}`, `M${address.slice(1)}`]
const corridors = [
  "native",
  "~",
  "native~",
  "native~USD",
  `native~native~native`,
  `native>native`,
  `USD:${mistyped}~native`
]
const limits = ["0", "201", "-1", "1.5", "ten", "", " 1", "99999999999"]

type Case = readonly [path: string, parameter: string, allowed: string, values: ReadonlyArray<string>]
const inQuery: ReadonlyArray<Case> = [
  ["/api/network", "window", aWindow, ["", "1d", "24H", "24 h"]],
  ["/api/fee-bumps/stats", "window", aWindow, ["2h"]],
  ["/api/corridors", "window", aWindow, ["1", "1w"]],
  ["/api/corridors", "source", anAsset, assets],
  ["/api/corridors", "destination", anAsset, assets],
  ["/api/corridors", "minAttempts", "an integer from 0 to 1000000000", ["-1", "1000000001", "1e3", ""]],
  ["/api/corridors", "minSuccessRate", aShare, ["", "-0.1", "1.1", "2", "0,5", ".5", "1e-1", "NaN", "50%25"]],
  ["/api/corridors", "maxSuccessRate", aShare, ["-1", "1.0001", "Infinity"]],
  ["/api/corridors", "sort", aSort, ["", "volume", "attempts desc", "success_rate"]],
  ["/api/corridors", "cursor", aCursor, cursors],
  ["/api/corridors", "limit", aLimit, limits],
  ["/api/corridors/native~native", "hours", rows, ["0", "721", "x"]],
  ["/api/anchors/one", "hours", rows, ["0", "721", "x"]],
  ["/api/payments", "account", anAccount, accounts],
  ["/api/payments", "asset", anAsset, assets],
  ["/api/payments", "corridor", aCorridor, corridors],
  ["/api/payments", "ledger", aSequence, ["0", "-1", "4294967296", "latest"]],
  ["/api/payments", "cursor", aCursor, [...cursors, cursor("[1]"), cursor("[1,1,1]")]],
  ["/api/payments", "limit", aLimit, limits],
  ["/api/account-merges", "account", anAccount, accounts],
  ["/api/account-merges", "cursor", aCursor, cursors],
  ["/api/account-merges", "limit", aLimit, limits],
  ["/api/liquidity-pools", "asset", anAsset, assets],
  ["/api/liquidity-pools", "cursor", aCursor, cursors.filter((one) => one !== cursor('["-1"]'))],
  ["/api/liquidity-pools", "limit", aLimit, limits],
  [`/api/liquidity-pools/${pool}/snapshots`, "cursor", aCursor, cursors],
  [`/api/liquidity-pools/${pool}/snapshots`, "limit", aLimit, limits],
  ["/api/trustlines/native", "limit", rows, ["0", "721", "x"]],
  [`/api/webhooks/${webhook}/deliveries`, "status", aStatus, ["", "done", "Pending"]],
  [`/api/webhooks/${webhook}/deliveries`, "cursor", aCursor, cursors],
  [`/api/webhooks/${webhook}/deliveries`, "limit", aLimit, limits]
]
const inPath: ReadonlyArray<Case> = [
  ["/api/corridors/", "corridor", aCorridor, corridors.filter((one) => one !== "")],
  ["/api/liquidity-pools/", "id", aPool, ["1", pool.toUpperCase(), `${pool}f`, "g".repeat(64)]],
  ["/api/trustlines/", "asset", anAsset, assets.filter((one) => one !== "")],
  ["/api/anchors/", "id", anId, ["A", "a--b", "-a", "a_b", "a".repeat(65), "%20"]],
  ["/api/webhooks/", "id", aWebhook, ["wh_", webhook.slice(1), `${webhook}0`, webhook.toUpperCase(), "%20"]]
]

const refused = (answer: Service.Answer, parameter: string, allowed: string, what: string) => {
  const { headers, json, status } = answer
  assert.strictEqual(status, 400, what)
  assert.strictEqual(headers.get("content-type"), "application/problem+json")
  assert.strictEqual(json.title, "Bad Request")
  assert.deepStrictEqual(
    json.errors.map((error: Service.Json) => error.parameter),
    [parameter],
    what
  )
  assert.include(json.errors[0].allowed, `must be ${allowed}`, what)
  assert.include(json.detail, parameter, what)
  assert.isBelow(json.detail.length, 1000, what)
}

describe("parameters", () => {
  it.scoped("that are wrong are refused, each by its name and with what is allowed", () =>
    Effect.gen(function* () {
      const { ask: anybody } = yield* Serving.make()
      // Some are for those who have a key.
      const headers = { authorization: `Bearer ${Service.key}` }
      const ask = (path: string) => anybody(path, { headers })
      for (const [path, parameter, allowed, values] of inQuery) {
        for (const value of values) {
          const what = `${path}?${parameter}=${value}`
          refused(yield* ask(what), parameter, allowed, what)
        }
        const twice = `${path}?${parameter}=a&${parameter}=b`
        refused(yield* ask(twice), parameter, allowed, twice)
        const long = `${path}?${parameter}=${"x".repeat(5000)}`
        const { json, status } = yield* ask(long)
        assert.strictEqual(status, 400)
        assert.include(json.errors[0].allowed, "…")
      }
      for (const [path, parameter, allowed, values] of inPath) {
        for (const value of values) refused(yield* ask(path + value), parameter, allowed, path + value)
      }
    })
  )

  it.scoped("that are wrong together are all named", () =>
    Effect.gen(function* () {
      const { ask } = yield* Serving.make()
      const { json, status } = yield* ask("/api/corridors?window=2h&limit=0&sort=x&source=y")
      assert.strictEqual(status, 400)
      const names = json.errors.map(({ parameter }: Service.Json) => parameter)
      assert.sameMembers(names, ["window", "limit", "sort", "source"])
    })
  )

  it.scoped("of payments exclude each other, and the refusal says which", () =>
    Effect.gen(function* () {
      const { ask } = yield* Serving.make()
      const filters = { account: address, asset: "native", corridor: "native~native", ledger: "7" }
      const names = Object.keys(filters) as ReadonlyArray<keyof typeof filters>
      for (const [i, one] of names.entries()) {
        assert.strictEqual((yield* ask(`/api/payments?${one}=${filters[one]}`)).status, 200)
        for (const two of names.slice(i + 1)) {
          const query = `${two}=${filters[two]}&${one}=${filters[one]}`
          const { json, status } = yield* ask(`/api/payments?${query}`)
          assert.strictEqual(status, 400, query)
          assert.strictEqual(json.errors[0].parameter, two)
          assert.strictEqual(
            json.errors[0].allowed,
            `cannot be combined with ${one}: give one of account, asset, corridor, ledger`
          )
        }
      }
    })
  )
})

describe("the description", () => {
  it.scoped("describes each parameter, in query and path, each field of a body, and what may be wrong", () =>
    Effect.gen(function* () {
      const { ask } = yield* Serving.make()
      const { json } = yield* ask("/openapi.json")
      const described = new Set<string>()
      for (const [path, operations] of Object.entries<Service.Json>(json.paths)) {
        for (const [method, operation] of Object.entries<Service.Json>(operations)) {
          assert.isString(operation.summary, `${method} ${path}`)
          for (const { in: place, name, schema } of operation.parameters) {
            assert.isString(schema.description, `${method} ${path}: ${name}`)
            if (place === "query") described.add(`${path} ${name}`)
          }
        }
      }
      for (const [path, parameter] of inQuery) {
        const template = path
          .replace("native~native", "{corridor}")
          .replace(pool, "{id}")
          .replace(webhook, "{id}")
          .replace("anchors/one", "anchors/{id}")
          .replace("trustlines/native", "trustlines/{asset}")
        assert.isTrue(described.delete(`${template} ${parameter}`), `${template} ${parameter}`)
      }
      // Those of ledgers and events have tests of their own.
      const others = [...described].filter((one) => !/^\/api\/(ledgers|events)/.test(one))
      assert.deepStrictEqual(others, [], "parameters that are tested nowhere")

      const put = json.paths["/api/anchors/{id}"].put
      assert.sameMembers(Object.keys(put.responses), [
        "200",
        "201",
        "400",
        "401",
        "403",
        "413",
        "415",
        "429",
        "503"
      ])
      const reference = put.requestBody.content["application/json"].schema.$ref.split("/").at(-1)
      const { properties, required } = json.components.schemas[reference]
      assert.deepStrictEqual(required, ["name"])
      for (const name of ["name", "homeDomain", "accounts", "assets"]) {
        assert.isString(properties[name].description, name)
      }
    })
  )
})
