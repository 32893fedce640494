/** The stream of events over real sockets: committed ledgers come out of it, also for those who were away. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Scope from "effect/Scope"
import * as Database from "../../../src/insights/Database.js"
import * as LedgerStore from "../../../src/insights/LedgerStore.js"
import * as Outbox from "../../../src/insights/Outbox.js"
import * as RealtimeBroadcaster from "../../../src/insights/tasks/RealtimeBroadcaster.js"
import * as Lifecycle from "../../../src/lifecycle/Lifecycle.js"
import * as LeaseBoard from "../../../src/lease/LeaseBoard.js"
import * as TaskBoard from "../../../src/lifecycle/TaskBoard.js"
import * as Harness from "../../http/support/Harness.js"
import { listen, refusal } from "../../realtime/support/SseClient.js"
import * as Made from "../Made.js"
import * as Service from "../Service.js"

/** The API behind a draining server, with hub and broadcaster, over a file. */
const serve = (config: { readonly url: string; readonly filename: string }) =>
  Effect.gen(function* () {
    const lifecycle = yield* Service.ready
    const layer = RealtimeBroadcaster.layer(Duration.seconds(5)).pipe(
      Layer.provideMerge(Service.hub),
      Layer.provideMerge(Layer.mergeAll(Service.storeOn(config), LeaseBoard.layer, TaskBoard.layer)),
      Layer.provideMerge(Layer.succeed(Lifecycle.Lifecycle, lifecycle))
    )
    const context = yield* Layer.build(layer)
    const store = Context.get(context, LedgerStore.LedgerStore)
    yield* store.claim("a network")
    const { app, context: own } = yield* Effect.provide(Service.appWith([Service.key]), context)
    const server = yield* Harness.serve({
      app: Effect.provide(app, own) as Harness.App,
      lifecycle,
      idleGrace: 100
    })
    const outbox = Context.get(context, Outbox.Outbox)
    const database = Context.get(context, Database.Database)
    return { database, outbox, port: server.port, server, store }
  })

const ledgers = Service.chain(100, 20).map((facts) => Made.full(facts))

/** The ids of the outbox's events of some kinds. */
const idsOf = (outbox: Outbox.Shape, ...kinds: ReadonlyArray<string>) =>
  Effect.map(outbox.readAfter(0, 100_000), (events) =>
    events.filter(({ kind }) => kinds.includes(kind)).map(({ id }) => id)
  )

/** In real time, and quietly: nothing here is about logs. */
const live = <E>(name: string, test: () => Effect.Effect<void, E, Scope.Scope>) =>
  it.scopedLive(name, () => Logger.withMinimumLogLevel(Effect.scoped(test()), LogLevel.None))

