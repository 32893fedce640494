/** Which events become deliveries to whom, once each, in the transaction that passes them. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Outbox from "../../../src/insights/Outbox.js"
import * as FanOut from "../../../src/insights/webhooks/FanOut.js"
import * as Filter from "../../../src/insights/webhooks/Filter.js"
import * as WebhookDispatcher from "../../../src/insights/tasks/WebhookDispatcher.js"
import * as Made from "../Made.js"
import * as Service from "../Service.js"
import * as Hooks from "./Hooks.js"

const [usd, eur, xlm] = ["USD:GA", "EUR:GB", "native"]

const payment = (id: number, srcAsset: string, dstAsset: string, dstAmount: string, from = "G1", to = "G2") =>
  Hooks.event(id, "new_payment", { srcAsset, dstAsset, srcAmount: "1", dstAmount, from, to })

const events: ReadonlyArray<Outbox.Event> = [
  Hooks.event(1, "ledger_closed", { sequence: 1 }, "1"),
  payment(2, usd!, eur!, "9223372036854775807"),
  payment(3, eur!, usd!, "500", "G7"),
  payment(4, xlm!, xlm!, "499", "G1", "G8"),
  Hooks.event(5, "corridor_update", { srcAsset: usd, dstAsset: eur }, `${usd}~${eur}`),
  Hooks.event(6, "pool_update", { assetA: xlm, assetB: usd }, "f".repeat(64)),
  Hooks.event(7, "anchor_update", { id: "one" }, "one"),
  Hooks.event(8, "anchor_update", { id: "two" }, "two"),
  Hooks.event(9, "health_alert", { srcAsset: usd, dstAsset: eur }, `corridor:${usd}~${eur}`),
  Hooks.event(10, "snapshot_update", { snapshots: 3 }, "pool-snapshots"),
  Hooks.event(11, "notice", { message: "hello" }, "n")
]

const anchors: Readonly<Record<string, Filter.Members>> = {
  one: { accounts: new Set(["G7", "G8"]), assets: new Set([eur!]) },
  none: { accounts: new Set(), assets: new Set() }
}

describe("a filter", () => {
  it.each<[string, ReadonlyArray<string>, Filter.Filters, ReadonlyArray<number>]>([
    ["nothing", [], {}, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
    ["types", ["new_payment", "notice"], {}, [2, 3, 4, 11]],
    ["a corridor", [], { corridor: `${usd}~${eur}` }, [2, 5, 9]],
    ["an asset", [], { asset: "native" }, [4, 6]],
    ["an asset on either side", [], { asset: usd! }, [2, 3, 5, 6, 9]],
    ["an anchor", [], { anchor: "one" }, [2, 3, 4, 5, 7, 9]],
    ["an anchor without members", [], { anchor: "none" }, []],
    ["an anchor that there is not", [], { anchor: "two" }, [8]],
    ["an amount", ["new_payment"], { minAmount: "500" }, [2, 3]],
    ["an amount, which concerns payments only", [], { minAmount: "501" }, [1, 2, 5, 6, 7, 8, 9, 10, 11]],
    ["the largest amount", ["new_payment"], { minAmount: "9223372036854775807" }, [2]],
    ["several", ["new_payment"], { asset: usd!, anchor: "one", minAmount: "501" }, [2]]
  ])("of %s lets pass what it says", (_, types, filters, expected) => {
    const passed = events.filter((event) => Filter.passes(event, types, filters, (id) => anchors[id]))
    assert.deepStrictEqual(
      passed.map(({ id }) => id),
      expected
    )
  })

  it("gives what belongs to one corridor, pool or anchor one key", () => {
    assert.deepStrictEqual(events.map(Filter.orderingKey), [
      "ledger_closed",
      `corridor:${usd}~${eur}`,
      `corridor:${eur}~${usd}`,
      "corridor:native~native",
      `corridor:${usd}~${eur}`,
      `pool:${"f".repeat(64)}`,
      "anchor:one",
      "anchor:two",
      `corridor:${usd}~${eur}`,
      "snapshot_update",
      "notice"
    ])
  })
})

interface Row {
  readonly subscription: string
  readonly messageId: string
  readonly type: string
  readonly due: number
}

const rows = ({ read }: Hooks.Hooks) =>
  read<Row>`SELECT subscription, message_id AS "messageId", type, next_at IS NOT NULL AS due FROM webhook_delivery ORDER BY id`

const passed = (all: ReadonlyArray<Row>, subscription: string) =>
  all
    .filter((row) => row.subscription === subscription)
    .map(({ messageId }) => Number(messageId.split("_")[2]))

describe("the fan-out", () => {
  it.scoped("adds a delivery for each event to each subscription that it is for", () =>
    Effect.gen(function* () {
      const hooks = yield* Hooks.make()
      yield* hooks.anchors.put({
        id: "one",
        name: "One",
        homeDomain: null,
        accounts: ["G7", "G8"],
        assets: [eur!]
      })
      const subscribe = (settings: Partial<typeof Hooks.everything>) =>
        Effect.map(
          hooks.subscriptions.create({ ...Hooks.everything, ...settings }),
          ({ subscription }) => subscription.id
        )
      const all = yield* subscribe({})
      const payments = yield* subscribe({ eventTypes: ["new_payment"], filters: { minAmount: "500" } })
      const anchor = yield* subscribe({ filters: { anchor: "one" } })
      const off = yield* subscribe({ active: false })
      yield* Hooks.fanOut(hooks, events)
      const added = yield* rows(hooks)
      assert.deepStrictEqual(passed(added, all), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
      assert.deepStrictEqual(passed(added, payments), [2, 3])
      assert.deepStrictEqual(passed(added, anchor), [2, 3, 4, 5, 7, 9])
      assert.deepStrictEqual(passed(added, off), [])
      const waiting = yield* Effect.map(hooks.subscriptions.all, (list) => list.map((one) => one.waiting))
      assert.deepStrictEqual(
        waiting.toSorted((a, b) => a - b),
        [0, 2, 6, 11]
      )
      assert.isTrue(added.every(({ messageId, subscription }) => messageId.startsWith(`${subscription}_`)))
      // The second and third of the corridor wait for the first.
      assert.deepStrictEqual(
        added.filter((row) => row.subscription === all && row.due === 0).map(({ type }) => type),
        ["corridor_update", "health_alert"]
      )
    })
  )

  it.scoped("leaves nothing of a transaction that fails", () =>
    Effect.gen(function* () {
      const hooks = yield* Hooks.make()
      const { subscription } = yield* hooks.subscriptions.create(Hooks.everything)
      const failing = Effect.zipRight(hooks.fanOut.add(events), Effect.fail("not this time"))
      yield* Effect.flip(hooks.outbox.transaction(failing))
      assert.deepStrictEqual(yield* rows(hooks), [])
      assert.strictEqual((yield* hooks.subscriptions.byId(subscription.id)).waiting, 0)
    })
  )

  it.scoped("switches a subscription off when too much waits for it, and no other", () =>
    Effect.gen(function* () {
      const hooks = yield* Hooks.make({ maxWaiting: 12 })
      const many = (yield* hooks.subscriptions.create(Hooks.everything)).subscription.id
      const notices = { ...Hooks.everything, eventTypes: ["notice"] }
      const few = (yield* hooks.subscriptions.create(notices)).subscription.id
      yield* Hooks.fanOut(hooks, events)
      yield* Hooks.fanOut(
        hooks,
        events.map((event) => ({ ...event, id: event.id + 100 }))
      )
      const off = yield* hooks.subscriptions.byId(many)
      assert.deepInclude(off, { active: false, disabledReason: "overflow", waiting: 11 })
      assert.deepInclude(yield* hooks.subscriptions.byId(few), { active: true, waiting: 2 })
    })
  )
})

/** In real time: the file is real. */
const until = <E>(condition: Effect.Effect<boolean, E>) =>
  Effect.repeat(condition, { until: (is) => is, schedule: Schedule.spaced("2 millis") }).pipe(
    Effect.timeoutFail({ duration: "10 seconds", onTimeout: () => new Error("it did not come to that") })
  )

