import { assert, describe, it } from "@effect/vitest"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as HashMap from "effect/HashMap"
import type { Observed } from "../../src/http/RequestObserver.js"
import * as ProblemMiddleware from "../../src/http/ProblemMiddleware.js"
import * as Tracked from "../../src/http/Tracked.js"
import { connect, type RawClient, request } from "./support/RawClient.js"
import { type Options, routes, serve, start } from "./support/Harness.js"

const app = ProblemMiddleware.middleware(
  Effect.flatten(
    HttpRouter.toHttpApp(
      Tracked.routed(
        routes.pipe(
          HttpRouter.get(
            "/long/:length",
            Effect.map(HttpRouter.params, ({ length }) => HttpServerResponse.text("x".repeat(Number(length))))
          ),
          HttpRouter.get("/logged", Effect.as(Effect.logInfo("from within"), HttpServerResponse.empty())),
          HttpRouter.get("/never", Effect.never),
          HttpRouter.mountApp("/mounted", HttpServerResponse.text("below"))
        )
      )
    )
  )
)

/** A server, and what was seen of its requests; waits for so many. */
const observed = (options: Options = {}) =>
  Effect.gen(function* () {
    const server = yield* serve({ app, ...options })
    const all: Array<Observed> = []
    yield* server.observer.add((one) => void all.push(one))
    const seen = (count: number) =>
      Effect.sleep("2 millis").pipe(
        Effect.repeat({ while: () => all.length < count }),
        Effect.timeout("8 seconds"),
        Effect.map(() => all)
      )
    return { ...server, all, seen }
  })

const brief = ({ method, outcome, path, route, status }: Observed) => [method, path, route, status, outcome]

/** What came over the connection, to the byte. */
const counting = (client: RawClient) => {
  let bytes = 0
  client.socket.on("data", (chunk: string) => (bytes += chunk.length))
  return () => bytes
}

