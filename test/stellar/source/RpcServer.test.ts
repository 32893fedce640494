import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Inspectable from "effect/Inspectable"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import type { RawLedger, Shape } from "../../../src/stellar/source/LedgerSource.js"
import * as RpcSource from "../../../src/stellar/source/RpcSource.js"
import * as RpcUrl from "../../../src/stellar/source/RpcUrl.js"
import * as SimulatedSource from "../../../src/stellar/source/SimulatedSource.js"
import { misbehaviours as bad, rpcError, status } from "../../support/RpcNode.js"
import * as RpcServer from "../../support/RpcServer.js"

const networkPassphrase = SimulatedSource.passphrase

const simulated = SimulatedSource.make({ interval: 0, transactions: 0 })
  .ledgers(2, undefined)
  .pipe(Stream.take(20), Stream.runCollect, Effect.map(Array.from<RawLedger>))

/** A server with ledgers 2 to 21, and a source on it. */
const setUp = Effect.fnUntraced(function* (
  options: Partial<RpcSource.Options> = {},
  urlOf: (url: string) => string = (url) => url
) {
  const ledgers = yield* simulated
  const server = yield* RpcServer.make({ ledgers, networkPassphrase })
  const source = yield* RpcSource.make({
    endpoint: RpcUrl.parse(urlOf(server.url))!,
    networkPassphrase,
    pollInterval: "20 millis",
    ...options
  }).pipe(Effect.provide(FetchHttpClient.layer))
  return { ledgers, server, source }
})

/** Waits until something is so, five seconds at most. */
const until = (holds: () => boolean) =>
  Effect.sync(holds).pipe(
    Effect.zipLeft(Effect.sleep("5 millis")),
    Effect.repeat({ until: (does) => does }),
    Effect.timeout("5 seconds"),
    Effect.orDie
  )

const take = (source: Shape, start: number, count: number) =>
  Effect.map(Stream.runCollect(Stream.take(source.ledgers(start, undefined), count)), Array.from<RawLedger>)