describe("the dispatcher", () => {
  it.scopedLive("takes every event once, from the subscription on, and stays where it is when it fails", () =>
    Effect.gen(function* () {
      const hooks = yield* Hooks.make()
      const [first, second, third] = Service.chain(100, 3).map((facts) => Made.full(facts))
      const position = Effect.map(
        hooks.outbox.position(WebhookDispatcher.name),
        Option.getOrElse(() => -1)
      )
      const isDone = Effect.zipWith(
        position,
        hooks.outbox.readAfter(0, 100_000),
        (at, all) => at === all.at(-1)!.id
      )
      yield* hooks.ledgers.claim("a network")
      const build = (
        layer: Layer.Layer<never, unknown, Layer.Layer.Context<ReturnType<typeof dispatcher>>>
      ) => Effect.provide(Layer.build(layer), hooks.context)
      const dispatcher = () => WebhookDispatcher.layer(Duration.seconds(5))
      yield* hooks.ledgers.commit(first!)
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* build(dispatcher())
          yield* hooks.subscriptions.create(Hooks.everything)
          const before = yield* position
          yield* hooks.ledgers.commit(second!)
          yield* until(isDone)
          const wanted = yield* hooks.outbox.readAfter(before, 100_000)
          assert.isAbove(wanted.length, 40)
          assert.strictEqual((yield* rows(hooks)).length, wanted.length)
        })
      )
      const [known, place] = [(yield* rows(hooks)).length, yield* position]
      yield* hooks.ledgers.commit(third!)
      const failing = FanOut.FanOut.of({
        ...hooks.fanOut,
        add: (all) => Effect.zipRight(hooks.fanOut.add(all), Effect.die(new Error("cut")))
      })
      yield* Effect.scoped(
        Effect.zipRight(
          build(Layer.provide(dispatcher(), Layer.succeed(FanOut.FanOut, failing))),
          Effect.sleep("50 millis")
        )
        // What it says of that is for others to test.
      ).pipe(Logger.withMinimumLogLevel(LogLevel.None))
      assert.deepStrictEqual([(yield* rows(hooks)).length, yield* position], [known, place])
      yield* build(dispatcher())
      yield* until(isDone)
      const all = yield* rows(hooks)
      assert.strictEqual(new Set(all.map(({ messageId }) => messageId)).size, all.length)
      assert.strictEqual(all.length - known, (yield* hooks.outbox.readAfter(place, 100_000)).length)
    })
  )
})
