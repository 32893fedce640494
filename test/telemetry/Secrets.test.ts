import { assert, describe, it } from "@effect/vitest"
import * as Secrets from "../../src/telemetry/Secrets.js"
import * as TracingScrub from "../../src/telemetry/TracingScrub.js"

const secret = "hunter2hunter2"

describe("a text", () => {
  it.each([
    `connect to redis://user:${secret}@redis:6379/0 failed`,
    `GET https://${secret}@sentry.example.com/1`,
    `Authorization: Bearer ${secret}`,
    `authorization=Basic ${secret}==`,
    `/ws?token=${secret}&channel=ledgers`,
    `https://hooks.example.com/x?api_key=${secret}`,
    `{"password": "${secret}", "name": "x"}`,
    `secret=${secret}, other=1`,
    `signed with whsec_${secret}`,
    `cookie: session=${secret}; theme=dark`,
    `x-api-key: ${secret}`
  ])("loses its secret: %s", (text) => {
    assert.notInclude(Secrets.strip(text), secret)
    assert.include(Secrets.strip(text), Secrets.redacted)
  })

  it("loses the seed of an account and keeps its address", () => {
    const seed = `S${"A".repeat(55)}`
    const address = `G${"A".repeat(55)}`
    assert.strictEqual(Secrets.strip(`from ${seed} to ${address}`), `from ${Secrets.redacted} to ${address}`)
  })

  it.each([
    "SQLITE_BUSY: database is locked",
    "the lake gave 404 for https://lake.example.com/ledgers/FC44--1-64.xdr.zst",
    "at Sender.send (/srv/app/src/webhooks/Sender.ts:100:5)",
    "SELECT sequence FROM ledger WHERE closed_at < ? ORDER BY closed_at DESC"
  ])("without one is kept: %s", (text) => {
    assert.strictEqual(Secrets.strip(text), text)
  })
})

it("a value loses its secrets however deep they are, and what is called like one", () => {
  const stripped = JSON.stringify(
    Secrets.stripAll({
      token: { inner: secret },
      list: [`Bearer ${secret}`, new Error(`redis://a:${secret}@b`)],
      amount: 12n,
      a: { b: { adminKeySecret: secret, count: 1 } }
    })
  )
  assert.notInclude(stripped, secret)
  assert.include(stripped, '"count":1')
  assert.include(stripped, '"amount":"12"')
})

describe("a span", () => {
  const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } })
  const request = {
    name: "http.server GET",
    kind: 2,
    attributes: [
      attribute("http.request.method", "GET"),
      attribute("url.full", `http://localhost/ws?token=${secret}`),
      attribute("url.query", `token=${secret}`),
      attribute("url.path", "/api/ledgers/7"),
      attribute("http.route", "/api/ledgers/:sequence"),
      attribute("http.request.header.x-anything", secret),
      attribute("http.request.header.content-length", "3"),
      attribute("http.response.header.set-cookie", secret),
      attribute("app.token", secret),
      attribute("span.label", "⚠︎ Interrupted"),
      attribute("db.query.text", "x".repeat(5000)),
      { key: "http.response.status_code", value: { intValue: 200 } }
    ],
    events: [{ attributes: [attribute("exception.message", `redis://a:${secret}@b was not reached`)] }],
    status: { code: 2, message: `Bearer ${secret}` }
  }

  it("tells of a request its method, route and path, and neither query nor headers", () => {
    const clean = TracingScrub.clean(request)
    assert.strictEqual(clean.name, "GET /api/ledgers/:sequence")
    assert.deepStrictEqual(
      clean.attributes.map(({ key }) => key),
      [
        "http.request.method",
        "url.path",
        "http.route",
        "http.request.header.content-length",
        "db.query.text",
        "http.response.status_code"
      ]
    )
    assert.notInclude(JSON.stringify(clean), secret)
    assert.isBelow(JSON.stringify(clean).length, 3000)
  })

  it("of a request that was answered with a failure of ours is an error, of one that was not is none", () => {
    const answered = (status: number) => {
      const attributes = [{ key: "http.response.status_code", value: { intValue: status } }]
      return TracingScrub.clean({ ...request, attributes, status: { code: 1 } }).status.code
    }
    assert.deepStrictEqual([200, 404, 429, 500, 503].map(answered), [1, 1, 1, 2, 2])
  })

  it("is called by its method alone where there is no route, and any other span as it was", () => {
    const attributes = request.attributes.filter(({ key }) => key !== "http.route")
    assert.strictEqual(TracingScrub.clean({ ...request, attributes }).name, "GET")
    assert.strictEqual(TracingScrub.clean({ ...request, kind: 1 }).name, request.name)
  })
})
