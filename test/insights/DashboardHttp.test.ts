import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpRouter from "@effect/platform/HttpRouter"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as ProblemMiddleware from "../../src/http/ProblemMiddleware.js"
import * as DashboardHttp from "../../src/insights/DashboardHttp.js"
import * as LastRun from "../../src/lifecycle/LastRun.js"
import * as RunTotals from "../../src/lifecycle/RunTotals.js"
import type { ShutdownReport } from "../../src/lifecycle/ShutdownReport.js"
import * as Service from "./Service.js"

const parts = [
  ["/", "index.html", "text/html; charset=utf-8", "<!doctype html>"],
  ["/dashboard/dashboard.js", "dashboard.js", "text/javascript; charset=utf-8", "export {}"],
  ["/dashboard/dashboard.css", "dashboard.css", "text/css; charset=utf-8", "body {}"],
  ["/dashboard/icon.svg", "icon.svg", "image/svg+xml", "<svg/>"]
] as const

const build = (folder: string) => {
  mkdirSync(folder, { recursive: true })
  for (const [, file, , text] of parts) writeFileSync(join(folder, file), text)
}

/** The routes for a folder, after a run that ended so. */
const page = (folder: string, ending: LastRun.Ending = { _tag: "None" }) =>
  Effect.gen(function* () {
    const layer = DashboardHttp.layerFrom(folder).pipe(
      Layer.provide(Layer.succeed(LastRun.LastRun, { ending, totals: RunTotals.zero, file: Option.none() })),
      Layer.provideMerge(HttpApiBuilder.Router.Live)
    )
    const routes = yield* Context.get(yield* Layer.build(layer), HttpApiBuilder.Router).router
    const app = ProblemMiddleware.middleware(Effect.flatten(HttpRouter.toHttpApp(routes)))
    const handler = HttpApp.toWebHandler(app as HttpApp.Default)
    return (path: string, init: RequestInit = {}) =>
      Effect.promise(() => handler(new Request(`http://insights.example:8080${path}`, init)))
  })

const report: ShutdownReport = {
  version: 1,
  reason: "SIGTERM",
  initiatedAt: 1_700_000_000_000,
  durationMillis: 120,
  wholeMillis: Number.POSITIVE_INFINITY,
  phases: [
    { phase: "draining", startMillis: 1 },
    { phase: "releasing", startMillis: 80 },
    { phase: "stopped", startMillis: 120 }
  ],
  steps: [
    {
      kind: "release",
      name: "database",
      startMillis: 81,
      durationMillis: 20,
      limitMillis: 5000,
      outcome: "completed"
    }
  ],
  acquisitionsGivenUp: [],
  drains: {},
  requestsInterrupted: [{ method: "GET", path: "/api/payments/secret", ageMillis: 30_000 }],
  exitCode: 0
}

