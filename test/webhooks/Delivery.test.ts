/** The delivery, in simulated time: order, room, retries, what ends them, and the stop. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as TestClock from "effect/TestClock"
import * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import * as TaskBoard from "../../src/lifecycle/TaskBoard.js"
import * as Bell from "../../src/webhooks/Bell.js"
import * as Delivery from "../../src/webhooks/Delivery.js"
import * as Sender from "../../src/webhooks/Sender.js"
import * as Run from "../support/Run.js"
import * as MemoryStore from "./MemoryStore.js"

interface Call {
  readonly at: number
  readonly host: string
  readonly messageId: string
}

type Answer = (attempt: Sender.Attempt, call: number) => Effect.Effect<Sender.Outcome>

const answer = (status: number, retryAfterMillis?: number): Effect.Effect<Sender.Outcome> =>
  Effect.succeed({ _tag: "Answered", status, latencyMillis: 1, body: "", retryAfterMillis })
const slow = (millis: number, status = 200): Effect.Effect<Sender.Outcome> =>
  Effect.as(Effect.sleep(millis), {
    _tag: "Answered",
    status,
    latencyMillis: millis,
    body: "",
    retryAfterMillis: undefined
  } as Sender.Outcome)
const silence = Effect.succeed<Sender.Outcome>({
  _tag: "Unanswered",
  latencyMillis: 10_000,
  message: "it took too long"
})
/** An endpoint that does not answer within the timeout. */
const silent = Effect.delay(silence, "10 seconds")

const limits = { concurrency: 8, perEndpoint: 2 }

/** A delivery over a store in memory. Pauses have no jitter: the random number is always a half. */
const start = (send: Answer, options: Partial<Delivery.Options> = {}) =>
  Effect.gen(function* () {
    const store = MemoryStore.make()
    const over = yield* Deferred.make<Sender.Outcome>()
    const calls: Array<Call> = []
    const running = new Map<string, number>()
    const most = new Map<string, number>()
    const count = (name: string, change: number) => {
      const now = (running.get(name) ?? 0) + change
      running.set(name, now)
      most.set(name, Math.max(now, most.get(name) ?? 0))
    }
    const sender = Sender.layerTest((attempt) =>
      Effect.gen(function* () {
        const host = new URL(attempt.url).hostname.split(".")[0]!
        calls.push({ at: yield* TestClock.currentTimeMillis, host, messageId: attempt.messageId })
        count(host, 1)
        count("all", 1)
        return yield* Effect.ensuring(
          Effect.raceFirst(send(attempt, calls.length), Deferred.await(over)),
          Effect.sync(() => {
            count(host, -1)
            count("all", -1)
          })
        )
      })
    )
    const lifecycle = yield* Effect.tap(Lifecycle.make(Duration.minutes(1)), ({ internal }) =>
      internal.advance("ready")
    )
    const context = yield* Layer.build(
      Layer.mergeAll(
        store.layer,
        sender,
        Bell.layer,
        TaskBoard.layer,
        Layer.succeed(Lifecycle.Lifecycle, lifecycle)
      )
    )
    const run = Delivery.run({
      name: "webhooks",
      limit: Duration.seconds(10),
      retention: Duration.days(7),
      // Each look costs real time in simulated time; one test asks for more of them.
      poll: Duration.minutes(10),
      ...limits,
      ...options
    }).pipe(
      // When the test is over its clock stands still, and nothing would end by itself.
      Effect.zipRight(
        Effect.addFinalizer(() => Effect.flatMap(silence, (end) => Deferred.succeed(over, end)))
      ),
      Effect.provide(context),
      Effect.withRandom(Random.fixed([0.5]))
    )
    return { store, calls, most, lifecycle, run, bell: Context.get(context, Bell.Bell) }
  })

const second = 1000
/** The gathering of bells is beside the point. */
const seconds = (calls: ReadonlyArray<Call>) => calls.map(({ at }) => Math.floor(at / second))

