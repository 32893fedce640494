import { assert, describe, it } from "@effect/vitest"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type Answer, connect, request } from "./support/RawClient.js"
import { serve } from "./support/Harness.js"

const isProblem = (answer: Answer, status: number) => {
  assert.strictEqual(answer.status, status)
  assert.strictEqual(answer.headers["content-type"], "application/problem+json")
  assert.strictEqual(JSON.parse(answer.body).status, status)
}

const chunk = (size: number) => `${size.toString(16)}\r\n${"x".repeat(size)}\r\n`
const chunkedHead = "POST /echo HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n"

describe("Limits", () => {
  it.scopedLive("a body over the limit gets 413 from its head alone, and nothing is run", () =>
    Effect.gen(function* () {
      let runs = 0
      const server = yield* serve({
        config: { maxBody: 1024 },
        app: Effect.sync(() => {
          runs++
          return HttpServerResponse.empty()
        })
      })
      const client = yield* connect(server.port)
      yield* client.send("POST / HTTP/1.1\r\nhost: test\r\ncontent-length: 1025\r\n\r\n")
      const answer = yield* client.answer()
      isProblem(answer, 413)
      assert.strictEqual(answer.headers["connection"], "close")
      assert.strictEqual(yield* client.ended, "fin")
      assert.strictEqual(runs, 0)
    })
  )

  it.scopedLive("40 of 40 clients that are still sending when the 413 goes out read it whole", () =>
    Effect.gen(function* () {
      const server = yield* serve({ config: { maxBody: 1024 } })
      const clients = yield* Effect.forEach(Array.from({ length: 40 }), () => connect(server.port))
      yield* Effect.forEach(
        clients,
        (client) =>
          Effect.gen(function* () {
            yield* client.send("POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 2000000\r\n\r\n")
            for (let i = 0; i < 20; i++) {
              yield* client.send("x".repeat(100_000))
              yield* Effect.sleep("2 millis")
            }
            isProblem(yield* client.answer(), 413)
            assert.strictEqual(yield* client.ended, "fin")
          }),
        { concurrency: "unbounded" }
      )
    })
  )

  it.scopedLive(
    "a chunked body that grows past the limit gets 413 when it does, and its handler is interrupted",
    () =>
      Effect.gen(function* () {
        let interrupted = false
        const server = yield* serve({
          config: { maxBody: 10_000 },
          app: Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
            Effect.map(request.text, (text) => HttpServerResponse.text(`${text.length}`))
          ).pipe(Effect.onInterrupt(() => Effect.sync(() => (interrupted = true))))
        })
        const within = yield* connect(server.port)
        yield* within.send(chunkedHead + chunk(5000) + chunk(5000) + "0\r\n\r\n")
        assert.strictEqual((yield* within.answer()).body, "10000")
        const beyond = yield* connect(server.port)
        yield* beyond.send(chunkedHead + chunk(5000) + chunk(5000))
        yield* Effect.sleep("20 millis")
        assert.strictEqual(beyond.answers.length, 0)
        yield* beyond.send(chunk(1))
        isProblem(yield* beyond.answer(), 413)
        yield* beyond.send(chunk(100_000) + "0\r\n\r\n")
        assert.strictEqual(yield* beyond.ended, "fin")
        assert.isTrue(interrupted)
        assert.strictEqual(server.inFlight.unsafeNumbers().requests, 0)
      })
  )

  it.scopedLive("a handler that stops reading a body does not cost the client its answer", () =>
    Effect.gen(function* () {
      const server = yield* serve({
        app: Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
          Effect.as(
            Stream.runDrain(Stream.take(request.stream, 1)),
            HttpServerResponse.text("enough", { status: 422 })
          )
        )
      })
      const client = yield* connect(server.port)
      yield* client.send("POST / HTTP/1.1\r\nhost: test\r\ncontent-length: 500000\r\n\r\n")
      for (let i = 0; i < 50; i++) {
        yield* client.send("x".repeat(10_000))
        yield* Effect.sleep("1 millis")
      }
      assert.deepInclude(yield* client.answer(), { status: 422, body: "enough" })
      yield* client.send(request("POST", "/", "", "again"))
      assert.deepInclude(yield* client.answer(2), { status: 422, body: "enough" })
    })
  )

  for (const [what, bytes, status] of [
    ["garbage", "garbage\r\n\r\n", 400],
    [
      "a head that is too large",
      `GET / HTTP/1.1\r\nhost: test\r\nx-filler: ${"x".repeat(20_000)}\r\n\r\n`,
      431
    ],
    ["a request without Host", "GET / HTTP/1.1\r\n\r\n", 400],
    [
      "two lengths",
      "POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
      400
    ],
    [
      "a length beside chunks",
      "POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      400
    ],
    ["a broken chunk", `${chunkedHead}zz\r\n`, 400],
    ["an unknown expectation", "GET / HTTP/1.1\r\nhost: test\r\nexpect: wonders\r\n\r\n", 417]
  ] as const) {
    it.scopedLive(`${what} gets ${status}, as a problem`, () =>
      Effect.gen(function* () {
        const server = yield* serve()
        const client = yield* connect(server.port)
        yield* client.send(bytes)
        const answer = yield* client.answer()
        isProblem(answer, status)
        assert.strictEqual(answer.headers["connection"], "close")
        assert.strictEqual(yield* client.ended, "fin")
        assert.strictEqual(client.answers.length, 1)
        assert.strictEqual(server.inFlight.unsafeNumbers().requests, 0)
      })
    )
  }

  it.scopedLive("garbage behind a good request does not spoil its answer", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const client = yield* connect(server.port)
      yield* client.send(request("GET", "/slow/30") + "garbage\r\n\r\n")
      assert.strictEqual((yield* client.answer(1)).body, "slow")
      isProblem(yield* client.answer(2), 400)
      assert.strictEqual(yield* client.ended, "fin")
    })
  )

  it.scopedLive(
    "slow loris: heads that trickle, bodies that stall and silent connections get 408 in time",
    () =>
      Effect.gen(function* () {
        const server = yield* serve({
          config: { headersTimeout: Duration.millis(150), requestTimeout: Duration.millis(400) }
        })
        const trickle = yield* connect(server.port)
        const stall = yield* connect(server.port)
        const silent = yield* connect(server.port)
        yield* stall.send("POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 100\r\n\r\nabc")
        yield* trickle.send("GET / HTTP/1.1\r\nhost: test\r\nx-trickle: ")
        yield* Effect.fork(
          Effect.forever(Effect.zipRight(trickle.send("x"), Effect.sleep("20 millis"))).pipe(
            Effect.timeout("200 millis"),
            Effect.ignore
          )
        )
        isProblem(yield* trickle.answer(), 408)
        isProblem(yield* silent.answer(), 408)
        assert.strictEqual(stall.answers.length, 0)
        isProblem(yield* stall.answer(), 408)
        assert.strictEqual(yield* stall.ended, "fin")
        assert.strictEqual(server.inFlight.unsafeNumbers().requests, 0)
      })
  )

  it.scopedLive("the request timeout does not cut a handler that takes its time", () =>
    Effect.gen(function* () {
      const server = yield* serve({
        config: { headersTimeout: Duration.millis(100), requestTimeout: Duration.millis(100) }
      })
      const client = yield* connect(server.port)
      assert.strictEqual((yield* client.get("/slow/400")).body, "slow")
    })
  )

  it.scopedLive("Expect: 100-continue is granted, and refused together with the body", () =>
    Effect.gen(function* () {
      const server = yield* serve({ config: { maxBody: 1024 } })
      const head = (length: number) =>
        `POST /echo HTTP/1.1\r\nhost: test\r\nexpect: 100-continue\r\ncontent-length: ${length}\r\n\r\n`
      const fine = yield* connect(server.port)
      yield* fine.send(head(3))
      assert.strictEqual((yield* fine.answer(1)).status, 100)
      yield* fine.send("abc")
      assert.strictEqual((yield* fine.answer(2)).body, "3")
      const long = yield* connect(server.port)
      yield* long.send(head(5000))
      isProblem(yield* long.answer(1), 413)
      assert.strictEqual(yield* long.ended, "fin")
    })
  )

  it.scopedLive("a connection that stays idle for the keep-alive timeout is closed, not reset", () =>
    Effect.gen(function* () {
      const server = yield* serve({ config: { keepAliveTimeout: Duration.millis(100) } })
      const client = yield* connect(server.port)
      assert.strictEqual((yield* client.get("/")).headers["connection"], "keep-alive")
      assert.strictEqual(yield* client.ended, "fin")
    })
  )

  it.scopedLive("a client that goes away interrupts the fibers that answer it, queued ones too", () =>
    Effect.gen(function* () {
      let interrupted = 0
      const server = yield* serve({
        app: Effect.never.pipe(Effect.onInterrupt(() => Effect.sync(() => interrupted++)))
      })
      const client = yield* connect(server.port)
      yield* client.send(request("GET", "/").repeat(3))
      yield* Effect.sleep("20 millis")
      assert.strictEqual(server.inFlight.unsafeNumbers().requests, 3)
      client.socket.destroy()
      yield* Effect.sleep("30 millis")
      assert.strictEqual(interrupted, 3)
      assert.strictEqual(server.inFlight.unsafeNumbers().requests, 0)
      assert.strictEqual(server.inFlight.unsafeNumbers().connections, 0)
    })
  )
})
