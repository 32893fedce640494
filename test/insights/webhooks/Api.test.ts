/** Webhooks through the API: who may, what is refused, what is shown, and that what is asked for is delivered. */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServer from "@effect/platform/HttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Schedule from "effect/Schedule"
import { Webhook } from "standardwebhooks"
import * as BearerKeys from "../../../src/http/BearerKeys.js"
import * as ProblemMiddleware from "../../../src/http/ProblemMiddleware.js"
import * as AdminAccess from "../../../src/insights/AdminAccess.js"
import * as Webhooks from "../../../src/insights/api/Webhooks.js"
import * as WebhooksHttp from "../../../src/insights/api/WebhooksHttp.js"
import * as WebhookDelivery from "../../../src/insights/tasks/WebhookDelivery.js"
import * as Subscriptions from "../../../src/insights/webhooks/Subscriptions.js"
import * as Sender from "../../../src/webhooks/Sender.js"
import * as WebhookConfig from "../../../src/webhooks/WebhookConfig.js"
import * as Receiver from "../../webhooks/Receiver.js"
import type * as Service from "../Service.js"
import * as Hooks from "./Hooks.js"

const key = "a-key-for-the-tests"
const loopback = { allowHttp: true, allowPrivate: true }

/** The part of the API that these endpoints are. */
class WebhooksApi extends HttpApi.make("stellar-insights").add(Webhooks.Webhooks) {}

/** These endpoints as a function. */
const serve = (hooks: Hooks.Hooks, keys: ReadonlyArray<string> = [key]) =>
  Effect.gen(function* () {
    const api = HttpApiBuilder.api(WebhooksApi).pipe(
      Layer.provide(WebhooksHttp.layer),
      Layer.provide(AdminAccess.layer(BearerKeys.make(keys)))
    )
    const context = yield* Layer.build(
      Layer.mergeAll(
        Layer.provideMerge(ProblemMiddleware.layer, api),
        HttpServer.layerContext,
        HttpApiBuilder.Router.Live,
        HttpApiBuilder.Middleware.layer
      )
    ).pipe(Effect.provide(hooks.context))
    const app = yield* Effect.provide(HttpApiBuilder.httpApp, context)
    const runtime = yield* Effect.provide(Effect.runtime<never>(), context)
    const handler = HttpApp.toWebHandlerRuntime(runtime)(app as HttpApp.Default)
    return (method: string, path = "", body?: unknown, bearer: string | undefined = key) =>
      Effect.promise(async () => {
        const response = await handler(
          new Request(`http://localhost/api/webhooks${path}`, {
            method,
            headers: {
              ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
              ...(body === undefined ? {} : { "content-type": "application/json" })
            },
            ...(body === undefined ? {} : { body: JSON.stringify(body) })
          })
        )
        const text = await response.text()
        return {
          status: response.status,
          headers: response.headers,
          json: (text === "" ? undefined : JSON.parse(text)) as Service.Json
        }
      })
  })

const url = "https://hook.example.com/x"
const missing = `/wh_${"0".repeat(24)}`

const until = <E>(condition: Effect.Effect<boolean, E>) =>
  Effect.repeat(condition, { until: (is) => is, schedule: Schedule.spaced("5 millis") }).pipe(
    Effect.timeoutFail({ duration: "10 seconds", onTimeout: () => new Error("it did not come to that") })
  )

describe("who may", () => {
  it.scoped("is who has a key: every endpoint asks for it, those that read too", () =>
    Effect.gen(function* () {
      const hooks = yield* Hooks.make()
      const ask = yield* serve(hooks)
      const all: ReadonlyArray<readonly [string, string]> = [
        ["GET", ""],
        ["POST", ""],
        ["GET", missing],
        ["PATCH", missing],
        ["DELETE", missing],
        ["POST", `${missing}/secret`],
        ["POST", `${missing}/test`],
        ["GET", `${missing}/deliveries`],
        ["POST", `${missing}/deliveries/1/redeliver`]
      ]
      for (const [method, path] of all) {
        const refused = yield* ask(method, path, undefined, "not-a-key-that-is-valid")
        assert.strictEqual(refused.status, 401, `${method} ${path}`)
        assert.match(refused.headers.get("www-authenticate")!, /^Bearer/)
      }
      const nobody = yield* serve(hooks, [])
      assert.strictEqual((yield* nobody("GET")).status, 403)
      for (const [method, path] of all.slice(2)) {
        const body = method === "PATCH" ? {} : undefined
        assert.strictEqual((yield* ask(method, path, body)).status, 404, `${method} ${path}`)
      }
    })
  )
})

