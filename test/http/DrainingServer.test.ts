import { assert, describe, it } from "@effect/vitest"
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Net from "node:net"
import * as DrainingServer from "../../src/http/DrainingServer.js"
import * as Health from "../../src/http/Health.js"
import * as HealthDetails from "../../src/http/HealthDetails.js"
import * as HttpListener from "../../src/http/HttpListener.js"
import * as ProblemMiddleware from "../../src/http/ProblemMiddleware.js"
import * as ExitCode from "../../src/lifecycle/ExitCode.js"
import * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import { budget } from "./support/Harness.js"
import { connect, isOpen, request } from "./support/RawClient.js"

const freePort = Effect.async<number>((resume) => {
  const server = Net.createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address() as Net.AddressInfo
    server.close(() => resume(Effect.succeed(port)))
  })
})

const layers = (port: number, lifecycle: Lifecycle.Shape) =>
  DrainingServer.layer({ port, host: "127.0.0.1" }).pipe(
    Layer.provideMerge(budget({ idleGrace: 50 })),
    Layer.provideMerge(Layer.succeed(Lifecycle.Lifecycle, lifecycle))
  )

const hello = HttpServer.serve(HttpServerResponse.text("hello"))

describe("DrainingServer", () => {
  it.scopedLive("the port opens last: not with the server's layer, but with the app's", () =>
    Effect.gen(function* () {
      const port = yield* freePort
      const lifecycle = yield* Lifecycle.make(Duration.seconds(5))
      const context = yield* Layer.build(layers(port, lifecycle))
      assert.isFalse(yield* isOpen(port))
      yield* Layer.build(hello).pipe(Effect.provide(context))
      assert.isTrue(yield* isOpen(port))
    })
  )

  it.scopedLive("a service that is stopping never opens the port", () =>
    Effect.gen(function* () {
      const port = yield* freePort
      const lifecycle = yield* Lifecycle.make(Duration.seconds(5))
      const context = yield* Layer.build(layers(port, lifecycle))
      yield* lifecycle.internal.advance("releasing")
      yield* Layer.build(hello).pipe(Effect.provide(context))
      assert.isFalse(yield* isOpen(port))
    })
  )

  it.scopedLive("a signal that waits to be heard while the start is busy keeps the port closed", () =>
    Effect.gen(function* () {
      const port = yield* freePort
      const lifecycle = yield* Lifecycle.make(Duration.seconds(5))
      const context = yield* Layer.build(layers(port, lifecycle))
      // Like a signal: it is told in the loop's next turn, which a busy start does not let it have.
      setImmediate(() => Effect.runFork(lifecycle.internal.advance("releasing")))
      for (const until = performance.now() + 50; performance.now() < until;);
      yield* Layer.build(hello).pipe(Effect.provide(context))
      assert.isFalse(yield* isOpen(port))
    })
  )

  it.scopedLive("with port 0 the address is the real one once it is open", () =>
    Effect.gen(function* () {
      const lifecycle = yield* Lifecycle.make(Duration.seconds(5))
      const context = yield* Layer.build(layers(0, lifecycle))
      const server = Context.get(context, HttpServer.HttpServer)
      assert.deepInclude(server.address, { port: 0 })
      yield* Layer.build(hello).pipe(Effect.provide(context))
      assert.isTrue(server.address._tag === "TcpAddress" && server.address.port > 0)
    })
  )

  it.scopedLive("a port in use is one line that names key, host and port, and exit code 1", () =>
    Effect.gen(function* () {
      const port = yield* freePort
      const lifecycle = yield* Lifecycle.make(Duration.seconds(5))
      const first = yield* Layer.build(layers(port, lifecycle))
      yield* Layer.build(hello).pipe(Effect.provide(first))
      const second = yield* Layer.build(Layer.fresh(layers(port, lifecycle)))
      const plain = yield* Effect.exit(Layer.build(hello).pipe(Effect.provide(second)))
      const typed = yield* Effect.exit(
        Layer.build(DrainingServer.withListenFailed(hello)).pipe(Effect.provide(second))
      )
      for (const exit of [plain, typed]) {
        assert.isTrue(Exit.isFailure(exit))
        if (Exit.isSuccess(exit)) return
        assert.strictEqual(ExitCode.ofCause(exit.cause), 1)
        const error = Cause.squash(exit.cause)
        assert.instanceOf(error, HttpListener.ListenFailed)
        assert.match(
          (error as Error).message,
          new RegExp(`^SERVER_PORT=${port}: 127\\.0\\.0\\.1:${port} is in use[^\\n]*$`)
        )
      }
      assert.isTrue(Exit.isFailure(typed) && Cause.isFailType(typed.cause))
    })
  )

  it.scopedLive("a host that is not this machine's is a matter of configuration: exit code 2", () =>
    Effect.gen(function* () {
      const lifecycle = yield* Lifecycle.make(Duration.seconds(5))
      const server = DrainingServer.layer({ port: 0, host: "192.0.2.1" }).pipe(
        Layer.provide(budget({})),
        Layer.provide(Layer.succeed(Lifecycle.Lifecycle, lifecycle))
      )
      const exit = yield* Effect.exit(
        Layer.build(DrainingServer.withListenFailed(hello).pipe(Layer.provide(server)))
      )
      assert.strictEqual(Exit.isFailure(exit) && ExitCode.ofCause(exit.cause), 2)
    })
  )

  it.scopedLive("serves an HttpApi unchanged, with problems for what is wrong and health beside it", () =>
    Effect.gen(function* () {
      const Limit = Schema.NumberFromString.pipe(
        Schema.int(),
        Schema.between(1, 200, { message: () => "allowed is 1 to 200" })
      )
      const api = HttpApi.make("api").add(
        HttpApiGroup.make("items")
          .add(
            HttpApiEndpoint.get("list", "/items")
              .setUrlParams(Schema.Struct({ limit: Limit }))
              .addSuccess(Schema.Number)
          )
          .add(HttpApiEndpoint.get("dies", "/dies").addSuccess(Schema.Number))
      )
      const items = HttpApiBuilder.group(api, "items", (handlers) =>
        handlers
          .handle("list", ({ urlParams }) => Effect.succeed(urlParams.limit))
          .handle("dies", () => Effect.die("secret inside"))
      )
      const lifecycle = yield* Lifecycle.make(Duration.seconds(5))
      const context = yield* Layer.build(layers(0, lifecycle))
      yield* HttpApiBuilder.serve().pipe(
        Layer.provide(HttpApiBuilder.api(api)),
        Layer.provide(items),
        Layer.provide([ProblemMiddleware.layer, Health.layer]),
        Layer.provide(HealthDetails.layer),
        Layer.provide(Layer.succeedContext(context)),
        Layer.build
      )
      const { address } = Context.get(context, HttpServer.HttpServer)
      const client = yield* connect(address._tag === "TcpAddress" ? address.port : 0)
      assert.deepInclude(yield* client.get("/items?limit=7"), { status: 200, body: "7" })
      const bad = yield* client.get("/items?limit=201")
      assert.strictEqual(bad.status, 400)
      assert.strictEqual(bad.headers["content-type"], "application/problem+json")
      assert.deepStrictEqual(JSON.parse(bad.body).errors, [
        { parameter: "limit", value: "201", allowed: "allowed is 1 to 200" }
      ])
      assert.include(JSON.parse(bad.body).detail, `limit="201"`)
      const missing = yield* client.get("/items")
      assert.deepInclude(JSON.parse(missing.body).errors[0], { parameter: "limit", value: null })
      const nowhere = yield* client.get("/nowhere?token=secret")
      assert.strictEqual(nowhere.status, 404)
      assert.deepInclude(JSON.parse(nowhere.body), {
        title: "Not Found",
        detail: "there is nothing at GET /nowhere"
      })
      const died = yield* client.get("/dies")
      assert.strictEqual(died.status, 500)
      assert.notInclude(died.body, "secret")
      assert.strictEqual((yield* client.get("/health/live")).status, 200)
      assert.strictEqual((yield* client.get("/health/ready")).status, 503)
      yield* client.send(request("POST", "/items"))
      assert.strictEqual((yield* client.answer(client.answers.length + 1)).status, 405)
    })
  )
})