describe("observation of requests", () => {
  it.scopedLive(
    "tells route, status, time and bytes of each, in the order of the answers, pipelined ones too",
    () =>
      Effect.gen(function* () {
        const server = yield* observed()
        const client = yield* connect(server.port)
        const received = counting(client)
        const paths = ["/slow/40?x=secret", "/long/5000", "/", "/nothing/here", "/mounted/deep"]
        yield* client.send(
          paths.map((path) => request("GET", path)).join("") + request("POST", "/echo", "", "abc")
        )
        yield* client.answer(6)
        const all = yield* server.seen(6)
        assert.deepStrictEqual(all.map(brief), [
          ["GET", "/slow/40", "/slow/:millis", 200, "answered"],
          ["GET", "/long/5000", "/long/:length", 200, "answered"],
          ["GET", "/", "/", 200, "answered"],
          ["GET", "/nothing/here", undefined, 404, "answered"],
          ["GET", "/mounted/deep", "/mounted/*", 200, "answered"],
          ["POST", "/echo", "/echo", 200, "answered"]
        ])
        assert.isAtLeast(all[0]!.durationMillis, 35)
        assert.isAbove(all[1]!.bytes, 5000)
        assert.isBelow(all[2]!.bytes, 1000)
        assert.strictEqual(
          all.reduce((sum, { bytes }) => sum + bytes, 0),
          received()
        )
      })
  )

  it.scopedLive(
    "takes a sane name over, makes one otherwise, and each answer bears it, errors among them",
    () =>
      Effect.gen(function* () {
        const server = yield* observed({ config: { maxBody: 1024 } })
        const client = yield* connect(server.port)
        const name = (path: string, id?: string) =>
          Effect.map(
            client.get(path, id === undefined ? "" : `x-request-id: ${id}\r\n`),
            ({ headers }) => headers["x-request-id"]
          )
        const sane = `AZaz09._~+/=-${"x".repeat(115)}`
        assert.strictEqual(yield* name("/", sane), sane)
        assert.strictEqual(yield* name("/nothing", "one"), "one")
        const made = [
          yield* name("/"),
          yield* name("/"),
          yield* name("/", `${sane}x`),
          yield* name("/", "with space"),
          yield* name("/", 'quo"ted'),
          yield* name("/", "two\r\nx-request-id: three"),
          yield* name("/stream/5")
        ]
        for (const id of made) assert.match(id ?? "", /^[\w-]{8}-[\da-z]+$/)
        assert.strictEqual(new Set(made).size, made.length)
        assert.deepStrictEqual(
          (yield* server.seen(9)).map(({ id }) => id),
          [sane, "one", ...made.map(String)]
        )
        yield* client.send(
          "POST /echo HTTP/1.1\r\nhost: test\r\nx-request-id: big\r\ncontent-length: 1025\r\n\r\n"
        )
        assert.strictEqual((yield* client.answer(10)).headers["x-request-id"], "big")
      })
  )

  it.scopedLive("sees what never reached an app: too long, not HTTP, another protocol", () =>
    Effect.gen(function* () {
      const server = yield* observed({ config: { maxBody: 1024 } })
      const tooLong = yield* connect(server.port)
      yield* tooLong.send("POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 1025\r\n\r\n")
      yield* tooLong.answer()
      const broken = yield* connect(server.port)
      yield* broken.send("BAD\r\n\r\n")
      const answer = yield* broken.answer()
      const other = yield* connect(server.port)
      yield* other.send(
        request("GET", "/ws?token=1", "connection: upgrade\r\nupgrade: websocket\r\nx-request-id: up\r\n")
      )
      assert.strictEqual((yield* other.answer()).headers["x-request-id"], "up")
      const all = yield* server.seen(3)
      assert.deepStrictEqual(all.map(brief), [
        ["POST", "/echo", undefined, 413, "answered"],
        ["", "", undefined, 400, "answered"],
        ["GET", "/ws", undefined, 404, "answered"]
      ])
      assert.strictEqual(all[1]!.id, answer.headers["x-request-id"])
      assert.isAbove(all[1]!.bytes, 100)
    })
  )

  it.scopedLive(
    "tells a client that has left from a request that a stop has cut, with its 503 or in the midst of a stream",
    () =>
      Effect.gen(function* () {
        const server = yield* observed({ graceful: 200, idleGrace: 50 })
        const leaving = yield* connect(server.port)
        yield* leaving.send(request("GET", "/never"))
        yield* leaving.send(request("GET", "/never"))
        const streaming = yield* connect(server.port)
        yield* streaming.send(request("GET", "/deaf"))
        yield* streaming.until(() => streaming.text.includes("tick"))
        const waiting = yield* connect(server.port)
        yield* waiting.send(request("GET", "/slow/60000"))
        yield* Effect.sleep("2 millis").pipe(
          Effect.repeat({ while: () => server.inFlight.unsafeNumbers().requests < 4 })
        )
        leaving.socket.destroy()
        assert.deepStrictEqual((yield* server.seen(2)).map(brief), [
          ["GET", "/never", "/never", 0, "aborted"],
          ["GET", "/never", "/never", 0, "aborted"]
        ])
        const draining = yield* start(server.drain)
        assert.strictEqual((yield* waiting.answer()).status, 503)
        yield* Fiber.join(draining)
        const cut = (yield* server.seen(4)).slice(2).map(brief)
        assert.sameDeepMembers(cut, [
          ["GET", "/slow/60000", "/slow/:millis", 503, "interrupted"],
          ["GET", "/deaf", "/deaf", 200, "interrupted"]
        ])
      })
  )

  it.scopedLive("what is logged on the way bears the request's name", () =>
    Effect.gen(function* () {
      const names: Array<unknown> = []
      const logger = Logger.make(({ annotations }) => {
        names.push(HashMap.unsafeGet(annotations, "request_id"))
      })
      const server = yield* observed().pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
      const client = yield* connect(server.port)
      yield* client.get("/logged", "x-request-id: mine\r\n")
      const { headers } = yield* client.get("/logged")
      assert.deepStrictEqual(names, ["mine", headers["x-request-id"]])
    })
  )
})
