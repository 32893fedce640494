/**
 * Every route of docs/http-api.md, asked of the service as it is shipped: as documented, without and with a key, too often, malformed, too long, with another method and
 * another media type. Each case has an address of its own, as proxies tell them, so that no limit but the one under test is met.
 */
import * as HttpApi from "@effect/platform/HttpApi"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import * as Http from "node:http"
import { AdminAccess } from "../../src/insights/AdminAccess.js"
import { Api } from "../../src/insights/Api.js"
import * as Child from "../support/Child.js"

const key = "a-key-for-the-tests"
const wrongKey = "not-a-key-for-the-tests"
const perWindow = 6
const maxBody = 1024

interface Route {
  readonly method: string
  readonly path: string
  readonly who: string
  readonly statuses: ReadonlyArray<number>
}

/** The tables of the documentation: those of the API, and what is beside it. */
const documented: ReadonlyArray<Route> = [
  ...readFileSync("docs/http-api.md", "utf8").matchAll(/^\| `([A-Z]+) (\/\S*)` +\| (\w+) +\| ([^|]+)\|$/gm)
].map(([, method = "", path = "", who = "", answers = ""]) => ({
  method,
  path,
  who,
  statuses: [...answers.matchAll(/\b\d{3}\b/g)].map(([status]) => Number(status))
}))

const named = ({ method, path }: { readonly method: string; readonly path: string }) => `${method} ${path}`
const inApi = documented.filter(({ path }) => path.startsWith("/api/"))
const isProbe = ({ path }: Route) => path.startsWith("/health") || path === "/metrics"
const methodsOf = (path: string) =>
  documented.filter((route) => route.path === path).map(({ method }) => method)

const pool = "f".repeat(64)
const asset = "NONE:GA5ZSEJYB37JRC5AVCIA5MOP4RHTM335X2KGX3IHOJAPP5RE34K4KZVN"
const webhook = `wh_${"0".repeat(24)}`

/** How a route is asked well, and what it answers to that, with a key where one is needed. */
const well: Record<string, readonly [path: string, status: number, body?: unknown]> = {
  "GET /api/ledgers": ["/api/ledgers?limit=1", 200],
  "GET /api/ledgers/latest": ["/api/ledgers/latest", 200],
  "GET /api/ledgers/next": ["/api/ledgers/next?after=4294967295&timeout=0", 204],
  "GET /api/ledgers/{sequence}": ["/api/ledgers/4294967295", 404],
  "GET /api/network": ["/api/network", 200],
  "GET /api/fee-bumps/stats": ["/api/fee-bumps/stats", 200],
  "GET /api/corridors": ["/api/corridors", 200],
  "GET /api/corridors/{corridor}": [`/api/corridors/native~${asset}`, 404],
  "GET /api/anchors": ["/api/anchors", 200],
  "GET /api/anchors/{id}": ["/api/anchors/nobody", 404],
  "PUT /api/anchors/{id}": ["/api/anchors/somebody", 201, { name: "Somebody" }],
  "DELETE /api/anchors/{id}": ["/api/anchors/nobody", 404],
  "GET /api/payments": ["/api/payments", 200],
  "GET /api/account-merges": ["/api/account-merges", 200],
  "GET /api/liquidity-pools": ["/api/liquidity-pools", 200],
  "GET /api/liquidity-pools/{id}": [`/api/liquidity-pools/${pool}`, 404],
  "GET /api/liquidity-pools/{id}/snapshots": [`/api/liquidity-pools/${pool}/snapshots`, 404],
  "GET /api/trustlines/{asset}": [`/api/trustlines/${asset}`, 404],
  "GET /api/tasks": ["/api/tasks", 200],
  "GET /api/events": ["/api/events?channels=ledgers", 200],
  "POST /api/broadcast": ["/api/broadcast", 202, { message: "hello" }],
  "GET /api/webhooks": ["/api/webhooks", 200],
  "POST /api/webhooks": ["/api/webhooks", 201, { url: "http://127.0.0.1:9999/", active: false }],
  "GET /api/webhooks/{id}": [`/api/webhooks/${webhook}`, 404],
  "PATCH /api/webhooks/{id}": [`/api/webhooks/${webhook}`, 404, { active: true }],
  "DELETE /api/webhooks/{id}": [`/api/webhooks/${webhook}`, 404],
  "POST /api/webhooks/{id}/secret": [`/api/webhooks/${webhook}/secret`, 404],
  "POST /api/webhooks/{id}/test": [`/api/webhooks/${webhook}/test`, 404],
  "GET /api/webhooks/{id}/deliveries": [`/api/webhooks/${webhook}/deliveries`, 404],
  "POST /api/webhooks/{id}/deliveries/{delivery}/redeliver": [
    `/api/webhooks/${webhook}/deliveries/1/redeliver`,
    404
  ],
  "GET /api/cache/stats": ["/api/cache/stats", 200],
  "GET /": ["/", 200],
  "GET /dashboard/last-run": ["/dashboard/last-run", 200],
  "GET /docs": ["/docs", 200],
  "GET /openapi.json": ["/openapi.json", 200],
  "GET /health": ["/health", 200],
  "GET /health/live": ["/health/live", 200],
  "GET /health/ready": ["/health/ready", 200],
  "GET /health/startup": ["/health/startup", 200],
  "GET /metrics": ["/metrics", 200]
}

