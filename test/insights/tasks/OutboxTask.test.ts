/** Consumers of the outbox: nothing is missed, nothing comes twice, and what is committed last is still passed on. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Database from "../../../src/insights/Database.js"
import * as LedgerStore from "../../../src/insights/LedgerStore.js"
import * as Outbox from "../../../src/insights/Outbox.js"
import * as OutboxLog from "../../../src/insights/realtime/OutboxLog.js"
import * as OutboxTask from "../../../src/insights/tasks/OutboxTask.js"
import * as RealtimeBroadcaster from "../../../src/insights/tasks/RealtimeBroadcaster.js"
import * as WebhookDispatcher from "../../../src/insights/tasks/WebhookDispatcher.js"
import * as FanOut from "../../../src/insights/webhooks/FanOut.js"
import * as Lifecycle from "../../../src/lifecycle/Lifecycle.js"
import * as TaskBoard from "../../../src/lifecycle/TaskBoard.js"
import * as WebhookBell from "../../../src/webhooks/Bell.js"
import * as FakeHub from "../FakeHub.js"
import * as Made from "../Made.js"
import * as Service from "../Service.js"

const limit = Duration.seconds(5)
const ledgers = Service.chain(100, 8).map((facts) => Made.full(facts))

const fresh = Effect.gen(function* () {
  const config = yield* Service.fresh
  const base = Layer.mergeAll(
    Service.storeOn(config),
    TaskBoard.layer,
    Layer.effect(Lifecycle.Lifecycle, Service.ready)
  )
  const context = yield* Layer.build(base)
  yield* Context.get(context, LedgerStore.LedgerStore).claim("a network")
  return context
})

/** In real time: the file is real. */
const until = <E>(condition: Effect.Effect<boolean, E>) =>
  Effect.repeat(condition, { until: (is) => is, schedule: Schedule.spaced("2 millis") }).pipe(
    Effect.timeoutFail({ duration: "10 seconds", onTimeout: () => new Error("it did not come to that") })
  )

const idsOf = (outbox: Outbox.Shape) =>
  Effect.map(outbox.readAfter(0, 100_000), (events) => events.map(({ id }) => id))

describe("a consumer", () => {
  it.scopedLive(
    "gets every event once and in order, and on its release what was committed while nothing looked",
    () =>
      Effect.gen(function* () {
        const context = yield* fresh
        const store = Context.get(context, LedgerStore.LedgerStore)
        const outbox = Context.get(context, Outbox.Outbox)
        const lifecycle = Context.get(context, Lifecycle.Lifecycle)
        const seen = yield* Ref.make<ReadonlyArray<number>>([])
        const take = (events: ReadonlyArray<Outbox.Event>) =>
          Ref.update(seen, (ids) => [...ids, ...events.map(({ id }) => id)])
        const consumer = OutboxTask.run({ name: "test", limit, position: 0, take })
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* consumer
            for (const ledger of ledgers.slice(0, 4)) yield* store.commit(ledger)
            const sofar = yield* idsOf(outbox)
            yield* until(Effect.map(Ref.get(seen), (ids) => ids.length === sofar.length))
            // The drain begins: the task has stopped, but producers may still finish their unit.
            yield* lifecycle.internal.advance("draining")
            yield* Effect.forEach(lifecycle.internal.quiesces, ({ run }) => run)
            for (const ledger of ledgers.slice(4)) yield* store.commit(ledger)
            assert.deepStrictEqual(yield* Ref.get(seen), sofar)
          }).pipe(Effect.provide(context))
        )
        assert.deepStrictEqual(yield* Ref.get(seen), yield* idsOf(outbox))
      })
  )

  it.scopedLive("that fails takes the same events again", () =>
    Effect.gen(function* () {
      const context = yield* fresh
      const store = Context.get(context, LedgerStore.LedgerStore)
      const seen: Array<ReadonlyArray<number>> = []
      const take = (events: ReadonlyArray<Outbox.Event>) =>
        Effect.suspend(() => {
          seen.push(events.map(({ id }) => id))
          return seen.length === 1 ? Effect.fail("not yet") : Effect.void
        })
      yield* store.commit(ledgers[0]!)
      yield* Effect.provide(OutboxTask.run({ name: "test", limit, position: 0, take }), context)
      yield* until(Effect.sync(() => seen.length === 2))
      assert.deepStrictEqual(seen[0], seen[1])
    })
  )
})