describe("the delivery", () => {
  it.scoped("sends all that is there, in order within a subscription and key", () =>
    Effect.gen(function* () {
      const { calls, run, store } = yield* start((_, call) => slow(1 + ((call * 7) % 13)))
      for (const id of ["a", "b"]) store.subscribe(id)
      for (let index = 0; index < 60; index++) store.add(index % 2 === 0 ? "a" : "b", `k${index % 3}`)
      yield* run
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(calls.length, 60)
      const byKey = new Map<string, Array<number>>()
      for (const { messageId } of calls) {
        const { id, key, subscription } = store.entries.find((entry) => entry.messageId === messageId)!
        byKey.set(`${subscription}${key}`, [...(byKey.get(`${subscription}${key}`) ?? []), id])
      }
      assert.strictEqual(byKey.size, 6)
      for (const ids of byKey.values()) {
        assert.deepStrictEqual(
          ids,
          ids.toSorted((a, b) => a - b)
        )
      }
      assert.isTrue(store.entries.every(({ status }) => status === "delivered"))
    })
  )

  it.scoped("is quick to hear of what is new, and looks by itself every second", () =>
    Effect.gen(function* () {
      const { bell, calls, run, store } = yield* start(() => answer(200), { poll: Delivery.poll })
      store.subscribe("a")
      yield* run
      yield* TestClock.adjust("100 millis")
      store.add("a", "k")
      yield* bell.ring
      yield* TestClock.adjust("5 millis")
      assert.strictEqual(calls.length, 1)
      store.add("a", "k")
      yield* TestClock.adjust(Delivery.poll)
      assert.strictEqual(calls.length, 2)
    })
  )

  it.scoped("waits before its first look where it is told to, whatever rings", () =>
    Effect.gen(function* () {
      const { bell, calls, run, store } = yield* start(() => answer(200), { delay: Duration.millis(250) })
      store.subscribe("a")
      store.add("a", "k")
      yield* run
      yield* bell.ring
      yield* TestClock.adjust("249 millis")
      assert.strictEqual(calls.length, 0)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(calls.length, 1)
      store.add("a", "k")
      yield* bell.ring
      yield* TestClock.adjust("5 millis")
      assert.strictEqual(calls.length, 2)
    })
  )

  it.scoped("keeps within its room, and that of an endpoint, which two subscriptions may share", () =>
    Effect.gen(function* () {
      const { calls, most, run, store } = yield* start(() => slow(100), { concurrency: 5, perEndpoint: 3 })
      store.subscribe("a1", "https://one.example.com/a")
      store.subscribe("a2", "https://one.example.com/b")
      for (const id of ["b", "c"]) store.subscribe(id)
      for (let index = 0; index < 80; index++) store.add(["a1", "a2", "b", "c"][index % 4]!, `k${index}`)
      yield* run
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(calls.length, 80)
      assert.deepStrictEqual([most.get("all"), most.get("one")], [5, 3])
      for (const name of ["b", "c"]) assert.isAtMost(most.get(name)!, 3)
    })
  )

  it.scoped("is not held up by endpoints that are dead, or slow, however many there are", () =>
    Effect.gen(function* () {
      const { bell, calls, run, store } = yield* start(({ url }) => {
        if (url.includes("dead")) return silent
        return url.includes("slow") ? slow(9000) : slow(20)
      })
      for (let index = 0; index < 10; index++) {
        for (const id of [`dead${index}`, `slow${index}`]) {
          store.subscribe(id)
          for (let key = 0; key < 20; key++) store.add(id, `k${key}`)
        }
      }
      store.subscribe("well")
      yield* run
      // Until it is known what they are.
      yield* TestClock.adjust("40 seconds")
      assert.isAbove(calls.length, 20)
      for (let index = 0; index < 50; index++) store.add("well", `k${index}`, 40_000)
      yield* bell.ring
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(calls.filter(({ host }) => host === "well").length, 50)
      yield* TestClock.adjust("1 minutes")
      const served = new Set(calls.map(({ host }) => host))
      assert.strictEqual(served.size, 21, "and they all have their turn")
    })
  )

  it.scoped(
    "tries again with twice the pause each time, ten times in all; then the next of the key goes",
    () =>
      Effect.gen(function* () {
        const { calls, run, store } = yield* start(() => answer(500))
        store.subscribe("a")
        store.add("a", "k")
        store.add("a", "k")
        yield* run
        yield* TestClock.adjust("2554 seconds")
        const [first, second] = store.entries
        assert.deepStrictEqual(seconds(calls), [0, 5, 15, 35, 75, 155, 315, 635, 1275])
        assert.deepStrictEqual([first!.status, first!.attempts], ["pending", 9])
        yield* TestClock.adjust("2 seconds")
        assert.deepStrictEqual([first!.status, first!.attempts, first!.nextAt], ["dead", 10, null])
        assert.deepStrictEqual(new Set(calls.slice(0, 10).map(({ messageId }) => messageId)).size, 1)
        assert.strictEqual(calls[10]?.messageId, second!.messageId)
        assert.strictEqual(second!.attempts, 1)
      })
  )

  it.scoped("holds back a key while its first message is in trouble, and no other key", () =>
    Effect.gen(function* () {
      const { calls, run, store } = yield* start(({ messageId }, call) =>
        answer(messageId === "a_1" && call < 4 ? 503 : 200)
      )
      store.subscribe("a")
      for (const key of ["k", "k", "other", "k"]) store.add("a", key)
      yield* run
      yield* TestClock.adjust("4 seconds")
      assert.deepStrictEqual(
        store.entries.map(({ status }) => status),
        ["pending", "pending", "delivered", "pending"]
      )
      yield* TestClock.adjust("20 seconds")
      const order = calls.map(({ messageId }) => messageId).filter((id) => id !== "a_3")
      assert.deepStrictEqual(order, ["a_1", "a_1", "a_1", "a_2", "a_4"])
    })
  )

  it.scoped("leaves an endpoint alone for as long as it asks, with all of its keys", () =>
    Effect.gen(function* () {
      const { bell, calls, run, store } = yield* start((_, call) =>
        call === 1 ? answer(429, 60_000) : answer(200)
      )
      store.subscribe("a")
      store.subscribe("b")
      store.add("a", "k1")
      yield* run
      yield* TestClock.adjust("1 seconds")
      for (const id of ["a", "b"]) store.add(id, "k2", 1000)
      yield* bell.ring
      yield* TestClock.adjust("58900 millis")
      assert.deepStrictEqual(
        calls.map(({ host }) => host),
        ["a", "b"]
      )
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(calls.length, 4)
      assert.isAtLeast(calls[2]!.at, 60_000)
    })
  )

  it.scoped("ends a subscription whose endpoint is gone, and keeps what waits", () =>
    Effect.gen(function* () {
      const { calls, run, store } = yield* start(({ url }) => answer(url.includes("gone") ? 410 : 200))
      store.subscribe("gone")
      store.subscribe("well")
      for (let index = 0; index < 3; index++) for (const id of ["gone", "well"]) store.add(id, "k")
      yield* run
      yield* TestClock.adjust("1 hours")
      assert.strictEqual(calls.filter(({ host }) => host === "gone").length, 1)
      assert.strictEqual(calls.filter(({ host }) => host === "well").length, 3)
      assert.isFalse(store.subscriptions.get("gone")!.active)
      const statuses = store.entries.filter(({ subscription }) => subscription === "gone")
      assert.deepStrictEqual(
        statuses.map(({ status }) => status),
        ["dead", "pending", "pending"]
      )
    })
  )

  it.scoped(
    "notes what was delivered as soon as the store takes it, and does not deliver it again meanwhile",
    () =>
      Effect.gen(function* () {
        const begun = yield* Deferred.make<void>()
        const { calls, run, store } = yield* start(() =>
          Effect.zipRight(Deferred.succeed(begun, void 0), slow(100))
        )
        store.subscribe("a")
        store.add("a", "k")
        yield* run
        yield* TestClock.adjust("50 millis")
        yield* Deferred.await(begun)
        store.fail(20)
        yield* TestClock.adjust("10 minutes")
        assert.strictEqual(calls.length, 1)
        assert.strictEqual(store.entries[0]!.status, "delivered")
      })
  )

  it.scoped("goes on when an attempt dies", () =>
    Effect.gen(function* () {
      const lines: Array<Record<string, unknown>> = []
      const { calls, run, store } = yield* start((_, call) =>
        call === 1 ? Effect.die(new Error("a defect")) : answer(200)
      )
      store.subscribe("a")
      store.add("a", "k")
      yield* Effect.provide(run, Run.collectLogs(lines))
      yield* TestClock.adjust("1 minutes")
      assert.strictEqual(calls.length, 2)
      assert.strictEqual(store.entries[0]!.status, "delivered")
      assert.deepStrictEqual(
        lines.map(({ message }) => message),
        ["An attempt at a webhook died", "Webhook endpoint fails", "Webhook endpoint works again"]
      )
    })
  )

  it.scoped("says in its log once that an endpoint fails, and nothing that is secret", () =>
    Effect.gen(function* () {
      const lines: Array<Record<string, unknown>> = []
      const { run, store } = yield* start((_, call) => answer(call < 6 ? 500 : 200))
      store.subscribe("a", "https://a.example.com/hooks/token?key=hidden")
      store.add("a", "k")
      yield* Effect.provide(run, Run.collectLogs(lines))
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(
        lines.map(({ endpoint, message }) => [message, endpoint]),
        [
          ["Webhook endpoint fails", "https://a.example.com"],
          ["Webhook endpoint works again", "https://a.example.com"]
        ]
      )
      assert.notMatch(JSON.stringify(lines), /token|hidden|whsec/)
    })
  )
})