/** Paths and queries that are not what the route takes, and the name of the parameter at fault. Routes that take nothing but a body are not among them. */
const malformed: Record<string, readonly [path: string, parameter: string]> = {
  "GET /api/ledgers": ["/api/ledgers?limit=0", "limit"],
  "GET /api/ledgers/next": ["/api/ledgers/next", "after"],
  "GET /api/ledgers/{sequence}": ["/api/ledgers/last", "sequence"],
  "GET /api/network": ["/api/network?window=1d", "window"],
  "GET /api/fee-bumps/stats": ["/api/fee-bumps/stats?window=1d", "window"],
  "GET /api/corridors": ["/api/corridors?sort=name", "sort"],
  "GET /api/corridors/{corridor}": ["/api/corridors/native", "corridor"],
  "GET /api/anchors/{id}": ["/api/anchors/A", "id"],
  "PUT /api/anchors/{id}": ["/api/anchors/A", "id"],
  "DELETE /api/anchors/{id}": ["/api/anchors/A", "id"],
  "GET /api/payments": ["/api/payments?cursor=x", "cursor"],
  "GET /api/account-merges": ["/api/account-merges?account=G", "account"],
  "GET /api/liquidity-pools": ["/api/liquidity-pools?asset=USD", "asset"],
  "GET /api/liquidity-pools/{id}": ["/api/liquidity-pools/1", "id"],
  "GET /api/liquidity-pools/{id}/snapshots": ["/api/liquidity-pools/1/snapshots", "id"],
  "GET /api/trustlines/{asset}": ["/api/trustlines/USD", "asset"],
  "GET /api/events": ["/api/events", "channels"],
  "GET /api/webhooks/{id}": ["/api/webhooks/1", "id"],
  "PATCH /api/webhooks/{id}": ["/api/webhooks/1", "id"],
  "DELETE /api/webhooks/{id}": ["/api/webhooks/1", "id"],
  "POST /api/webhooks/{id}/secret": ["/api/webhooks/1/secret", "id"],
  "POST /api/webhooks/{id}/test": ["/api/webhooks/1/test", "id"],
  "GET /api/webhooks/{id}/deliveries": [`/api/webhooks/${webhook}/deliveries?status=new`, "status"],
  "POST /api/webhooks/{id}/deliveries/{delivery}/redeliver": [
    `/api/webhooks/${webhook}/deliveries/x/redeliver`,
    "delivery"
  ]
}

interface Answer {
  readonly status: number
  readonly headers: Http.IncomingHttpHeaders
  readonly text: string
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any
}

