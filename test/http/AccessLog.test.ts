import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as AccessLog from "../../src/http/AccessLog.js"
import * as ClientAddress from "../../src/http/ClientAddress.js"
import type { Observed } from "../../src/http/RequestObserver.js"
import * as RequestObserver from "../../src/http/RequestObserver.js"
import { connect, request } from "./support/RawClient.js"
import { serve } from "./support/Harness.js"

const told = (
  which: AccessLog.Which,
  path: string,
  status: number,
  outcome: Observed["outcome"] = "answered"
) => AccessLog.isTold(which, { path, status, outcome } as Observed)

describe("the access log", () => {
  it("tells everything, or what failed, or nothing; of probes only what is no answer of theirs", () => {
    const rows: ReadonlyArray<readonly [string, number, Observed["outcome"], boolean, boolean]> = [
      ["/api/ledgers", 200, "answered", false, true],
      ["/api/ledgers", 404, "answered", false, true],
      ["/api/ledgers", 500, "answered", true, true],
      ["/api/ledgers", 503, "interrupted", true, true],
      ["/api/events", 200, "interrupted", true, true],
      ["/api/events", 200, "aborted", false, true],
      ["", 400, "answered", false, true],
      ["/health", 200, "answered", false, false],
      ["/health/ready", 503, "answered", false, false],
      ["/metrics", 200, "answered", false, false],
      ["/metrics", 500, "answered", true, true],
      ["/healthy", 200, "answered", false, true]
    ]
    for (const [path, status, outcome, errors, all] of rows) {
      const row = [path, status, outcome].join(" ")
      assert.strictEqual(told("errors", path, status, outcome), errors, row)
      assert.strictEqual(told("all", path, status, outcome), all, row)
      assert.isFalse(told("off", path, status, outcome), row)
    }
  })

  it.effect("tells failures unless something else is said, and refuses what it does not know", () =>
    Effect.gen(function* () {
      const read = (value?: string) =>
        Effect.withConfigProvider(
          Effect.either(AccessLog.config),
          ConfigProvider.fromMap(new Map(value === undefined ? [] : [["ACCESS_LOG", value]]))
        )
      assert.strictEqual(Either.getOrThrow(yield* read()), "errors")
      assert.strictEqual(Either.getOrThrow(yield* read("all")), "all")
      assert.isTrue(Either.isLeft(yield* read("some")))
    })
  )

  it.scopedLive("is a line for each request, without its query, with the client that proxies name", () =>
    Effect.gen(function* () {
      const lines: Array<Record<string, unknown>> = []
      const logger = Logger.make(({ annotations, message }) => {
        lines.push({ message, ...Object.fromEntries(HashMap.toEntries(annotations)) })
      })
      const server = yield* serve()
      const trusted = Either.getOrThrow(ClientAddress.parseTrusted("loopback"))
      yield* AccessLog.layer("all").pipe(
        Layer.provide(Layer.succeed(RequestObserver.RequestObserver, server.observer)),
        Layer.provide(ClientAddress.layer(trusted)),
        Layer.build,
        Effect.provide(Logger.replace(Logger.defaultLogger, logger))
      )
      const client = yield* connect(server.port)
      const headers = "x-request-id: mine\r\nx-forwarded-for: 203.0.113.7\r\n"
      yield* client.send(request("POST", "/echo?token=secret", headers, "abc"))
      yield* client.answer()
      const broken = yield* connect(server.port)
      yield* broken.send("BAD\r\n\r\n")
      yield* broken.answer()
      yield* Effect.sleep("2 millis").pipe(Effect.repeat({ while: () => lines.length < 2 }))
      const [first = {}, second = {}] = lines
      assert.deepStrictEqual(
        { ...first, duration_ms: typeof first["duration_ms"], bytes: typeof first["bytes"] },
        {
          message: ["request"],
          component: "http",
          event_type: "request",
          method: "POST",
          path: "/echo",
          status: 200,
          duration_ms: "number",
          bytes: "number",
          request_id: "mine",
          client: "203.0.113.7"
        }
      )
      assert.deepInclude(second, { method: "", path: "", status: 400, client: "127.0.0.1" })
    })
  )
})
