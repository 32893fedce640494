import { assert, describe, it } from "@effect/vitest"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Health from "../../src/http/Health.js"
import * as HealthDetails from "../../src/http/HealthDetails.js"
import * as HealthServer from "../../src/http/HealthServer.js"
import * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import { connect, isOpen } from "./support/RawClient.js"
import { type App, serve, start } from "./support/Harness.js"

/** A health listener of its own; ends with its port, and with what closes it. */
const open = Effect.gen(function* () {
  const lifecycle = yield* Lifecycle.make(Duration.seconds(5))
  const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
  const context = yield* HealthServer.layer(0).pipe(
    Layer.provideMerge(HealthDetails.layer),
    Layer.provide(Layer.succeed(Lifecycle.Lifecycle, lifecycle)),
    Layer.buildWithScope(scope)
  )
  const { port } = Context.get(context, HealthServer.HealthServer).address
  return {
    lifecycle,
    port,
    details: Context.get(context, HealthDetails.HealthDetails),
    close: Scope.close(scope, Exit.void)
  }
})

const statuses = (port: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const client = yield* connect(port)
      const live = yield* client.get("/health/live")
      const ready = yield* client.get("/health/ready")
      const startup = yield* client.get("/health/startup")
      return [live.status, ready.status, startup.status]
    })
  )

describe("Health", () => {
  it.scopedLive(
    "scenario 22: live is 200 while draining, ready is 503; startup is 200 once it was ready",
    () =>
      Effect.gen(function* () {
        const server = yield* open
        const { advance } = server.lifecycle.internal
        assert.deepStrictEqual(yield* statuses(server.port), [200, 503, 503])
        yield* advance("ready")
        assert.deepStrictEqual(yield* statuses(server.port), [200, 200, 200])
        for (const phase of ["announcing", "draining", "releasing"] as const) {
          yield* advance(phase)
          assert.deepStrictEqual(yield* statuses(server.port), [200, 503, 200])
        }
      })
  )

  it.scopedLive("a start that failed never counts as started", () =>
    Effect.gen(function* () {
      const server = yield* open
      yield* server.lifecycle.internal.advance("releasing")
      assert.deepStrictEqual(yield* statuses(server.port), [200, 503, 503])
    })
  )

  it.scopedLive("ready names its reasons; everything shows phase, reasons and the sections of others", () =>
    Effect.gen(function* () {
      const server = yield* open
      yield* server.lifecycle.internal.advance("ready")
      yield* server.lifecycle.readiness.add("ingestion", Effect.succeed(Option.some("halted at ledger 7")))
      yield* server.details.add("cache", Effect.succeed({ hits: 3 }))
      yield* server.details.add("broken", Effect.fail("nothing to say"))
      const client = yield* connect(server.port)
      const ready = yield* client.get("/health/ready")
      assert.strictEqual(ready.headers["content-type"], "application/problem+json")
      assert.deepInclude(JSON.parse(ready.body), {
        status: 503,
        phase: "ready",
        reasons: [{ name: "ingestion", reason: "halted at ledger 7" }]
      })
      const all = yield* client.get("/health")
      assert.strictEqual(all.headers["cache-control"], "no-store")
      const body = JSON.parse(all.body)
      assert.deepInclude(body, { status: "not ready", phase: "ready", cache: { hits: 3 } })
      assert.include(body.broken.error, "nothing to say")
      assert.strictEqual((yield* client.get("/elsewhere")).status, 404)
    })
  )

  it.scopedLive("what the service does without leaves it ready, and is told with its reason", () =>
    Effect.gen(function* () {
      const server = yield* open
      let away = Option.none<string>()
      const { readiness } = server.lifecycle
      yield* server.lifecycle.internal.advance("ready")
      yield* readiness.addDegradation(
        "redis",
        Effect.sync(() => away)
      )
      const client = yield* connect(server.port)
      const ask = Effect.gen(function* () {
        const [ready, all] = [yield* client.get("/health/ready"), yield* client.get("/health")]
        const { degraded, status } = JSON.parse(ready.body)
        const { reasons, ...rest } = JSON.parse(all.body)
        assert.deepStrictEqual([rest.status, rest.degraded], [status, degraded])
        assert.deepStrictEqual(reasons, [])
        return [ready.status, status, degraded]
      })
      assert.deepStrictEqual(yield* ask, [200, "ready", []])
      away = Option.some("it does not answer")
      const degraded = [{ name: "redis", reason: "it does not answer" }]
      assert.deepStrictEqual(yield* ask, [200, "degraded", degraded])
      const scoped = Effect.scoped(
        Effect.zipRight(readiness.addDegradation("other", Effect.die(new Error("died"))), ask)
      )
      assert.match(JSON.stringify(yield* scoped), /"name":"other","reason":"the check died: Error: died/)
      assert.deepStrictEqual(yield* ask, [200, "degraded", degraded])
      // Not ready is what counts, and what else is wrong is told all the same.
      yield* readiness.add("ingestion", Effect.succeed(Option.some("halted")))
      const unready = yield* client.get("/health/ready")
      assert.strictEqual(unready.status, 503)
      assert.deepStrictEqual(JSON.parse(unready.body).degraded, degraded)
      assert.strictEqual(JSON.parse((yield* client.get("/health")).body).status, "not ready")
    })
  )

  it.scopedLive("the health listener is released quickly whoever is connected, and closes its port", () =>
    Effect.gen(function* () {
      const server = yield* open
      const idle = yield* connect(server.port)
      yield* idle.get("/health/live")
      const silent = yield* connect(server.port)
      const [duration] = yield* Effect.timed(server.close)
      assert.isBelow(Duration.toMillis(duration), 200)
      assert.strictEqual(yield* idle.ended, "fin")
      assert.strictEqual(yield* silent.ended, "fin")
      assert.isFalse(yield* isOpen(server.port))
    })
  )

  it.scopedLive("probes on the main port are answered during a drain that rejects everything else", () =>
    Effect.gen(function* () {
      const app: App = Effect.scoped(
        Effect.gen(function* () {
          const routes = yield* Health.router
          return yield* Effect.flatten(HttpRouter.toHttpApp(routes))
        })
      ).pipe(Effect.provide(HealthDetails.layer))
      const server = yield* serve({ app, newRequests: "reject" })
      const clients = yield* Effect.forEach([1, 2, 3], () => connect(server.port))
      const draining = yield* start(server.drain)
      const [live, ready, other] = yield* Effect.all([
        clients[0]!.get("/health/live"),
        clients[1]!.get("/health/ready"),
        clients[2]!.get("/other")
      ])
      assert.deepStrictEqual([live.status, ready.status, other.status], [200, 503, 503])
      assert.strictEqual(JSON.parse(ready.body).phase, "draining")
      assert.strictEqual(JSON.parse(other.body).phase, undefined)
      yield* Fiber.join(draining)
    })
  )
})