describe("a webhook", () => {
  it.scoped("is made with a secret that is shown once, changed, listed and removed", () =>
    Effect.gen(function* () {
      const hooks = yield* Hooks.make()
      const ask = yield* serve(hooks)
      const made = yield* ask("POST", "", {
        url,
        eventTypes: ["new_payment"],
        filters: { asset: "native", minAmount: "10" },
        description: "for us"
      })
      assert.strictEqual(made.status, 201)
      const { id, secret, ...shown } = made.json
      assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
      assert.deepStrictEqual(shown, {
        url,
        eventTypes: ["new_payment"],
        filters: {
          asset: "native",
          minAmount: "10"
        },
        description: "for us",
        active: true,
        disabledReason: null,
        createdAt: 0,
        updatedAt: 0,
        failures: 0,
        lastLatencyMillis: null,
        heldUntil: null,
        waiting: 0,
        previousSecretUntil: null
      })
      assert.deepStrictEqual((yield* ask("GET", `/${id}`)).json, { id, ...shown })
      const changed = yield* ask("PATCH", `/${id}`, { description: "for you", filters: {}, active: false })
      const expected = { id, ...shown, description: "for you", filters: {}, active: false }
      assert.deepStrictEqual(changed.json, expected)
      assert.deepStrictEqual((yield* ask("GET")).json, { webhooks: [expected] })
      const rotated = yield* ask("POST", `/${id}/secret`)
      assert.strictEqual(rotated.json.previousSecretUntil, 3_600_000)
      assert.notStrictEqual(rotated.json.secret, secret)
      for (const path of ["", `/${id}`]) {
        assert.notInclude(JSON.stringify((yield* ask("GET", path)).json), "whsec_")
      }
      assert.strictEqual((yield* ask("DELETE", `/${id}`)).status, 204)
      assert.strictEqual((yield* ask("DELETE", `/${id}`)).status, 404)
      assert.deepStrictEqual((yield* ask("GET")).json, { webhooks: [] })
    })
  )

  it.scoped(
    "is refused where its URL leads inside, is not https, or has no address; also when it is changed",
    () =>
      Effect.gen(function* () {
        const hooks = yield* Hooks.make()
        const ask = yield* serve(hooks)
        const { id } = (yield* ask("POST", "", { url })).json
        const refusals: ReadonlyArray<readonly [string, string]> = [
          ["https://inside.example.com/", "inside.example.com leads to 10.0.0.1, which is a private address"],
          ["https://127.0.0.1/", "127.0.0.1 is a loopback address"],
          ["https://0x7f.1/", "127.0.0.1 is a loopback address"],
          ["https://[fd00:ec2::254]/", "fd00:ec2::254 is the metadata service of a cloud"],
          ["http://hook.example.com/", "the URL's scheme must be https, not http"],
          ["https://user:word@hook.example.com/", "the URL must not carry a user or a password"],
          ["https://nowhere.invalid/", "nowhere.invalid has no address (ENOTFOUND)"],
          ["nonsense", "the URL is not valid"]
        ]
        for (const [refused, why] of refusals) {
          for (const answer of [
            yield* ask("POST", "", { url: refused }),
            yield* ask("PATCH", `/${id}`, { url: refused })
          ]) {
            assert.strictEqual(answer.status, 400, refused)
            assert.strictEqual(answer.headers.get("content-type"), "application/problem+json")
            assert.strictEqual(answer.json.detail, `url: ${why}`)
            assert.deepStrictEqual(answer.json.errors, [{ parameter: "url", value: null, allowed: why }])
          }
        }
        assert.strictEqual((yield* ask("GET")).json.webhooks.length, 1)
      })
  )

  it.scoped("is refused where there are as many as there may be", () =>
    Effect.gen(function* () {
      const hooks = yield* Hooks.make()
      const ask = yield* serve(hooks)
      yield* hooks.write`INSERT INTO webhook_subscription (id, url, description, event_types, filters, active, secret, created_at, updated_at)
        WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ${Subscriptions.most - 1})
        SELECT 'wh_' || n, ${url}, '', '[]', '{}', 1, '', 0, 0 FROM number`
      assert.strictEqual((yield* ask("POST", "", { url })).status, 201)
      const { json, status } = yield* ask("POST", "", { url })
      assert.strictEqual(status, 409)
      assert.strictEqual(json.detail, "there are 1000 webhooks, which is as many as there may be")
      assert.strictEqual((yield* ask("GET")).json.webhooks.length, Subscriptions.most)
    })
  )

  it.scoped("is refused with everything that is wrong with it", () =>
    Effect.gen(function* () {
      const ask = yield* serve(yield* Hooks.make())
      const bodies: ReadonlyArray<readonly [unknown, ReadonlyArray<string>]> = [
        [{}, ["url"]],
        [{ url: 1 }, ["url"]],
        [{ url, eventTypes: ["payments"] }, ["eventTypes.0"]],
        [{ url, eventTypes: "new_payment" }, ["eventTypes"]],
        [{ url, filters: { corridor: "native" } }, ["filters.corridor"]],
        [{ url, filters: { minAmount: 5 } }, ["filters.minAmount"]],
        [{ url, filters: { minAmount: "-5" } }, ["filters.minAmount"]],
        [{ url, filters: { pool: "x" } }, ["filters.pool"]],
        [{ url, filters: { anchor: "No" }, description: "x".repeat(501) }, ["description", "filters.anchor"]],
        [{ url, secret: "whsec_mine" }, ["secret"]],
        [{ url, active: "yes" }, ["active"]]
      ]
      for (const [body, parameters] of bodies) {
        const { json, status } = yield* ask("POST", "", body)
        assert.strictEqual(status, 400, JSON.stringify(body))
        const named = json.errors.map(({ parameter }: Service.Json) => parameter.replace(/^body\./, ""))
        assert.deepStrictEqual(named.toSorted(), parameters, JSON.stringify(body))
      }
    })
  )
})