describe("when the service stops", () => {
  const stopping = (millis: number) =>
    Effect.gen(function* () {
      const made = yield* start(() => slow(millis))
      made.store.subscribe("a")
      for (const key of ["k1", "k1", "k2"]) made.store.add("a", key)
      yield* made.run
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(made.calls.length, 2)
      yield* made.lifecycle.internal.advance("draining")
      const [task, attempts] = ["webhooks", "webhooks-attempts"].map((name) =>
        [...made.lifecycle.internal.quiesces].find((quiesce) => quiesce.name === name)!
      )
      yield* task!.run
      return { ...made, attempts: yield* Effect.fork(attempts!.run) }
    })

  it.scoped("what is under way finishes, and nothing else is begun", () =>
    Effect.gen(function* () {
      const { attempts, calls, store } = yield* stopping(3000)
      yield* TestClock.adjust("1999 millis")
      assert.strictEqual((yield* Fiber.poll(attempts))._tag, "None")
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(attempts)
      assert.strictEqual(calls.length, 2)
      assert.deepStrictEqual(
        store.entries.map(({ status }) => status),
        ["delivered", "pending", "delivered"]
      )
    })
  )

  it.scoped("what does not end in time is cut, and goes out after the next start under the same id", () =>
    Effect.gen(function* () {
      const { attempts, calls, run, store } = yield* stopping(20_000)
      yield* TestClock.adjust("8999 millis")
      assert.strictEqual((yield* Fiber.poll(attempts))._tag, "None")
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(attempts)
      assert.deepStrictEqual(
        store.entries.map(({ attempts, status }) => [status, attempts]),
        [
          ["pending", 0],
          ["pending", 0],
          ["pending", 0]
        ]
      )
      const before = calls.map(({ messageId }) => messageId)
      yield* run
      yield* TestClock.adjust("1 minutes")
      assert.deepStrictEqual(
        calls.slice(2, 4).map(({ messageId }) => messageId),
        before
      )
      assert.isTrue(store.entries.every(({ status }) => status === "delivered"))
    })
  )
})