interface Options {
  readonly method?: string
  readonly headers?: Http.OutgoingHttpHeaders
  readonly body?: string | undefined
  /** Who asks, where the same one asks several times. */
  readonly from?: string
}

const agent = new Http.Agent({ keepAlive: true, maxSockets: 16 })
let clients = 0
const someone = () => `10.${++clients >> 16}.${(clients >> 8) & 255}.${clients & 255}`

const asker =
  (url: string) =>
  (path: string, { body, from = someone(), headers, method = "GET" }: Options = {}) =>
    new Promise<Answer>((resolve, reject) => {
      // Not with every method does node say how long a body is.
      const isFramed = body === undefined || headers?.["transfer-encoding"] !== undefined
      const length = isFramed ? {} : { "content-length": String(Buffer.byteLength(body)) }
      const request = Http.request(
        url + path,
        { agent, method, headers: { "x-forwarded-for": from, ...length, ...headers } },
        (response) => {
          const { headers, statusCode: status = 0 } = response
          const done = (text: string) => {
            const isJson = /json/.test(headers["content-type"] ?? "") && text !== ""
            resolve({ status, headers, text, json: isJson ? JSON.parse(text) : undefined })
          }
          // One has no end, the other is of two megabytes.
          if (
            headers["content-type"]?.startsWith("text/event-stream") === true ||
            Number(headers["content-length"]) > 1_000_000
          ) {
            request.destroy()
            return done("")
          }
          let text = ""
          response.setEncoding("utf8").on("data", (chunk) => (text += chunk))
          response.on("end", () => done(text))
        }
      )
      request.on("error", reject)
      request.end(body)
    })

const json = { "content-type": "application/json" }
const withKey = { authorization: `Bearer ${key}` }
const bodyOf = (route: Route): string | undefined => {
  const body = well[named(route)]![2]
  return body === undefined ? undefined : JSON.stringify(body)
}
const takesBody = (route: Route) => bodyOf(route) !== undefined

const each = <A>(all: ReadonlyArray<A>, act: (one: A) => Promise<void>) => Promise.all(all.map(act))

/** What every answer carries, whatever it is. */
const carriesHeaders = ({ headers }: Answer, what: string) => {
  assert.match(String(headers["x-request-id"]), /^\S+$/, what)
  assert.strictEqual(headers["x-content-type-options"], "nosniff", what)
  assert.strictEqual(headers["referrer-policy"], "no-referrer", what)
  assert.strictEqual(headers["x-frame-options"] ?? "DENY", "DENY", what)
  assert.match(
    String(headers["content-security-policy"]),
    /^default-src '(none|self)';.*frame-ancestors 'none'|^default-src 'none'; script-src/,
    what
  )
  assert.strictEqual(headers["cross-origin-resource-policy"], "same-origin", what)
}

