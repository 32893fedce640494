/**
 * A task that consumes the outbox, in order.
 *
 * When the drain begins it finishes its batch like every task. Those who produce events are built on it, so they are released before it: what they have committed by
 * then it still passes on, when it is released itself, within its limit.
 */
import type { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import { turn } from "../../http/EventLoop.js"
import * as SupervisedTask from "../../lifecycle/SupervisedTask.js"
import * as Outbox from "../Outbox.js"

/** What a consumer is. */
export interface Options<E, R> {
  /** How the task is called in logs, health and reports. */
  readonly name: string
  /** How long a batch may still take when the service stops. */
  readonly limit: Duration.Duration
  /** The last event that it is done with. */
  readonly position: number
  /** Takes the events after that, ascending and never none; when it ends, it is done with them. */
  readonly take: (events: ReadonlyArray<Outbox.Event>) => Effect.Effect<void, E, R>
  /** How often it looks by itself, where nobody says that there is something: another process that shares the database rings no bell here without Redis. 1 s. */
  readonly poll?: Duration.DurationInput
}

/** Events in a batch: two or three milliseconds to read and take. Requests get their turn between two. */
const perBatch = 96

/** Runs the consumer in the current scope, and passes on what is left when the scope closes. Never fails. */
export const run = <E, R>({ limit, name, poll = "1 second", position, take }: Options<E, R>) =>
  Effect.gen(function* () {
    const outbox = yield* Outbox.Outbox
    const done = yield* Ref.make(position)
    const context = yield* Effect.context<R>()

    const batch: Effect.Effect<ReadonlyArray<Outbox.Event>, SqlError> = Effect.flatMap(Ref.get(done), (id) =>
      outbox.readAfter(id, perBatch)
    )
    const pass = (events: ReadonlyArray<Outbox.Event>) =>
      Effect.zipRight(take(events), Ref.set(done, events.at(-1)!.id))
    const look = Effect.zipRight(turn, batch)
    const rest = Effect.flatMap(Ref.get(done), (id) =>
      Effect.raceFirst(outbox.awaitAfter(id), Effect.sleep(poll))
    )
    // Repeated, not called by itself: who waits for days must not grow.
    const next = Effect.flatMap(look, (events) =>
      events.length > 0
        ? Effect.succeed(events)
        : Effect.repeat(Effect.zipRight(rest, look), { until: ({ length }) => length > 0 })
    )
    const flush: Effect.Effect<void, SqlError | E, R> = Effect.flatMap(batch, (events) =>
      events.length === 0 ? Effect.void : Effect.zipRight(pass(events), flush)
    )
    const left = Effect.gen(function* () {
      const from = yield* Ref.get(done)
      const start = yield* Clock.currentTimeMillis
      yield* flush
      const to = yield* Ref.get(done)
      if (to === from) return
      const durationMillis = (yield* Clock.currentTimeMillis) - start
      yield* Effect.logInfo("Passed on what was left in the outbox").pipe(
        Effect.annotateLogs({ task: name, from, to, durationMillis })
      )
    })
    // Before the task is started, so that it runs after the task has ended.
    yield* Effect.addFinalizer(() =>
      Effect.interruptible(left).pipe(
        Effect.catchAllCause((cause) =>
          Effect.logWarning("Events stay in the outbox for the next run", cause).pipe(
            Effect.annotateLogs({ task: name })
          )
        ),
        Effect.provide(context)
      )
    )
    const lag = Effect.gen(function* () {
      const [head, id] = [yield* outbox.head, yield* Ref.get(done)]
      // Ids have gaps, so this is what can be said without counting rows.
      return { amount: head > id ? (yield* outbox.readAfter(id, perBatch)).length : 0, unit: "events" }
    })
    yield* SupervisedTask.run<ReadonlyArray<Outbox.Event>, SqlError | E, R>({
      name,
      limit,
      next,
      unit: pass,
      lag
    })
  })