describe("the broadcaster", () => {
  it.scopedLive("tells subscribers what comes after its start, from any process on the file", () =>
    Effect.gen(function* () {
      const context = yield* fresh
      const store = Context.get(context, LedgerStore.LedgerStore)
      const outbox = Context.get(context, Outbox.Outbox)
      yield* store.commit(ledgers[0]!)
      const before = yield* outbox.head
      const hub = yield* FakeHub.make(before)
      yield* RealtimeBroadcaster.layer(limit).pipe(
        Layer.provide([hub.layer, OutboxLog.layer]),
        Layer.build,
        Effect.provide(context)
      )
      yield* store.commit(ledgers[1]!)
      // Another process: it rings no bell here.
      const { filename } = Context.get(context, Database.Database)
      const other = yield* Layer.build(Service.storeOn(Service.at(filename)))
      yield* Context.get(other, LedgerStore.LedgerStore).commit(ledgers[2]!)
      const wanted = (yield* outbox.readAfter(before, 100_000)).map(({ id }) => id)
      yield* until(Effect.sync(() => hub.published.length >= wanted.length))
      assert.deepStrictEqual(
        hub.published.map(({ id }) => id),
        wanted
      )
      assert.deepInclude(hub.published[0], { type: "ledger_closed", channels: ["ledgers"] })
    })
  )

  it.scopedLive(
    "tells everybody what operators say: as an event, and to those who have no such channel",
    () =>
      Effect.gen(function* () {
        const context = yield* fresh
        const outbox = Context.get(context, Outbox.Outbox)
        const hub = yield* FakeHub.make(0)
        yield* RealtimeBroadcaster.layer(limit).pipe(
          Layer.provide([hub.layer, OutboxLog.layer]),
          Layer.build,
          Effect.provide(context)
        )
        const payload = { title: "Tonight", message: "we move", level: "info" }
        yield* outbox.transaction(outbox.append([{ kind: "notice", key: "a", ledger: 0, payload }]))
        yield* until(Effect.sync(() => hub.notices.length === 1))
        assert.deepStrictEqual(hub.notices, [{ ...payload, unless: "notices" }])
        assert.deepInclude(hub.published[0], { type: "notice", channels: ["notices"], payload })
      })
  )
})

describe("the dispatcher", () => {
  it.scopedLive("keeps its place in the database, from its first start on", () =>
    Effect.gen(function* () {
      const context = yield* fresh
      const store = Context.get(context, LedgerStore.LedgerStore)
      const outbox = Context.get(context, Outbox.Outbox)
      const position = Effect.map(outbox.position(WebhookDispatcher.name), (id) =>
        id._tag === "Some" ? id.value : -1
      )
      const run = WebhookDispatcher.layer(limit).pipe(
        Layer.provide(FanOut.layer({ maxWaiting: 1000 })),
        Layer.provide(WebhookBell.layer),
        Layer.build,
        Effect.provide(context)
      )
      yield* store.commit(ledgers[0]!)
      yield* Effect.scoped(run)
      assert.strictEqual(yield* position, yield* outbox.head, "there is nobody to deliver to")
      const before = yield* position
      yield* store.commit(ledgers[1]!)
      assert.strictEqual(yield* position, before)
      yield* run
      yield* until(Effect.zipWith(position, outbox.head, (at, head) => at >= head - 1_000_000 && at > before))
      yield* until(
        Effect.map(Effect.zip(position, outbox.readAfter(0, 100_000)), ([at, all]) => at === all.at(-1)!.id)
      )
    })
  )
})