describe("the dashboard's files", () => {
  it.scoped.each(parts)("%s", ([path, , contentType, text]) =>
    Effect.gen(function* () {
      const folder = yield* Service.folder
      build(folder)
      const ask = yield* page(folder)
      const whole = yield* ask(path)
      assert.strictEqual(whole.status, 200)
      assert.strictEqual(whole.headers.get("content-type"), contentType)
      assert.strictEqual(whole.headers.get("cache-control"), "no-cache")
      assert.strictEqual(yield* Effect.promise(() => whole.text()), text)

      const etag = whole.headers.get("etag")!
      for (const known of [etag, `W/${etag}`, `"another", ${etag}`, "*"]) {
        const again = yield* ask(path, { headers: { "if-none-match": known } })
        assert.strictEqual(again.status, 304, known)
        assert.strictEqual(again.headers.get("etag"), etag)
        assert.strictEqual(yield* Effect.promise(() => again.text()), "")
      }
      const other = yield* ask(path, { headers: { "if-none-match": '"another"' } })
      assert.strictEqual(other.status, 200)

      const head = yield* ask(path, { method: "HEAD" })
      assert.deepStrictEqual([head.status, head.headers.get("etag")], [200, etag])
      assert.strictEqual((yield* ask(path, { method: "POST" })).status, 404)
    })
  )

  it.scoped("are versions of their content: another page has another tag", () =>
    Effect.gen(function* () {
      const folder = yield* Service.folder
      build(folder)
      const first = (yield* (yield* page(folder))("/")).headers.get("etag")
      writeFileSync(join(folder, "index.html"), "<!doctype html><p>")
      const second = (yield* (yield* page(folder))("/")).headers.get("etag")
      assert.notStrictEqual(first, second)
    })
  )

  it.scoped("come with a policy that allows this host and nothing else, and no script in the page", () =>
    Effect.gen(function* () {
      const folder = yield* Service.folder
      build(folder)
      const ask = yield* page(folder)
      const policy = (host: string) =>
        Effect.map(ask("/", { headers: { host } }), ({ headers }) => headers.get("content-security-policy")!)
      const named = yield* policy("insights.example:8080")
      assert.match(
        named,
        /^default-src 'self'; connect-src 'self' ws:\/\/insights\.example:8080 wss:\/\/insights\.example:8080; /
      )
      assert.notMatch(named, /unsafe|\*|data:/)
      assert.include(yield* policy("[::1]:80"), "ws://[::1]:80 ")
      // What a client calls the host goes into the header: nothing but a host does.
      for (const host of ["a.example; script-src *", "a.example *", "a.example/x", "'unsafe-inline'"])
        assert.match(yield* policy(host), /connect-src 'self'; object-src/)
    })
  )

  it.scoped("are all that is served of the folder", () =>
    Effect.gen(function* () {
      const folder = yield* Service.folder
      build(folder)
      writeFileSync(join(folder, "other.js"), "")
      const ask = yield* page(folder)
      for (const path of ["/dashboard/other.js", "/dashboard/", "/dashboard/..%2Findex.html", "/index.html"])
        assert.strictEqual((yield* ask(path)).status, 404, path)
    })
  )

  it.scoped("say how they are made when they are not there, and are served once they are", () =>
    Effect.gen(function* () {
      const folder = join(yield* Service.folder, "built")
      const ask = yield* page(folder)
      const missing = yield* ask("/")
      assert.strictEqual(missing.status, 404)
      assert.include(yield* Effect.promise(() => missing.text()), "npm run build:bin")
      build(folder)
      assert.strictEqual((yield* ask("/")).status, 200)
    })
  )
})

describe("what is told of the last run", () => {
  const told = (ending: LastRun.Ending) =>
    Effect.gen(function* () {
      const answer = yield* (yield* page("nowhere", ending))("/dashboard/last-run")
      assert.deepStrictEqual(
        [answer.status, answer.headers.get("content-type"), answer.headers.get("cache-control")],
        [200, "application/json", "no-store"]
      )
      return (yield* Effect.promise(() => answer.json())) as Service.Json
    })

  it.scoped("a stop, step by step, without the paths of requests", () =>
    Effect.gen(function* () {
      const json = yield* told({ _tag: "Stopped", startedAt: 1_699_999_990_000, report })
      assert.deepStrictEqual(
        [json.outcome, json.reason, json.exitCode, json.requestsInterrupted],
        ["stopped", "SIGTERM", 0, 1]
      )
      assert.deepStrictEqual(json.report.steps, report.steps)
      assert.deepStrictEqual(json.report.phases, report.phases)
      assert.strictEqual(json.report.wholeMillis, null)
      assert.notInclude(JSON.stringify(json), "secret")
    })
  )

  it.scoped("a crash and nothing have no report", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* told({ _tag: "None" }), { outcome: "none", report: null })
      const crash = yield* told({ _tag: "Crashed", startedAt: 0, lastSeenAt: 1000 })
      assert.deepInclude(crash, { outcome: "crashed", lastSeenAt: "1970-01-01T00:00:01.000Z", report: null })
    })
  )
})