describe("GET /api/events", () => {
  live("gives the events of its channels as they are committed, each once and in order", () =>
    Effect.gen(function* () {
      const { outbox, port, store } = yield* serve(yield* Service.fresh)
      const client = yield* listen(port, "/api/events?channels=ledgers,payments")
      const { data } = yield* client.next("connected")
      assert.deepStrictEqual(data, { channels: ["ledgers", "payments", "notices"], lastEventId: 0 })
      yield* Effect.forEach(ledgers.slice(0, 4), store.commit)
      const last = yield* client.next("ledger_closed", 4)
      assert.strictEqual(last.id, String(last.data.id))
      assert.deepInclude(last.data, { channel: "ledgers", type: "ledger_closed" })
      assert.deepInclude(last.data.payload, { ledger: 103, sequence: 103 })
      const ids = yield* idsOf(outbox, "ledger_closed", "new_payment")
      yield* client.until("all of them", () => client.lastEventId === String(ids.at(-1)))
      assert.deepStrictEqual(
        client.events.slice(1).map(({ data }) => data.id),
        ids
      )
      assert.isAbove(ids.length, 4)
    })
  )

  live("gives who comes back what it missed, by header or query, the header first", () =>
    Effect.gen(function* () {
      const { outbox, port, store } = yield* serve(yield* Service.fresh)
      yield* Effect.forEach(ledgers, store.commit)
      const ids = yield* idsOf(outbox, "ledger_closed")
      const path = `/api/events?channels=ledgers&lastEventId=${ids[4]}`
      const byQuery = yield* listen(port, path)
      const byHeader = yield* listen(port, path, { headers: { "last-event-id": String(ids[14]) } })
      yield* byQuery.next("ledger_closed", 15)
      yield* byHeader.next("ledger_closed", 5)
      assert.deepStrictEqual(byQuery.ids("ledger_closed"), ids.slice(5))
      assert.deepStrictEqual(byHeader.ids("ledger_closed"), ids.slice(15))
      assert.deepStrictEqual(byQuery.all("gap"), [])
    })
  )

  live("is over at once when the service stops; after the restart nothing is lost and nothing twice", () =>
    Effect.gen(function* () {
      const config = yield* Service.fresh
      const scope = yield* Scope.make()
      const before = yield* Scope.extend(serve(config), scope)
      const client = yield* listen(before.port, "/api/events?channels=ledgers")
      yield* client.next("connected")
      yield* Effect.forEach(ledgers.slice(0, 5), before.store.commit)
      yield* client.next("ledger_closed", 5)
      const millis = yield* before.server.drain
      assert.strictEqual(yield* client.end, "end")
      assert.strictEqual(client.events.at(-1)?.event, "server_shutdown")
      assert.isBelow(millis, 3000)
      assert.deepStrictEqual(before.server.interrupted(), [])
      // A producer may finish its unit after the stream is over.
      yield* Effect.forEach(ledgers.slice(5, 8), before.store.commit)
      yield* Scope.close(scope, Exit.void)
      const after = yield* serve(config)
      yield* Effect.forEach(ledgers.slice(8, 10), after.store.commit)
      const again = yield* listen(after.port, "/api/events?channels=ledgers", {
        headers: { "last-event-id": client.lastEventId }
      })
      yield* Effect.forEach(ledgers.slice(10, 12), after.store.commit)
      yield* again.next("ledger_closed", 7)
      assert.deepStrictEqual(
        [...client.ids("ledger_closed"), ...again.ids("ledger_closed")],
        yield* idsOf(after.outbox, "ledger_closed")
      )
    })
  )

  live("D5: a broadcast reaches every stream, whatever its channels, and those that were away", () =>
    Effect.gen(function* () {
      const { port } = yield* serve(yield* Service.fresh)
      const clients = yield* Effect.forEach(["ledgers", "tasks", "notices"], (channel) =>
        listen(port, `/api/events?channels=${channel}`)
      )
      yield* Effect.forEach(clients, (client) => client.next("connected"))
      const notice = { title: "Soon", message: "two\nlines", level: "warning" }
      const answer = yield* Effect.promise(() =>
        fetch(`http://127.0.0.1:${port}/api/broadcast`, {
          method: "POST",
          headers: { authorization: `Bearer ${Service.key}`, "content-type": "application/json" },
          body: JSON.stringify(notice)
        })
      )
      assert.strictEqual(answer.status, 202)
      const { id } = (yield* Effect.promise(() => answer.json())) as Service.Json
      const away = yield* listen(port, "/api/events?channels=tasks&lastEventId=0")
      for (const client of [...clients, away]) {
        const { data } = yield* client.next("notice")
        assert.deepStrictEqual(data, { id, channel: "notices", type: "notice", payload: notice })
        assert.strictEqual(client.all("notice").length, 1)
      }
    })
  )

  live("refuses what is no channel and no id, by parameter and with what is allowed", () =>
    Effect.gen(function* () {
      const { port } = yield* serve(yield* Service.fresh)
      const refused = (path: string, parameters: ReadonlyArray<string>, allowed: string, headers = {}) =>
        Effect.gen(function* () {
          const answer = yield* refusal(port, path, { headers })
          assert.strictEqual(answer.status, 400, path)
          assert.strictEqual(answer.headers["content-type"], "application/problem+json")
          const json = JSON.parse(answer.body)
          assert.deepStrictEqual(
            json.errors.map(({ parameter }: Service.Json) => parameter),
            parameters,
            path
          )
          assert.include(json.errors[0].allowed, allowed, path)
          assert.isBelow(json.detail.length, 1000)
        })
      const names = "must be names of channels, separated by commas"
      const id = "must be the id of an event, an integer from 0 to 9007199254740991, not "
      yield* refused("/api/events", ["channels"], `${names}, and is missing`)
      for (const list of ["", ",", "ledgers,", "ledgers,,tasks", "%20"])
        yield* refused(`/api/events?channels=${list}`, ["channels"], `${names}, not `)
      yield* refused("/api/events?channels=ledgers&channels=tasks", ["channels"], `${names}, not `)
      yield* refused("/api/events?channels=ledgers,nothing", ["channels"], 'not "nothing": there is none')
      yield* refused("/api/events?channels=pool:x", ["channels"], "what follows pool: must be")
      yield* refused(`/api/events?channels=${"x".repeat(5000)}`, ["channels"], "…")
      for (const wrong of ["", "-1", "1.5", "1e3", "x", "9007199254740992", "9".repeat(400)]) {
        yield* refused(`/api/events?channels=ledgers&lastEventId=${wrong}`, ["lastEventId"], id)
        const header = { "last-event-id": wrong }
        yield* refused("/api/events?channels=ledgers", ["last-event-id"], id, header)
      }
      yield* refused("/api/events?lastEventId=x", ["channels", "lastEventId"], names)
    })
  )

  it.scoped("is described as what it is", () =>
    Effect.gen(function* () {
      const { lifecycle, ...rest } = yield* describing
      const { json } = yield* rest.ask("/openapi.json")
      const { get } = json.paths["/api/events"]
      assert.sameMembers(Object.keys(get.responses), ["200", "400", "401", "403", "429", "503"])
      assert.deepStrictEqual(Object.keys(get.responses["200"].content), ["text/event-stream"])
      assert.deepStrictEqual(
        get.parameters.map((parameter: Service.Json) => [parameter.in, parameter.name, parameter.required]),
        [
          ["header", "last-event-id", false],
          ["query", "channels", true],
          ["query", "lastEventId", false],
          ["query", "token", false]
        ]
      )
      assert.strictEqual(yield* lifecycle.phase, "ready")
    })
  )
})

/** The API without a socket. */
const describing = Effect.gen(function* () {
  const lifecycle = yield* Service.ready
  const context = yield* Layer.build(
    Layer.mergeAll(
      Service.storeOn(yield* Service.fresh),
      LeaseBoard.layer,
      TaskBoard.layer,
      Layer.succeed(Lifecycle.Lifecycle, lifecycle)
    )
  )
  return { ask: yield* Effect.provide(Service.api, context), lifecycle }
})