describe("RpcSource over HTTP", () => {
  it.scopedLive("goes on after connections that are cut and answers that stall, with the same bytes", () =>
    Effect.gen(function* () {
      const { ledgers, server, source } = yield* setUp({ requestTimeout: "2 seconds", pageSize: 6 })
      server.misbehave("getLedgers", bad.cut, bad.stalled)
      const found = yield* take(source, 2, 20)
      for (const [i, { bytes, object, sequence }] of found.entries()) {
        assert.strictEqual(sequence, 2 + i)
        assert.strictEqual(object, `${new URL(server.url).origin} ledger ${sequence}`)
        assert.isTrue(Buffer.from(bytes).equals(ledgers[i]!.bytes))
      }
      assert.deepStrictEqual(server.questions.slice(0, 4), [
        "getNetwork",
        "getLedgers 2 6",
        "getLedgers 2 3",
        "getLedgers 2 1"
      ])
    })
  )

  it.scopedLive("stops at once, whatever it is waiting for, and leaves no request behind", () =>
    Effect.gen(function* () {
      for (const what of [
        bad.silent,
        bad.stalled,
        status(503, { "retry-after": "60" }),
        rpcError(-32600, "start ledger (2) must be between the oldest ledger: 1 and the latest ledger: 1")
      ]) {
        const { server, source } = yield* setUp({ pollInterval: "1 minute" })
        server.misbehave("getLedgers", what)
        const fiber = yield* Effect.fork(Stream.runDrain(source.ledgers(2, undefined)))
        yield* until(() => server.questions.length === 2)
        yield* Effect.sleep("20 millis")
        assert.strictEqual(server.unanswered(), what === bad.silent || what === bad.stalled ? 1 : 0)
        const [took] = yield* Effect.timed(Fiber.interrupt(fiber))
        assert.isBelow(Duration.toMillis(took), 500)
        yield* until(() => server.unanswered() === 0)
        const asked = server.questions.length
        yield* Effect.sleep("60 millis")
        assert.strictEqual(server.questions.length, asked)
      }
    })
  )

  it.scopedLive("asks for smaller pages when one is larger than an answer may be, down to one ledger", () =>
    Effect.gen(function* () {
      const { server, source } = yield* setUp({ pageSize: 8, maximumResponseSize: 5000 })
      const found = yield* take(source, 2, 3)
      assert.deepStrictEqual(
        found.map(({ sequence }) => sequence),
        [2, 3, 4]
      )
      const sizes = server.questions.filter((q) => q.startsWith("getLedgers 2 ")).map((q) => q.split(" ")[2])
      assert.deepStrictEqual(sizes.slice(0, 2), ["8", "4"])
    })
  )

  it.scopedLive("sends its credentials, and shows them nowhere", () => {
    const shown: Array<string> = []
    const logger = Logger.map(Logger.logfmtLogger, (line) => void shown.push(line))
    const tracer = Tracer.make({
      span: (name, parent, context, links, startTime, kind) => {
        const attributes = new Map<string, unknown>()
        return {
          _tag: "Span",
          name,
          spanId: "1",
          traceId: "1",
          parent,
          context,
          status: { _tag: "Started", startTime },
          attributes,
          links: [...links],
          sampled: true,
          kind,
          end: () => void shown.push(name, ...Array.from(attributes, (pair) => pair.map(String).join("="))),
          attribute: (key, value) => void attributes.set(key, value),
          event: (event) => void shown.push(event),
          addLinks: () => undefined
        }
      },
      context: (run) => run()
    })
    return Effect.gen(function* () {
      const { server, source } = yield* setUp({ requestTimeout: "200 millis" }, (url) =>
        url.replace("//", "//us3rname:p4ss%20word@").concat("v1/p4th-k3y/?apikey=qu3ry%2Fk3y")
      )
      const echo = `${JSON.stringify(server.url)} p4ss word p4ss%20word us3rname /v1/p4th-k3y/?apikey=qu3ry%2Fk3y qu3ry/k3y`
      server.misbehave("getLedgers", bad.cut, bad.silent, status(200, {}, echo), status(403, {}, echo))
      const first = yield* Effect.flip(take(source, 2, 1))
      assert.include(first.message, "status 403")
      server.misbehave(
        "getLedgers",
        status(200, {}, JSON.stringify({ error: { code: -32010, message: `no such key: ${echo}` } }))
      )
      const second = yield* Effect.flip(take(source, 2, 1))
      assert.include(second.message, "no such key")
      shown.push(source.description)
      for (const error of [first, second]) {
        shown.push(String(error), error.object, Inspectable.toStringUnknown(error), String(error.stack))
      }
      assert.deepStrictEqual(
        [...new Set(server.heads.map((head) => JSON.stringify(head)))],
        [
          JSON.stringify({
            path: "/v1/p4th-k3y/?apikey=qu3ry%2Fk3y",
            authorization: `Basic ${Buffer.from("us3rname:p4ss word").toString("base64")}`
          })
        ]
      )
      assert.isAbove(shown.length, 8)
      for (const secret of ["us3rname", "p4ss", "p4th-k3y", "qu3ry", "dXMzcm5hbWU"]) {
        assert.notInclude(shown.join("\n"), secret)
      }
    }).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)), Effect.withTracer(tracer))
  })

  it.scopedLive("starts where nobody listens, saying so", () => {
    const shown: Array<string> = []
    const logger = Logger.map(Logger.logfmtLogger, (line) => void shown.push(line))
    return Effect.gen(function* () {
      // A port that was free a moment ago.
      const { url } = yield* Effect.scoped(RpcServer.make({ ledgers: [], networkPassphrase }))
      const source = yield* RpcSource.make({ endpoint: RpcUrl.parse(url)!, networkPassphrase }).pipe(
        Effect.provide(FetchHttpClient.layer)
      )
      assert.strictEqual(source.networkPassphrase, networkPassphrase)
      assert.include(shown.join("\n"), "the server was not reached: connect ECONNREFUSED 127.0.0.1")
    }).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
  })
})
