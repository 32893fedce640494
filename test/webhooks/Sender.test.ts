/** One attempt, over real sockets. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import { Webhook } from "standardwebhooks"
import * as IpAddress from "../../src/net/IpAddress.js"
import * as Tracing from "../../src/telemetry/Tracing.js"
import * as Endpoint from "../../src/webhooks/Endpoint.js"
import * as Resolver from "../../src/webhooks/Resolver.js"
import * as Sender from "../../src/webhooks/Sender.js"
import * as Signature from "../../src/webhooks/Signature.js"
import * as WebhookConfig from "../../src/webhooks/WebhookConfig.js"
import * as Receiver from "./Receiver.js"
import * as SelfSigned from "./SelfSigned.js"

const loopback: ReadonlyArray<IpAddress.Range> = [IpAddress.parseRange("127.0.0.0/8")!]
const open = { ...WebhookConfig.defaults, allowHttp: true, allowPrivate: loopback }
const secret = Signature.generate()

const senderOf = (
  config: Partial<WebhookConfig.WebhookConfig> = {},
  resolve: (name: string) => ReadonlyArray<string> | undefined = () => undefined
) =>
  Effect.map(
    Layer.build(Layer.provide(Sender.layer({ ...open, ...config }), Resolver.layerTest(resolve))),
    Context.get(Sender.Sender)
  )

const to = (url: string, body = "{}"): Sender.Attempt => ({
  url,
  messageId: "msg_1",
  body,
  secrets: [secret]
})

const until = (condition: () => boolean) =>
  Effect.repeat(Effect.sync(condition), { until: (is) => is, schedule: Schedule.spaced("5 millis") }).pipe(
    Effect.timeoutFail({ duration: "10 seconds", onTimeout: () => new Error("it did not come to that") })
  )

const status = (outcome: Sender.Outcome) => (outcome._tag === "Answered" ? outcome.status : outcome.message)

describe("an attempt", () => {
  it.scopedLive("is a POST that the reference verifier accepts, and gives back the answer", () =>
    Effect.gen(function* () {
      const receiver = yield* Receiver.make((response) => response.writeHead(202).end("taken"))
      const sender = yield* senderOf()
      const body = JSON.stringify({ type: "test", data: { text: "grüße ☃" } })
      const outcome = yield* sender.send(to(`${receiver.url}?a=b`, body))
      assert.deepInclude(outcome, {
        _tag: "Answered",
        status: 202,
        body: "taken",
        retryAfterMillis: undefined
      })
      const [received] = receiver.received
      assert.strictEqual(received!.method, "POST")
      assert.strictEqual(received!.url, "/hook?a=b")
      assert.strictEqual(received!.headers["content-type"], "application/json")
      assert.strictEqual(received!.headers["webhook-id"], "msg_1")
      assert.deepStrictEqual(
        new Webhook(Redacted.value(secret)).verify(received!.body, received!.headers),
        JSON.parse(body)
      )
      assert.notInclude(JSON.stringify(outcome), Redacted.value(secret).slice(6))
    })
  )

  it.scopedLive("carries the context of its trace where that is recorded, and none where nobody traces", () =>
    Effect.gen(function* () {
      const receiver = yield* Receiver.make((response) => response.writeHead(202).end())
      const sender = yield* senderOf()
      yield* sender.send(to(receiver.url))
      yield* sender.send(to(receiver.url)).pipe(Effect.provide(Tracing.layerNone))
      const [recorded, unrecorded] = receiver.received
      assert.match(String(recorded?.headers.traceparent), /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
      assert.notProperty(unrecorded?.headers, "traceparent")
    })
  )

  it.scopedLive("does not follow redirects", () =>
    Effect.gen(function* () {
      const inside = yield* Receiver.make()
      const receiver = yield* Receiver.make((response) =>
        response.writeHead(307, { location: inside.url }).end()
      )
      assert.strictEqual(status(yield* (yield* senderOf()).send(to(receiver.url))), 307)
      assert.strictEqual(inside.received.length, 0)
    })
  )

  it.scopedLive("reads no more of an answer than a little, and does not wait for its end", () =>
    Effect.gen(function* () {
      const receiver = yield* Receiver.make((response) => {
        response.writeHead(200)
        const more = () => {
          while (response.writable && response.write("x".repeat(10_000)));
        }
        response.on("drain", more)
        more()
      })
      const outcome = yield* (yield* senderOf({ timeout: Duration.minutes(1) })).send(to(receiver.url))
      assert.deepInclude(outcome, { _tag: "Answered", status: 200, body: "x".repeat(Sender.keptBytes) })
      yield* until(() => receiver.connections.open === 0)
    })
  )

  it.scopedLive("understands Retry-After", () =>
    Effect.gen(function* () {
      const receiver = yield* Receiver.make((response) =>
        response.writeHead(429, { "retry-after": "7" }).end("\0slow down")
      )
      const outcome = yield* (yield* senderOf()).send(to(receiver.url))
      assert.deepInclude(outcome, { status: 429, retryAfterMillis: 7000, body: "\ufffdslow down" })
    })
  )

  it.scopedLive(
    "ends at the timeout when no answer comes, and with the status when only its body does not",
    () =>
      Effect.gen(function* () {
        const sender = yield* senderOf({ timeout: Duration.millis(300) })
        const silent = yield* Receiver.make(() => {})
        assert.deepInclude(yield* sender.send(to(silent.url)), { message: "it took too long" })
        yield* until(() => silent.connections.open === 0)
        const stalling = yield* Receiver.make((response) => response.writeHead(200).write("half"))
        const outcome = yield* sender.send(to(stalling.url))
        assert.deepInclude(outcome, { _tag: "Answered", status: 200, body: "half" })
        assert.isAtLeast(outcome.latencyMillis, 250)
        yield* until(() => stalling.connections.open === 0)
      })
  )

  it.scopedLive("that gets no answer says why", () =>
    Effect.gen(function* () {
      const sender = yield* senderOf()
      const closed = yield* Effect.scoped(Receiver.make())
      assert.match(String(status(yield* sender.send(to(closed.url)))), /ECONNREFUSED/)
      const rude = yield* Receiver.make((_response, _received, socket) => socket.destroy())
      assert.match(String(status(yield* sender.send(to(rude.url)))), /socket hang up/)
      const other = yield* Receiver.make((_response, _received, socket) => socket.end("220 smtp ready\r\n"))
      assert.match(String(status(yield* sender.send(to(other.url)))), /Parse Error/)
      const switching = yield* Receiver.make((_response, _received, socket) =>
        socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n")
      )
      const outcome = yield* sender.send(to(switching.url))
      assert.strictEqual(outcome._tag, "Unanswered")
    })
  )

  it.scopedLive("is given up when it is interrupted, with its connection", () =>
    Effect.gen(function* () {
      const silent = yield* Receiver.make(() => {})
      const fiber = yield* Effect.fork((yield* senderOf()).send(to(silent.url)))
      yield* until(() => silent.received.length === 1)
      yield* Fiber.interrupt(fiber)
      yield* until(() => silent.connections.open === 0)
    })
  )
})

describe("connections", () => {
  it.scopedLive("are kept and bounded for an endpoint, and closed with the sender", () =>
    Effect.gen(function* () {
      const receiver = yield* Receiver.make()
      yield* Effect.scoped(
        Effect.gen(function* () {
          const sender = yield* senderOf({ perEndpoint: 2 })
          const outcomes = yield* Effect.forEach(
            Array.from({ length: 12 }),
            () => sender.send(to(receiver.url)),
            {
              concurrency: 12
            }
          )
          assert.deepStrictEqual(new Set(outcomes.map(status)), new Set([200]))
          assert.deepInclude(receiver.connections, { total: 2, most: 2 })
        })
      )
      yield* until(() => receiver.connections.open === 0)
    })
  )

  it.scopedLive("that the endpoint closes at that moment are made anew", () =>
    Effect.gen(function* () {
      let first = true
      const receiver = yield* Receiver.make((response, _, socket) => {
        // The second request on a connection finds it closed.
        if (!first && receiver.received.length === 2) return socket.resetAndDestroy()
        first = false
        response.writeHead(200).end()
      })
      const sender = yield* senderOf()
      assert.strictEqual(status(yield* sender.send(to(receiver.url))), 200)
      assert.strictEqual(status(yield* sender.send(to(receiver.url))), 200)
      assert.strictEqual(receiver.received.length, 3)
      assert.strictEqual(receiver.connections.total, 2)
    })
  )

  it.scopedLive("go to the address that was looked at, whatever the system says of the name", () =>
    Effect.gen(function* () {
      const receiver = yield* Receiver.make()
      const sender = yield* senderOf({}, (name) => (name === "hook.example.com" ? ["127.0.0.1"] : undefined))
      assert.strictEqual(status(yield* sender.send(to(`http://hook.example.com:${receiver.port}/`))), 200)
      assert.strictEqual(receiver.received[0]!.headers.host, `hook.example.com:${receiver.port}`)
    })
  )
})

describe("an endpoint", () => {
  it.scopedLive("whose name is public when it is given and loopback when it is called gets nothing", () =>
    Effect.gen(function* () {
      const receiver = yield* Receiver.make()
      const answers = [["93.184.215.14"], ["127.0.0.1"]]
      const resolve = () => answers.shift() ?? ["127.0.0.1"]
      const policy = { ...WebhookConfig.defaults, allowHttp: true }
      const url = `http://rebinding.example.com:${receiver.port}/`
      const kept = yield* Effect.provide(Endpoint.check(url, policy), Resolver.layerTest(resolve))
      assert.strictEqual(kept, url)
      const sender = yield* senderOf({ allowPrivate: false }, resolve)
      for (let attempt = 0; attempt < 2; attempt++) {
        assert.strictEqual(
          status(yield* sender.send(to(kept))),
          "rebinding.example.com leads to 127.0.0.1, which is a loopback address"
        )
      }
      assert.strictEqual(receiver.connections.total, 0)
    })
  )

  it.scopedLive("that is not allowed any more gets nothing", () =>
    Effect.gen(function* () {
      const receiver = yield* Receiver.make()
      const noHttp = yield* senderOf({ allowHttp: false })
      assert.strictEqual(
        status(yield* noHttp.send(to(receiver.url))),
        "the URL's scheme must be https, not http"
      )
      const noPrivate = yield* senderOf({ allowPrivate: false })
      assert.strictEqual(status(yield* noPrivate.send(to(receiver.url))), "127.0.0.1 is a loopback address")
      assert.strictEqual(
        status(yield* noPrivate.send(to(`http://[::ffff:127.0.0.1]:${receiver.port}/`))),
        "::ffff:7f00:1 is a loopback address"
      )
      assert.strictEqual(receiver.connections.total, 0)
    })
  )

  it.scopedLive("whose name has no address gets nothing, and that is said", () =>
    Effect.gen(function* () {
      const sender = yield* senderOf()
      assert.strictEqual(
        status(yield* sender.send(to("http://nowhere.example.com/"))),
        "nowhere.example.com has no address (ENOTFOUND)"
      )
    })
  )

  it.scopedLive(
    "that does not speak TLS where it should, or with a certificate of its own making, gets nothing",
    () =>
      Effect.gen(function* () {
        const sender = yield* senderOf({}, () => ["127.0.0.1"])
        const plain = yield* Receiver.make()
        const outcome = yield* sender.send(to(plain.url.replace("http:", "https:")))
        assert.strictEqual(outcome._tag, "Unanswered")
        const secure = yield* Receiver.make(Receiver.ok, SelfSigned)
        for (const host of ["127.0.0.1", "hook.example.com"]) {
          const refused = yield* sender.send(to(`https://${host}:${secure.port}/`))
          assert.match(String(status(refused)), /self-signed certificate/)
        }
        assert.strictEqual(plain.received.length + secure.received.length, 0)
      })
  )
})
