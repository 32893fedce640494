/** What every request passes: headers for browsers, and what pages of other origins may do. */
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Http from "node:http"
import * as BearerKeys from "../../src/http/BearerKeys.js"
import * as ClientAddress from "../../src/http/ClientAddress.js"
import * as Cors from "../../src/http/Cors.js"
import * as Gate from "../../src/http/Gate.js"
import * as MethodNotAllowed from "../../src/http/MethodNotAllowed.js"
import * as ProblemMiddleware from "../../src/http/ProblemMiddleware.js"
import * as RateLimit from "../../src/http/RateLimit.js"
import * as RateLimitConfig from "../../src/http/RateLimitConfig.js"
import * as Harness from "./support/Harness.js"

const json = (headers: Record<string, string> = {}) =>
  HttpServerResponse.text("{}", { contentType: "application/json", headers })

const routes = HttpRouter.empty.pipe(
  HttpRouter.get("/api/things", json()),
  HttpRouter.post("/api/things", json()),
  HttpRouter.get("/api/things/:id", json()),
  HttpRouter.get("/varies", json({ vary: "accept" })),
  HttpRouter.get(
    "/page",
    json({ "content-security-policy": "default-src 'self'", "referrer-policy": "same-origin" })
  ),
  HttpRouter.get("/own", json({ "access-control-allow-origin": "https://own.example" })),
  HttpRouter.get("/health", json()),
  HttpRouter.get("/metrics", json())
)

/** A server behind a gate for these origins; gives how it is asked. */
const serve = (origins: Cors.Origins) =>
  Effect.gen(function* () {
    const allowed = yield* MethodNotAllowed.make(routes)
    const gate = Gate.middleware({
      allowed,
      cors: Cors.make(origins),
      limit: RateLimit.make({
        config: { ...RateLimitConfig.defaults, requests: 4 },
        keys: BearerKeys.make([]),
        address: ClientAddress.make(ClientAddress.nobody),
        now: () => 0
      })
    })
    const app = ProblemMiddleware.middleware(gate(Effect.flatten(HttpRouter.toHttpApp(routes))), allowed)
    const { port } = yield* Harness.serve({ app })
    return (path: string, headers: Http.OutgoingHttpHeaders = {}, method = "GET") =>
      Effect.async<{
        status: number | undefined
        headers: Http.IncomingHttpHeaders
        lines: ReadonlyArray<string>
      }>((resume) => {
        Http.request({ port, path, method, headers, host: "127.0.0.1", agent: false }, (response) => {
          response.resume().on("end", () => {
            const { headers, rawHeaders, statusCode: status } = response
            const lines = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase())
            resume(Effect.succeed({ status, headers, lines }))
          })
        }).end()
      })
  })

const origin = "https://page.example"
const preflight = (method: string, from = origin) => ({
  origin: from,
  "access-control-request-method": method
})

describe("headers for browsers", () => {
  it.scopedLive("are on every answer, once; what an answer says itself goes before", () =>
    Effect.gen(function* () {
      const ask = yield* serve("*")
      for (const [path, status] of [
        ["/api/things", 200],
        ["/nowhere", 404],
        ["/page", 200],
        ["/health", 200],
        ["/metrics", 200]
      ] as const) {
        const { headers, lines, ...answer } = yield* ask(path)
        assert.strictEqual(answer.status, status)
        assert.strictEqual(new Set(lines).size, lines.length, `${path}: ${lines.join(", ")}`)
        assert.strictEqual(
          headers["content-security-policy"],
          path === "/page" ? "default-src 'self'" : "default-src 'none'; frame-ancestors 'none'"
        )
        assert.strictEqual(headers["referrer-policy"], path === "/page" ? "same-origin" : "no-referrer")
        assert.deepInclude(headers, {
          "cross-origin-opener-policy": "same-origin",
          "cross-origin-resource-policy": "same-origin",
          "x-content-type-options": "nosniff",
          "x-frame-options": "DENY"
        })
      }
    })
  )
})

