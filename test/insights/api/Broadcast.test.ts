/** The broadcast: who may, what it takes, and that it reaches those who listen. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Service from "../Service.js"
import * as Serving from "./Serving.js"

const send = (ask: Service.Ask, body: unknown, key: string | undefined = Service.key) =>
  ask("/api/broadcast", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(key === "" ? {} : { authorization: `Bearer ${key}` })
    },
    body: typeof body === "string" ? body : JSON.stringify(body)
  })

describe("POST /api/broadcast", () => {
  it.scoped("makes an event of it, on the last ledger, and tells its id; the same twice is two", () =>
    Effect.gen(function* () {
      const { ask, outbox, store } = yield* Serving.make()
      const first = yield* send(ask, { message: "hello" })
      assert.strictEqual(first.status, 202)
      yield* Effect.forEach(Serving.ledgers(2), store.commit)
      const last = (yield* ask("/api/ledgers/latest")).json.sequence
      const notice = { message: "Ledgers are late", title: "Late", level: "warning" }
      const second = yield* send(ask, notice)
      const third = yield* send(ask, notice)
      const events = (yield* outbox.readAfter(0, 10_000)).filter(({ kind }) => kind === "notice")
      assert.deepStrictEqual(
        events.map(({ id, ledger, payload }) => ({ id, ledger, payload })),
        [
          { id: first.json.id, ledger: 0, payload: { title: "", message: "hello", level: "info" } },
          { id: second.json.id, ledger: last, payload: notice },
          { id: third.json.id, ledger: last, payload: notice }
        ]
      )
      assert.strictEqual(new Set(events.map(({ key }) => key)).size, 3)
      assert.strictEqual(yield* outbox.head, third.json.id)
    })
  )

  it.scoped("needs a key", () =>
    Effect.gen(function* () {
      const { ask, outbox } = yield* Serving.make()
      const none = yield* send(ask, { message: "x" }, "")
      assert.strictEqual(none.status, 401)
      assert.strictEqual(none.headers.get("www-authenticate"), "Bearer")
      assert.strictEqual((yield* send(ask, { message: "x" }, "some-other-key-of-16")).status, 401)
      const closed = yield* Serving.make([])
      assert.strictEqual((yield* send(closed.ask, { message: "x" })).status, 403)
      assert.strictEqual(yield* outbox.head, 0)
    })
  )

  it.scoped("refuses what does not fit, by field and with what is allowed", () =>
    Effect.gen(function* () {
      const { ask, outbox } = yield* Serving.make()
      const message = "must be a text of 1 to 2000 characters"
      const wrong: ReadonlyArray<readonly [body: object, parameter: string, allowed: string]> = [
        [{}, "message", `${message}, and is missing`],
        [{ message: "" }, "message", `${message}, not of 0`],
        [{ message: "x".repeat(2001) }, "message", `${message}, not of 2001`],
        [{ message: 7 }, "message", `${message}, not 7`],
        [{ message: null }, "message", `${message}, not null`],
        [
          { message: "x", title: "y".repeat(201) },
          "title",
          "must be a text of 0 to 200 characters, not of 201"
        ],
        [{ message: "x", level: "fatal" }, "level", "must be one of info, warning, error, success"]
      ]
      for (const [body, parameter, allowed] of wrong) {
        const { json, status } = yield* send(ask, body)
        const what = JSON.stringify(body).slice(0, 60)
        assert.strictEqual(status, 400, what)
        assert.deepStrictEqual(
          json.errors.map((error: Service.Json) => error.parameter),
          [parameter],
          what
        )
        assert.include(json.errors[0].allowed, allowed, what)
        assert.isBelow(json.detail.length, 1000)
      }
      const both = yield* send(ask, { message: "", level: "x" })
      assert.lengthOf(both.json.errors, 2)
      assert.strictEqual((yield* send(ask, "{")).status, 400)
      assert.strictEqual(yield* outbox.head, 0)
      const longest = { message: "x".repeat(2000), title: "y".repeat(200), level: "success" }
      assert.strictEqual((yield* send(ask, longest)).status, 202)
    })
  )

  it.scoped("says 503 when the database does not answer", () =>
    Effect.gen(function* () {
      const { ask, database } = yield* Serving.make()
      yield* database.write`DROP TABLE outbox`
      assert.strictEqual((yield* send(ask, { message: "x" })).status, 503)
    })
  )
})
