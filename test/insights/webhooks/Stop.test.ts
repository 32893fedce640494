/** A stop with webhooks under way: what ends in time is delivered, what does not goes out after the next start, under the same id. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as Database from "../../../src/insights/Database.js"
import * as WebhookDelivery from "../../../src/insights/tasks/WebhookDelivery.js"
import * as Resource from "../../../src/lifecycle/Resource.js"
import * as TaskBoard from "../../../src/lifecycle/TaskBoard.js"
import * as Bell from "../../../src/webhooks/Bell.js"
import * as Sender from "../../../src/webhooks/Sender.js"
import * as WebhookConfig from "../../../src/webhooks/WebhookConfig.js"
import * as Run from "../../support/Run.js"
import * as Service from "../Service.js"
import * as Hooks from "./Hooks.js"

const limit = Duration.seconds(10)

/** In real time, since the file is real; on the test's clock no time passes but what a look takes. */
const until = <E>(condition: Effect.Effect<boolean, E>): Effect.Effect<void, E> => {
  const look = (tries: number): Effect.Effect<void, E> =>
    Effect.flatMap(Effect.zipRight(TestClock.adjust("10 millis"), condition), (is) => {
      if (is) return Effect.void
      return tries === 0 ? Effect.dieMessage("it did not come to that") : look(tries - 1)
    })
  return look(500)
}

/** Three messages of one key to one subscription, and a run that is in the middle of the first, which takes `millis`. */
const underWay = (millis: number) =>
  Effect.gen(function* () {
    const file = yield* Service.fresh
    const hooks = yield* Hooks.make({}, file)
    yield* hooks.subscriptions.create(Hooks.everything)
    const corridor = { srcAsset: "a", dstAsset: "b" }
    yield* Hooks.fanOut(
      hooks,
      [1, 2, 3].map((id) => Hooks.event(id, "health_alert", corridor))
    )
    const sent: Array<string> = []
    const launch = (takes: number) =>
      Run.launch(
        Resource.named(WebhookDelivery.name, { limit })(
          WebhookDelivery.layer(WebhookConfig.defaults, limit)
        ).pipe(
          Layer.provide(
            Sender.layerTest(({ messageId }) =>
              Effect.suspend(() => {
                sent.push(messageId)
                return Effect.as(Effect.sleep(takes), {
                  _tag: "Answered" as const,
                  status: 200,
                  latencyMillis: takes,
                  body: "",
                  retryAfterMillis: undefined
                })
              })
            )
          ),
          Layer.provide([Database.layerFrom(file), Bell.layer, TaskBoard.layer])
        )
      )
    const statuses = Effect.map(
      hooks.read<{
        status: string
        attempts: number
      }>`SELECT status, attempts FROM webhook_delivery ORDER BY id`,
      (rows) => rows.map(({ attempts, status }) => `${status} ${attempts}`)
    )
    const run = yield* launch(millis)
    yield* until(Effect.sync(() => sent.length === 1))
    yield* run.signal()
    return { launch, run, sent, statuses }
  })

describe("a delivery that is under way when the service stops", () => {
  it.scoped("is finished and noted, and no other is begun", () =>
    Effect.gen(function* () {
      const { run, sent, statuses } = yield* underWay(6000)
      yield* TestClock.adjust("5 seconds")
      assert.isFalse(yield* run.isOver)
      yield* TestClock.adjust("2 seconds")
      yield* until(run.isOver)
      assert.deepStrictEqual(run.exitCodes, [0])
      assert.deepStrictEqual(yield* statuses, ["delivered 1", "pending 0", "pending 0"])
      assert.strictEqual(sent.length, 1)
    })
  )

  it.scoped("is cut when it takes too long, and goes out after the next start under the same id", () =>
    Effect.gen(function* () {
      const { launch, run, sent, statuses } = yield* underWay(60_000)
      yield* TestClock.adjust("8 seconds")
      assert.isFalse(yield* run.isOver)
      yield* TestClock.adjust("2 seconds")
      yield* until(run.isOver)
      assert.deepStrictEqual(
        run.exitCodes,
        [0],
        "an endpoint that is silent does not make the stop a forced one"
      )
      assert.deepStrictEqual(yield* statuses, ["pending 0", "pending 0", "pending 0"])
      const next = yield* launch(1)
      yield* until(Effect.map(statuses, (all) => all.every((status) => status === "delivered 1")))
      assert.strictEqual(sent.length, 4)
      assert.strictEqual(sent[1], sent[0])
      yield* next.signal()
      yield* until(next.isOver)
      assert.deepStrictEqual(next.exitCodes, [0])
    })
  )
})