describe("pages of other origins", () => {
  it.scopedLive("may read where all may, and are told nothing of keys", () =>
    Effect.gen(function* () {
      const ask = yield* serve("*")
      const read = yield* ask("/api/things", { origin })
      assert.strictEqual(read.headers["access-control-allow-origin"], "*")
      assert.include(read.headers["access-control-expose-headers"], "ratelimit")
      assert.isUndefined(read.headers["vary"])
      assert.strictEqual(
        (yield* ask("/own", { origin })).headers["access-control-allow-origin"],
        "https://own.example"
      )
      assert.isUndefined((yield* ask("/health", { origin })).headers["access-control-allow-origin"])
      const { headers, status } = yield* ask("/api/things", preflight("POST"), "OPTIONS")
      assert.strictEqual(status, 204)
      assert.strictEqual(headers.allow, "GET, HEAD, OPTIONS, POST")
      assert.strictEqual(headers["access-control-allow-methods"], "GET, HEAD")
      assert.notInclude(headers["access-control-allow-headers"], "authorization")
      // The fifth is too much; its page gets to know.
      const late = yield* ask("/api/things", { origin })
      assert.strictEqual(late.status, 200)
      const refused = yield* ask("/api/things", { origin })
      assert.strictEqual(refused.status, 429)
      assert.strictEqual(refused.headers["access-control-allow-origin"], "*")
      assert.strictEqual(refused.headers["ratelimit"], '"address";r=0;t=15')
      assert.strictEqual((yield* ask("/health")).status, 200)
    })
  )

  it.scopedLive("that are named may do more, others nothing; caches are told that it depends", () =>
    Effect.gen(function* () {
      const ask = yield* serve([origin, "http://localhost:3000"])
      const { headers } = yield* ask("/varies", { origin })
      assert.strictEqual(headers["access-control-allow-origin"], origin)
      assert.sameMembers(headers["vary"]!.split(", "), ["Origin", "accept"])
      for (const other of ["https://other.example", `${origin}.evil.example`, "null", origin.toUpperCase()]) {
        const strange = yield* ask("/health", { origin: other })
        assert.isUndefined(strange.headers["access-control-allow-origin"], other)
      }
      const strange = yield* ask("/api/things", preflight("POST", "https://other.example"), "OPTIONS")
      assert.isUndefined(strange.headers["access-control-allow-origin"])
      assert.isUndefined(strange.headers["access-control-allow-methods"])
      assert.strictEqual(strange.headers["vary"], "Origin")
      const known = yield* ask("/api/things", preflight("POST"), "OPTIONS")
      assert.strictEqual(known.headers["access-control-allow-methods"], "GET, HEAD, OPTIONS, POST")
      assert.include(known.headers["access-control-allow-headers"], "authorization")
      const plain = yield* ask("/api/things/1", {}, "DELETE")
      assert.strictEqual(plain.status, 405)
      assert.strictEqual(plain.headers.allow, "GET, HEAD, OPTIONS")
      assert.strictEqual(plain.headers["vary"], "Origin")
    })
  )

  it.scopedLive("may do nothing where none may", () =>
    Effect.gen(function* () {
      const ask = yield* serve("none")
      assert.isUndefined((yield* ask("/api/things", { origin })).headers["access-control-allow-origin"])
      const { headers } = yield* ask("/api/things", preflight("GET"), "OPTIONS")
      assert.isUndefined(headers["access-control-allow-methods"])
    })
  )
})

describe("CORS_ORIGINS", () => {
  const read = (text: string) =>
    Effect.withConfigProvider(Cors.config, ConfigProvider.fromMap(new Map([["CORS_ORIGINS", text]])))

  it.effect("is any, none, or a list", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* read("*"), "*")
      assert.strictEqual(yield* read("none"), "none")
      assert.deepStrictEqual(yield* read("https://a.example, http://localhost:3000"), [
        "https://a.example",
        "http://localhost:3000"
      ])
    })
  )

  it.effect.each([
    "https://a.example/",
    "a.example",
    "https://*.example",
    "https://A.example",
    "null",
    "https://a.example,*",
    "https://a.example:443",
    "file://x",
    "https://a.example,\r\nx"
  ])("refuses %j", (text) =>
    Effect.gen(function* () {
      assert.include(String(yield* Effect.flip(read(text))), "is no origin; allowed are *, none, or origins")
    })
  )
})
