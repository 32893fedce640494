/**
 * Tells the other processes on the database that there are new events, so that they need not wait until they look by themselves. Through Redis where there is one; the
 * truth is the outbox, and a word that is lost costs a second.
 *
 * What is told is the id up to which there are events. Who hears it knows by that which of its own are still to be told, and says nothing about the others'.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Redis from "../redis/Redis.js"
import type * as Subscriptions from "../redis/Subscriptions.js"
import * as Outbox from "./Outbox.js"

const make = (redis: Redis.Shape) =>
  Effect.gen(function* () {
    const outbox = yield* Outbox.Outbox
    const channel = redis.key("outbox", "head")
    /** All have been told of events up to this id. Never more than the outbox has, or what comes next would be told to nobody. */
    let told = yield* outbox.head

    const tell = Effect.gen(function* () {
      const before = told
      yield* outbox.awaitAfter(before)
      // Another process has told of it. Whatever this one has committed since wakes it once more.
      if (told > before) return
      const head = yield* outbox.head
      told = Math.max(told, head)
      yield* Effect.ignore(redis.publish(channel, String(head)))
    })
    const hear = (heard: Subscriptions.Heard) =>
      Effect.gen(function* () {
        const head = yield* outbox.head
        // Whatever was said in a gap, it was of these; what this process has to say of them it says again.
        if (heard._tag === "Gap") return yield* outbox.ring(head)
        const id = Math.min(Number(heard.text), head)
        if (!(id > told)) return
        told = id
        yield* outbox.ring(id)
      })
    // Where the outbox cannot be read nobody is woken, and all look by themselves.
    yield* Effect.forkScoped(Stream.runForEach(redis.listen(channel), (heard) => Effect.ignore(hear(heard))))
    yield* Effect.forkScoped(Effect.forever(Effect.catchAll(tell, () => Effect.sleep("1 seconds"))))
  })

/** Rings and listens for as long as the scope is open; without Redis it does nothing. Fails with `SqlError` when the outbox cannot be read. */
export const layer = Layer.scopedDiscard(
  Effect.flatMap(Redis.Configured, Option.match({ onNone: () => Effect.void, onSome: make }))
)