const isProblem = (answer: Answer, status: number, what: string) => {
  const { headers, json, text } = answer
  assert.strictEqual(answer.status, status, `${what}: ${text}`)
  assert.strictEqual(headers["content-type"], "application/problem+json", what)
  assert.strictEqual(headers["cache-control"], "no-store", what)
  assert.strictEqual(headers["x-content-type-options"], "nosniff", what)
  assert.deepInclude(json, { type: "about:blank", status, title: Http.STATUS_CODES[status] }, what)
  assert.isAbove(json.detail.length, 10, what)
  assert.notMatch(json.detail, /Expected .*actual|undefined|\[object/, what)
}

let ask: ReturnType<typeof asker>
let askKeyless: ReturnType<typeof asker>

beforeAll(async () => {
  const settings = {
    TRUSTED_PROXIES: "loopback",
    RATE_LIMIT_REQUESTS: String(perWindow),
    RATE_LIMIT_KEY_REQUESTS: "100000",
    RATE_LIMIT_FAILED_KEYS: "3",
    RATE_LIMIT_WINDOW: "1 hour",
    SERVER_MAX_BODY: String(maxBody),
    WEBHOOK_ALLOW_HTTP: "true",
    WEBHOOK_ALLOW_PRIVATE: "true",
    STELLAR_SIMULATED_INTERVAL: "1"
  }
  const open = Child.serve({ ...settings, ADMIN_KEYS: `another-key-of-the-tests,${key}` })
  const keyless = Child.serve(settings)
  ask = asker(await Child.url(open))
  askKeyless = asker(await Child.url(keyless))
  // What some routes say is of a ledger.
  const { status } = await ask("/api/ledgers/next?after=0&timeout=30")
  assert.strictEqual(status, 200)
})

afterAll(() => {
  agent.destroy()
  Child.clear()
})

describe("the documentation", () => {
  it("has every endpoint of the API with who may ask it, and all that the description says it answers", async () => {
    const endpoints: Array<string> = []
    const guarded: Array<string> = []
    HttpApi.reflect(Api, {
      onGroup: () => {},
      onEndpoint: ({ endpoint, middleware }) => {
        const name = `${endpoint.method} ${endpoint.path.replaceAll(/:(\w+)/g, "{$1}").replace(/(.)\/$/, "$1")}`
        endpoints.push(name)
        if ([...middleware].some(({ key }) => key === AdminAccess.key)) guarded.push(name)
        else
          assert.strictEqual(
            endpoint.method,
            "GET",
            `${name} changes something and is not behind AdminAccess`
          )
      }
    })
    assert.sameMembers(inApi.map(named), endpoints)
    assert.sameMembers(inApi.filter(({ who }) => who === "key").map(named), guarded)
    assert.sameMembers(Object.keys(well), documented.map(named))

    const { json: description } = await ask("/openapi.json")
    const common = [400, 429]
    for (const route of inApi) {
      const operation = description.paths[route.path][route.method.toLowerCase()]
      const statuses = Object.keys(operation.responses).map(Number)
      assert.includeMembers(statuses, common, named(route))
      assert.sameMembers([...route.statuses, ...common], statuses, named(route))
      assert.strictEqual(operation.requestBody !== undefined, takesBody(route), named(route))
    }
  })
})

describe("every route", () => {
  it("answers as documented when it is asked well, HEAD like GET without a body", async () => {
    // It is put as if for the first time.
    await ask("/api/anchors/somebody", { method: "DELETE", headers: withKey })
    await each(documented, async (route) => {
      const what = named(route)
      const [path, status] = well[what]!
      const headers = { ...(route.who === "key" ? withKey : {}), ...(takesBody(route) ? json : {}) }
      const answer = await ask(path, { method: route.method, headers, body: bodyOf(route) })
      assert.strictEqual(answer.status, status, `${what}: ${answer.text}`)
      assert.include([...route.statuses, 404], status, what)
      carriesHeaders(answer, what)
      const policy = isProbe(route)
        ? undefined
        : route.who === "key"
          ? '"key";q=100000;w=3600'
          : `"address";q=${perWindow};w=3600`
      assert.strictEqual(answer.headers["ratelimit-policy"], policy, what)
      if (route.method !== "GET") return
      const head = await ask(path, { method: "HEAD", headers })
      assert.strictEqual(head.status, status, `HEAD ${path}`)
      assert.strictEqual(head.text, "")
      carriesHeaders(head, `HEAD ${path}`)
    })
  })

  it("that needs a key refuses who has none, a wrong one, or another kind of credentials; where there are no keys, everybody", async () => {
    await each(
      inApi.filter(({ who }) => who === "key"),
      async (route) => {
        const what = named(route)
        const [path] = well[what]!
        const { method } = route
        // What is wrong with the body is not said to somebody without a key.
        for (const [authorization, challenge] of [
          [undefined, "Bearer"],
          [`Bearer ${wrongKey}`, 'Bearer error="invalid_token"'],
          [`Basic ${key}`, "Bearer"],
          [`Bearing${key}`, "Bearer"]
        ] as const) {
          const headers = {
            "content-type": "text/plain",
            ...(authorization === undefined ? {} : { authorization })
          }
          const answer = await ask(path, { method, headers, body: "{" })
          isProblem(answer, 401, `${what} with ${authorization}`)
          assert.strictEqual(answer.headers["www-authenticate"], challenge, what)
          carriesHeaders(answer, what)
        }
        const keyless = await askKeyless(path, {
          method,
          headers: { ...json, ...withKey },
          body: bodyOf(route)
        })
        isProblem(keyless, 403, what)
        assert.include(keyless.json.detail, "ADMIN_KEYS", what)
      }
    )
  })

  it("says 429 to an address that asks too often, when to come back, and answers others; probes never do", async () => {
    await each(documented, async (route) => {
      const what = named(route)
      const [path] = well[what]!
      const from = someone()
      const { method } = route
      for (let one = 0; one < perWindow; one++) {
        const { status } = await ask(path, { method, from })
        assert.notStrictEqual(status, 429, `${what}, ${one}`)
      }
      const answer = await ask(path, { method, from })
      if (isProbe(route)) {
        assert.strictEqual(answer.status, 200, what)
        return
      }
      isProblem(answer, 429, what)
      carriesHeaders(answer, what)
      const retryAfter = Number(answer.headers["retry-after"])
      assert.isAtLeast(retryAfter, 3600 / perWindow - 60, what)
      assert.isAtMost(retryAfter, 3600 / perWindow, what)
      assert.strictEqual(answer.headers["ratelimit"], `"address";r=0;t=${retryAfter}`, what)
      assert.deepInclude(answer.json, {
        policy: "address",
        limit: perWindow,
        windowSeconds: 3600,
        retryAfterSeconds: retryAfter
      })
      // Who writes something to the left of what the proxy says is still the same.
      isProblem(await ask(path, { method, from: `192.0.2.1, ${from}` }), 429, what)
      assert.notStrictEqual((await ask(path, { method })).status, 429, what)
    })
  })

  it("refuses parameters and bodies that are malformed, by their name and with what is allowed", async () => {
    await each(Object.entries(malformed), async ([what, [path, parameter]]) => {
      const route = documented.find((one) => named(one) === what)!
      const headers = { ...(route.who === "key" ? withKey : {}), ...(takesBody(route) ? json : {}) }
      const answer = await ask(path, { method: route.method, headers, body: bodyOf(route) })
      isProblem(answer, 400, what)
      assert.strictEqual(answer.json.errors[0].parameter, parameter, what)
      assert.match(answer.json.errors[0].allowed, /^must be /, what)
    })
    await each(documented.filter(takesBody), async (route) => {
      const what = named(route)
      const [path] = well[what]!
      const { method } = route
      const send = (body: string) => ask(path, { method, headers: { ...json, ...withKey }, body })
      for (const body of ["{", "{]", '{"a":1}}', "\u0000"]) {
        const answer = await send(body)
        isProblem(answer, 400, `${what}: ${body}`)
        assert.include(answer.json.detail, "is not valid JSON", what)
      }
      for (const [body, allowed] of [
        ["", "must be a JSON object, and is missing"],
        ["null", "must be a JSON object, and is missing"],
        ["[]", "must be a JSON object, not []"],
        ['"text"', 'must be a JSON object, not "text"'],
        ["7", "must be a JSON object, not 7"]
      ] as const) {
        const answer = await send(body)
        isProblem(answer, 400, `${what}: ${body}`)
        assert.deepStrictEqual(answer.json.errors, [{ parameter: "body", value: null, allowed }], what)
      }
    })
  })

  it("says 413 to a body that is too long, announced or in pieces", async () => {
    await each(documented, async (route) => {
      const what = named(route)
      const [path] = well[what]!
      const { method } = route
      const announced = { "content-length": String(maxBody + 1), connection: "close" }
      const long = "x".repeat(maxBody + 1)
      const answer = await ask(path, { method, headers: announced, body: long })
      isProblem(answer, 413, what)
      assert.strictEqual(answer.json.maxBytes, maxBody, what)
      if (!takesBody(route)) return
      const pieces = { ...json, ...withKey, "transfer-encoding": "chunked" }
      isProblem(await ask(path, { method, headers: pieces, body: long }), 413, what)
    })
  })

  it("says 405 to another method and what is allowed, which OPTIONS says too", async () => {
    await each(documented, async (route) => {
      const what = named(route)
      const [path] = well[what]!
      const methods = methodsOf(route.path)
      const allow = [...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"]
        .toSorted()
        .join(", ")
      for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"].filter(
        (one) => !methods.includes(one)
      )) {
        const answer = await ask(path, { method, headers: withKey })
        isProblem(answer, 405, `${method} for ${what}`)
        assert.strictEqual(answer.headers.allow, allow, `${method} for ${what}`)
        carriesHeaders(answer, what)
      }
      const options = await ask(path, { method: "OPTIONS" })
      assert.strictEqual(options.status, 204, what)
      assert.strictEqual(options.headers.allow, allow, what)
    })
    for (const method of ["GET", "POST", "OPTIONS"]) {
      for (const path of ["/nowhere", "/api", "/api/ledgers/1/2", "/%zz"]) {
        isProblem(await ask(path, { method }), 404, `${method} ${path}`)
      }
    }
  })

  it("says 415 to a body of another media type", async () => {
    await each(documented.filter(takesBody), async (route) => {
      const what = named(route)
      const [path] = well[what]!
      const { method } = route
      for (const type of [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp"
      ]) {
        const answer = await ask(path, {
          method,
          headers: { ...withKey, "content-type": type },
          body: "name=x"
        })
        isProblem(answer, 415, `${what} with ${type}`)
        assert.strictEqual(answer.headers.accept, "application/json", what)
        assert.include(answer.json.detail, type, what)
      }
      const charset = { ...withKey, "content-type": "Application/JSON ; charset=utf-8" }
      assert.strictEqual((await ask(path, { method, headers: charset, body: "[]" })).status, 400, what)
    })
  })

  it("may be read by pages of any origin, and changed by none", async () => {
    const origin = "https://page.example"
    await each(documented, async (route) => {
      const what = named(route)
      const [path] = well[what]!
      const { headers } = await ask(path, { method: route.method, headers: { origin } })
      assert.strictEqual(headers["access-control-allow-origin"], isProbe(route) ? undefined : "*", what)
      assert.isUndefined(headers["access-control-allow-credentials"], what)
      const preflight = await ask(path, {
        method: "OPTIONS",
        headers: {
          origin,
          "access-control-request-method": route.method,
          "access-control-request-headers": "authorization"
        }
      })
      assert.strictEqual(preflight.status, 204, what)
      const allowed = methodsOf(route.path).includes("GET") ? "GET, HEAD" : ""
      assert.strictEqual(
        preflight.headers["access-control-allow-methods"],
        isProbe(route) ? undefined : allowed,
        what
      )
      assert.notInclude(preflight.headers["access-control-allow-headers"] ?? "", "authorization", what)
    })
  })
})

describe("keys", () => {
  it("are not looked at any more after some wrong ones of an address; what needs none goes on", async () => {
    const from = someone()
    const send = (key: string, path = "/api/webhooks") =>
      ask(path, { from, headers: { authorization: `Bearer ${key}` } })
    for (let one = 0; one < 3; one++) isProblem(await send(`${wrongKey}-${one}`), 401, "a wrong key")
    const answer = await send(key)
    isProblem(answer, 429, "the right key, late")
    assert.strictEqual(answer.json.policy, "failed-keys")
    assert.strictEqual(Number(answer.headers["retry-after"]), answer.json.retryAfterSeconds)
    assert.strictEqual(
      (await send(key, "/api/ledgers?limit=1")).headers["ratelimit-policy"],
      `"address";q=${perWindow};w=3600`
    )
    assert.strictEqual((await ask("/api/webhooks", { headers: withKey })).status, 200)
  })
})
