import { assert, describe, it } from "@effect/vitest"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Crowd from "./support/Crowd.js"
import { connect, isOpen, request } from "./support/RawClient.js"
import { serve, start } from "./support/Harness.js"

describe("Drain", () => {
  it.scopedLive("ends at once when nobody is connected", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const millis = yield* server.drain
      assert.isBelow(millis, 150)
      assert.isFalse(yield* isOpen(server.port))
      assert.deepStrictEqual(server.drained(), {
        requestsAtStart: 0,
        connectionsAtStart: 0,
        drained: 0,
        interrupted: 0,
        late: 0
      })
    })
  )

  it.scopedLive(
    "scenario 1: a connection that never sent a byte, and one with half a head, are gone within the idle grace",
    () =>
      Effect.gen(function* () {
        const server = yield* serve({ idleGrace: 200 })
        const silent = yield* connect(server.port, { allowHalfOpen: true })
        const half = yield* connect(server.port)
        yield* half.send("GET / HTTP/1.1\r\nhost: te")
        yield* Effect.sleep("20 millis")
        const millis = yield* server.drain
        assert.isAtLeast(millis, 190)
        assert.isBelow(millis, 300)
        assert.strictEqual(yield* half.ended, "fin")
        assert.strictEqual(yield* silent.ended, "fin")
      })
  )

  it.scopedLive(
    "scenario 2: a new request on a kept-alive connection during the drain is answered, with Connection: close",
    () =>
      Effect.gen(function* () {
        const server = yield* serve()
        const busy = yield* connect(server.port)
        const kept = yield* connect(server.port)
        assert.strictEqual((yield* kept.get("/")).headers["connection"], "keep-alive")
        yield* busy.send(request("GET", "/slow/150"))
        yield* Effect.repeat(server.inFlight.numbers, { until: ({ requests }) => requests === 1 })
        const draining = yield* start(server.drain)
        yield* Effect.sleep("40 millis")
        const answer = yield* kept.get("/")
        assert.strictEqual(answer.status, 200)
        assert.strictEqual(answer.headers["connection"], "close")
        assert.strictEqual(yield* kept.ended, "fin")
        assert.strictEqual((yield* busy.answer()).headers["connection"], "close")
        // No idle connection waits, so the drain ends with the slowest request.
        assert.isBelow(yield* Fiber.join(draining), 150 + 50)
        assert.deepStrictEqual(server.drained(), {
          requestsAtStart: 1,
          connectionsAtStart: 2,
          drained: 2,
          interrupted: 0,
          late: 0
        })
      })
  )

  it.scopedLive(
    "scenario 3: a POST in the instant an idle connection is closed is answered or counted late, never reset",
    () =>
      Effect.gen(function* () {
        const server = yield* serve({ idleGrace: 100 })
        const clients = yield* Effect.forEach(Array.from({ length: 60 }), () => connect(server.port))
        yield* Effect.forEach(clients, (client) => client.get("/"), { concurrency: "unbounded" })
        const draining = yield* Effect.fork(server.drain)
        yield* Effect.forEach(
          clients,
          (client, index) =>
            Effect.sleep(98 + index / 10).pipe(
              Effect.zipRight(client.send(request("POST", "/echo", "", "x".repeat(100)))),
              Effect.zipRight(client.until(() => client.end !== undefined))
            ),
          { concurrency: "unbounded" }
        )
        yield* Fiber.join(draining)
        const answered = clients.filter((client) => client.answers.length === 2).length
        const resets = clients.filter((client) => client.end !== "fin")
        assert.deepStrictEqual(
          resets.map((client) => client.end),
          []
        )
        const count = server.drained()
        assert.strictEqual(count.drained, answered)
      })
  )

  it.scopedLive(
    "scenario 4: a client that polls for ever gets one more answer, then the connection is closed",
    () =>
      Effect.gen(function* () {
        const server = yield* serve({ idleGrace: 2000 })
        const poller = yield* connect(server.port)
        const polling = yield* start(
          Effect.gen(function* () {
            while (poller.end === undefined) {
              const answer = yield* poller.get("/")
              if (answer.headers["connection"] === "close") return
              yield* Effect.sleep("10 millis")
            }
          })
        )
        yield* Effect.sleep("50 millis")
        assert.isBelow(yield* server.drain, 300)
        yield* Fiber.join(polling)
        assert.strictEqual(yield* poller.ended, "fin")
      })
  )

  it.scopedLive("scenario 5: the scope closes only after the requests in it ended or were interrupted", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const server = yield* serve({
        graceful: 100,
        idleGrace: 50,
        app: Effect.sleep("10 seconds").pipe(
          Effect.onInterrupt(() =>
            Effect.sleep("30 millis").pipe(Effect.zipRight(Effect.sync(() => log.push("request"))))
          ),
          Effect.as(HttpServerResponse.empty())
        )
      })
      const client = yield* connect(server.port)
      yield* client.send(request("GET", "/"))
      yield* Effect.sleep("10 millis")
      yield* server.drain
      yield* server.close
      log.push("closed")
      assert.deepStrictEqual(log, ["request", "closed"])
    })
  )

  it.scopedLive(
    "scenario 12: a connection made before the listener closes is served, one after it is refused",
    () =>
      Effect.gen(function* () {
        const server = yield* serve()
        const before = yield* connect(server.port)
        const draining = yield* start(server.drain)
        yield* Effect.sleep("50 millis")
        assert.isFalse(yield* isOpen(server.port))
        assert.strictEqual((yield* before.get("/")).status, 200)
        yield* Fiber.join(draining)
      })
  )

  it.scopedLive("scenario 13: letting go of idle connections leaves busy ones alone", () =>
    Effect.gen(function* () {
      const server = yield* serve({ idleGrace: 50 })
      const idle = yield* Effect.forEach(Array.from({ length: 20 }), () => connect(server.port))
      const busy = yield* connect(server.port)
      yield* busy.send(request("GET", "/slow/250"))
      yield* Effect.sleep("10 millis")
      const draining = yield* start(server.drain)
      for (const client of idle) assert.strictEqual(yield* client.ended, "fin")
      assert.strictEqual((yield* busy.answer()).status, 200)
      yield* Fiber.join(draining)
    })
  )

  it.scopedLive(
    "scenario 15: an endless stream that listens is told and ends whole; a deaf one is cut at the limit",
    () =>
      Effect.gen(function* () {
        const server = yield* serve({ graceful: 300, idleGrace: 50 })
        const listening = yield* connect(server.port)
        const deaf = yield* connect(server.port)
        yield* listening.send(request("GET", "/events"))
        yield* deaf.send(request("GET", "/deaf?token=secret"))
        yield* Effect.sleep("40 millis")
        const millis = yield* server.drain
        yield* server.close
        assert.isAtLeast(millis, 290)
        assert.isBelow(millis, 400)
        assert.match((yield* listening.answer()).body, /data: bye\n\n$/)
        yield* deaf.ended
        // A stream that was cut must not look like one that ended.
        assert.strictEqual(deaf.answers.length, 0)
        const cut = server.interrupted()
        assert.strictEqual(cut.length, 1)
        assert.deepInclude(cut[0], { method: "GET", path: "/deaf" })
        assert.isAtLeast(cut[0]!.ageMillis, 300)
        assert.deepInclude(server.drained(), { drained: 1, interrupted: 1 })
      })
  )

  it.scopedLive("a request that is longer than the limit is cut, counted and told so with a 503", () =>
    Effect.gen(function* () {
      const server = yield* serve({ graceful: 100, idleGrace: 50 })
      const client = yield* connect(server.port)
      yield* client.send(request("GET", "/slow/5000"))
      yield* Effect.sleep("10 millis")
      const millis = yield* server.drain
      assert.isBelow(millis, 200)
      const answer = yield* client.answer()
      assert.deepInclude(answer, { status: 503 })
      assert.deepInclude(answer.headers, { "retry-after": "10", connection: "close" })
      yield* server.close
      assert.deepInclude(server.drained(), { requestsAtStart: 1, drained: 0, interrupted: 1 })
      yield* client.ended
      yield* Effect.sleep("20 millis")
      assert.strictEqual(server.inFlight.unsafeNumbers().connections, 0)
    })
  )

  it.scopedLive("of pipelined requests only the last answer says close, and every one is answered", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const early = yield* connect(server.port)
      const late = yield* connect(server.port)
      const sync = yield* connect(server.port)
      yield* early.send(request("GET", "/slow/60") + request("GET", "/") + request("GET", "/slow/30"))
      yield* Effect.sleep("10 millis")
      const draining = yield* start(server.drain)
      yield* late.send(
        request("GET", "/slow/10") + request("POST", "/echo", "", "abc") + request("GET", "/stream/20")
      )
      yield* sync.send(request("GET", "/").repeat(50))
      for (const [client, n] of [
        [early, 3],
        [late, 3],
        [sync, 50]
      ] as const) {
        yield* client.answer(n)
        assert.strictEqual(yield* client.ended, "fin")
        const said = client.answers.map((answer) => answer.headers["connection"])
        assert.deepStrictEqual(said, [...Array.from({ length: n - 1 }, () => "keep-alive"), "close"])
      }
      yield* Fiber.join(draining)
      assert.deepInclude(server.drained(), { drained: 56, late: 0 })
    })
  )

  it.scopedLive(
    "pipelined requests that wait unread behind a slow reader's answers are answered to the last one",
    () =>
      Effect.gen(function* () {
        const body = "x".repeat(400_000)
        const server = yield* serve({
          app: Effect.as(Effect.sleep("1 millis"), HttpServerResponse.text(body))
        })
        const client = yield* connect(server.port)
        client.socket.pause()
        yield* client.send(request("GET", "/").repeat(50))
        yield* Effect.sleep("100 millis")
        const draining = yield* start(server.drain)
        // The first of these stops the reading, so that the others stay with the system.
        yield* client.send(request("GET", "/").repeat(10))
        yield* Effect.sleep("30 millis")
        yield* client.send(request("GET", "/").repeat(40))
        yield* Effect.sleep("30 millis")
        client.socket.resume()
        yield* client.answer(100)
        assert.strictEqual(yield* client.ended, "fin")
        yield* Fiber.join(draining)
        assert.deepInclude(server.drained(), { interrupted: 0, late: 0 })
      })
  )

  it.scopedLive("an idle connection stays for the idle grace, never closed at once", () =>
    Effect.gen(function* () {
      const server = yield* serve({ idleGrace: 300 })
      const client = yield* connect(server.port)
      yield* client.get("/")
      const draining = yield* start(server.drain)
      yield* Effect.sleep("240 millis")
      assert.strictEqual(client.end, undefined)
      assert.strictEqual((yield* client.get("/")).status, 200)
      assert.isBelow(yield* Fiber.join(draining), 340)
    })
  )

  it.scopedLive(
    "a response in flight at the signal finishes whole; its kept-alive promise is honoured for a grace after",
    () =>
      Effect.gen(function* () {
        const server = yield* serve({ idleGrace: 100 })
        const client = yield* connect(server.port)
        yield* client.send(request("GET", "/stream/250"))
        yield* client.until(() => client.text.includes("part 1"))
        const draining = yield* start(server.drain)
        assert.strictEqual((yield* client.answer()).body, "part 1;part 2;part 3;part 4;part 5;")
        yield* Effect.sleep("60 millis")
        const again = yield* client.get("/")
        assert.strictEqual(again.headers["connection"], "close")
        yield* Fiber.join(draining)
      })
  )

  it.scopedLive("a slow upload that began before the signal is answered", () =>
    Effect.gen(function* () {
      const server = yield* serve({ idleGrace: 50 })
      const client = yield* connect(server.port)
      yield* client.send("POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 100\r\n\r\n")
      yield* Effect.sleep("10 millis")
      const draining = yield* start(server.drain)
      for (let i = 0; i < 10; i++) {
        yield* client.send("0123456789")
        yield* Effect.sleep("20 millis")
      }
      assert.strictEqual((yield* client.answer()).body, "100")
      yield* Fiber.join(draining)
    })
  )

  it.scopedLive("bytes that arrive after our end are counted as late, and the request is not run", () =>
    Effect.gen(function* () {
      let runs = 0
      const server = yield* serve({
        idleGrace: 50,
        app: Effect.sync(() => {
          runs++
          return HttpServerResponse.empty()
        })
      })
      const client = yield* connect(server.port, { allowHalfOpen: true })
      yield* client.get("/")
      // Both fall idle; the other one keeps the drain going for long enough to see the late bytes.
      const draining = yield* start(server.drain)
      assert.strictEqual(yield* client.ended, "fin")
      yield* client.send(request("POST", "/", "", "late"))
      client.socket.end()
      yield* Fiber.join(draining)
      yield* Effect.sleep("20 millis")
      assert.strictEqual(server.inFlight.unsafeNumbers().late, 1)
      assert.strictEqual(runs, 1)
    })
  )

  it.scopedLive("connections in the accept queue of a busy event loop are served: 0 of 160 reset", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const crowd = yield* Crowd.make(server.port, 160)
      crowd.connectWhileBusy(30)
      yield* server.drain
      assert.deepStrictEqual(yield* crowd.outcome, { whole: 160, errors: [] })
    })
  )

  it.scopedLive("however slowly the accept queue is worked off: 0 of 160 reset at 12 ms each", () =>
    Effect.gen(function* () {
      const server = yield* serve({
        app: Effect.sync(() => {
          const until = performance.now() + 12
          while (performance.now() < until);
          return HttpServerResponse.text("hello")
        })
      })
      const crowd = yield* Crowd.make(server.port, 160)
      crowd.connectWhileBusy(30)
      yield* server.drain
      assert.deepStrictEqual(yield* crowd.outcome, { whole: 160, errors: [] })
    })
  )

  it.scopedLive("announcing: everything is accepted and served, and says Connection: close", () =>
    Effect.gen(function* () {
      const server = yield* serve()
      const kept = yield* connect(server.port)
      yield* kept.get("/")
      yield* server.lifecycle.internal.advance("announcing")
      assert.strictEqual((yield* kept.get("/")).headers["connection"], "close")
      assert.strictEqual(yield* kept.ended, "fin")
      const fresh = yield* connect(server.port)
      assert.strictEqual((yield* fresh.get("/")).headers["connection"], "close")
      assert.isTrue(yield* isOpen(server.port))
      yield* server.drain
    })
  )

  for (const [policy, method, status] of [
    ["reject", "GET", 503],
    ["reject", "POST", 503],
    ["read-only", "GET", 200],
    ["read-only", "POST", 503],
    ["serve", "POST", 200]
  ] as const) {
    it.scopedLive(`a ${method} during the drain gets ${status} when new requests are to be: ${policy}`, () =>
      Effect.gen(function* () {
        const server = yield* serve({
          newRequests: policy,
          app: Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
            Effect.map(request.text, (text) => HttpServerResponse.text(text))
          )
        })
        const client = yield* connect(server.port)
        yield* client.get("/")
        yield* server.lifecycle.internal.advance("announcing")
        const announced = yield* connect(server.port)
        yield* announced.send(request(method, "/", "", method === "POST" ? "body" : ""))
        assert.strictEqual((yield* announced.answer()).status, 200)
        const draining = yield* start(server.drain)
        yield* client.send(request(method, "/", "", method === "POST" ? "body" : ""))
        const answer = yield* client.answer(2)
        assert.strictEqual(answer.status, status)
        assert.strictEqual(answer.headers["connection"], "close")
        if (status === 503) {
          assert.strictEqual(answer.headers["retry-after"], "10")
          assert.strictEqual(answer.headers["content-type"], "application/problem+json")
          assert.deepInclude(JSON.parse(answer.body), { status: 503, title: "Service Unavailable" })
        }
        yield* Fiber.join(draining)
      })
    )
  }

  it.scopedLive("a rejected upload is read to its end, so that its sender gets to read the 503", () =>
    Effect.gen(function* () {
      const server = yield* serve({ newRequests: "reject" })
      const client = yield* connect(server.port)
      yield* client.get("/")
      const draining = yield* start(server.drain)
      yield* client.send("POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 1000000\r\n\r\n")
      for (let i = 0; i < 10; i++) {
        yield* client.send("x".repeat(100_000))
        yield* Effect.sleep("5 millis")
      }
      assert.strictEqual((yield* client.answer(2)).status, 503)
      assert.strictEqual(yield* client.ended, "fin")
      assert.isBelow(yield* Fiber.join(draining), 250)
    })
  )

  it.scopedLive(
    "law 7: whatever clients do around the signal, a request that was written before our end is answered whole",
    () =>
      Effect.gen(function* () {
        const server = yield* serve({ idleGrace: 200 })
        let written = 0
        let lost = 0
        const clients = yield* Effect.forEach(Array.from({ length: 64 }), () => connect(server.port))
        const load = yield* Effect.fork(
          Effect.forEach(
            clients,
            (client, seed) =>
              Effect.gen(function* () {
                for (let n = 0; client.end === undefined; n++) {
                  const post = (n + seed) % 3 === 0
                  const path = post
                    ? "/echo"
                    : (n + seed) % 5 === 0
                      ? "/stream/10"
                      : `/slow/${(n + seed) % 10}`
                  written++
                  yield* client.send(request(post ? "POST" : "GET", path, "", post ? "x".repeat(2000) : ""))
                  yield* client.until(() => client.answers.length > n || client.end !== undefined)
                  if (client.answers.length <= n) lost++
                  else if (client.answers[n]?.headers["connection"] === "close") return
                  yield* Effect.sleep((n * 7 + seed) % 20)
                }
              }),
            { concurrency: "unbounded" }
          )
        )
        while (written < 300) yield* Effect.sleep("10 millis")
        yield* server.drain
        yield* Fiber.join(load)
        assert.strictEqual(lost, 0)
        assert.deepInclude(server.drained(), { interrupted: 0, late: 0 })
      })
  )

  it.scopedLive("closing the scope without a drain drains first", () =>
    Effect.gen(function* () {
      const server = yield* serve({ idleGrace: 50 })
      const client = yield* connect(server.port)
      yield* client.send(request("GET", "/slow/100"))
      yield* Effect.sleep("10 millis")
      yield* server.close
      const answer = yield* client.answer()
      assert.strictEqual(answer.status, 200)
      assert.strictEqual(answer.headers["connection"], "close")
      assert.isFalse(yield* isOpen(server.port))
    })
  )

  it.scopedLive("closing the scope without a drain is bounded by the limit", () =>
    Effect.gen(function* () {
      const server = yield* serve({ graceful: 100, idleGrace: 50 })
      const client = yield* connect(server.port)
      yield* client.send(request("GET", "/slow/5000"))
      yield* Effect.sleep("10 millis")
      const [duration] = yield* Effect.timed(server.close)
      assert.isBelow(Duration.toMillis(duration), 400)
      assert.deepInclude(server.drained(), { interrupted: 1 })
    })
  )
})