describe("deliveries", () => {
  it.scopedLive(
    "are made to a real receiver, shown with their last attempt, and made again under the same id",
    () =>
      Effect.gen(function* () {
        let status = 200
        const receiver = yield* Receiver.make((response) => response.writeHead(status).end(`said ${status}`))
        const hooks = yield* Hooks.make(loopback)
        const ask = yield* serve(hooks)
        const config = { ...WebhookConfig.defaults, ...loopback }
        yield* Layer.build(
          Layer.provide(WebhookDelivery.layer(config, Duration.seconds(5)), Sender.layer(config))
        ).pipe(
          Effect.provide(hooks.context),
          // What is logged is for the tests of the delivery to look at.
          Logger.withMinimumLogLevel(LogLevel.None)
        )
        const { id, secret } = (yield* ask("POST", "", { url: receiver.url })).json
        const show = (query = "") =>
          Effect.map(ask("GET", `/${id}/deliveries${query}`), ({ json }) => json.deliveries)
        const isAt = (state: string) =>
          Effect.map(show(), ([one]: ReadonlyArray<Service.Json>) => one.status === state)

        const accepted = yield* ask("POST", `/${id}/test`)
        assert.strictEqual(accepted.status, 202)
        assert.deepInclude(accepted.json, { type: "test", status: "pending", attempts: 0, lastAttempt: null })
        yield* until(isAt("delivered"))
        const { body, headers } = receiver.received[0]!
        assert.strictEqual(headers["webhook-id"], accepted.json.messageId)
        const message = new Webhook(secret).verify(body, headers) as Service.Json
        assert.strictEqual(message.type, "test")
        assert.strictEqual(message.data.webhook, id)
        const [shown] = yield* show()
        assert.deepInclude(shown, { id: accepted.json.id, attempts: 1, nextAt: null })
        assert.deepInclude(shown.lastAttempt, { status: 200, body: "said 200", error: null })

        status = 500
        const again = yield* ask("POST", `/${id}/deliveries/${shown.id}/redeliver`)
        assert.strictEqual(again.status, 202)
        assert.deepInclude(again.json, { id: shown.id, status: "pending", attempts: 0 })
        yield* until(Effect.map(show(), ([one]) => one.attempts === 1 && one.status === "pending"))
        const [failed] = yield* show("?status=pending")
        assert.deepInclude(failed.lastAttempt, { status: 500, body: "said 500" })
        assert.isAbove(failed.nextAt, Date.now())
        // It need not wait for its time.
        status = 200
        yield* ask("POST", `/${id}/deliveries/${shown.id}/redeliver`)
        yield* until(isAt("delivered"))
        assert.strictEqual(new Set(receiver.received.map((one) => one.headers["webhook-id"])).size, 1)
        assert.strictEqual(receiver.received.length, 3)
        assert.deepInclude((yield* ask("GET", `/${id}`)).json, { waiting: 0, failures: 0 })

        status = 410
        yield* ask("POST", `/${id}/test`)
        yield* until(isAt("dead"))
        assert.deepInclude((yield* ask("GET", `/${id}`)).json, { active: false, disabledReason: "gone" })
        for (const path of [`/${id}/test`, `/${id}/deliveries/${shown.id}/redeliver`]) {
          const refused = yield* ask("POST", path)
          assert.strictEqual(refused.status, 409)
          assert.strictEqual(refused.json.detail, `webhook ${id} is switched off`)
        }
      })
  )

  it.scoped("are given page by page, the newest first, by status", () =>
    Effect.gen(function* () {
      const hooks = yield* Hooks.make()
      const ask = yield* serve(hooks)
      const { id } = (yield* ask("POST", "", { url })).json
      const other = (yield* ask("POST", "", { url })).json.id
      yield* Hooks.fanOut(
        hooks,
        Array.from({ length: 7 }, (_, index) => Hooks.event(index + 1))
      )
      const seen: Array<string> = []
      let cursor = ""
      for (let page = 0; page < 4; page++) {
        const { json } = yield* ask("GET", `/${id}/deliveries?limit=2${cursor}`)
        seen.push(...json.deliveries.map(({ messageId }: Service.Json) => messageId))
        assert.strictEqual(json.next === null, page === 3)
        cursor = `&cursor=${json.next}`
      }
      assert.deepStrictEqual(
        seen,
        [7, 6, 5, 4, 3, 2, 1].map((number) => `${id}_${number}`)
      )
      for (const [state, count] of [
        ["pending", 7],
        ["delivered", 0],
        ["dead", 0]
      ] as const) {
        const { json } = yield* ask("GET", `/${other}/deliveries?status=${state}`)
        assert.strictEqual(json.deliveries.length, count)
      }
      assert.strictEqual((yield* ask("GET", `/${id}/deliveries?status=lost`)).status, 400)
      // What belongs to another is not there.
      const { deliveries } = (yield* ask("GET", `/${other}/deliveries`)).json
      const foreign = yield* ask("POST", `/${id}/deliveries/${deliveries[0].id}/redeliver`)
      assert.strictEqual(foreign.status, 404)
      assert.strictEqual((yield* ask("DELETE", `/${id}`)).status, 204)
      const left = yield* hooks.read<{ count: number }>`SELECT count(*) AS count FROM webhook_delivery`
      assert.strictEqual(left[0]!.count, 7)
    })
  )
})
