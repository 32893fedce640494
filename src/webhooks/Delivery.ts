/**
 * The delivery: from the store to the endpoints, at least once, in order within a subscription and key.
 *
 * A message keeps its id through all attempts, also through those before a restart; an attempt whose end was not noted, because the process was killed or the
 * attempt was cut, is made again. When the drain begins nothing new is begun, and what is under way has nine tenths of the limit to finish; then it is cut, and
 * waits for the next start as it was.
 *
 * | metric | type | what |
 * | --- | --- | --- |
 * | `webhook_attempts_total{outcome}` | counter | attempts since the process started: `delivered`, `failed`, `dead` or `gone` |
 * | `webhook_attempt_seconds` | histogram | how long attempts took |
 * | `webhook_attempts_running` | gauge | attempts under way |
 *
 * @module
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as EffectSchedule from "effect/Schedule"
import * as FiberSet from "effect/FiberSet"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as ErrorText from "../lifecycle/ErrorText.js"
import * as Lifecycle from "../lifecycle/Lifecycle.js"
import * as SupervisedTask from "../lifecycle/SupervisedTask.js"
import * as Bell from "./Bell.js"
import * as DeliveryStore from "./DeliveryStore.js"
import * as Endpoint from "./Endpoint.js"
import * as Lanes from "./Lanes.js"
import * as Sender from "./Sender.js"
import * as Verdict from "./Verdict.js"

/** How it works. */
export interface Options extends Lanes.Limits {
  /** How the task is called in logs, health and reports; its attempts are `<name>-attempts` there. */
  readonly name: string
  /** How long attempts under way may still take when the service stops. */
  readonly limit: Duration.Duration
  /** How long deliveries that are over are kept. */
  readonly retention: Duration.Duration
  /** How often it looks by itself: another process that shares the store rings no bell here. Default {@link poll}. */
  readonly poll?: Duration.Duration
  /** From when it is run to its first look. Default none. */
  readonly delay?: Duration.Duration
}

/** How often it looks by itself, unless something else is said. */
export const poll = Duration.seconds(1)

/** After the store has failed to say what is to be sent, in milliseconds. */
const unreadMillis = 1000

/** How long it goes on listening when the bell has rung, in milliseconds: one look is then for all that rang. */
const gatherMillis = 5

/** How often it removes what is too old, in milliseconds, and how often while there is more of it. */
const pruneMillis = { rest: 60_000, more: 1000 }

const attempts = Metric.counter("webhook_attempts_total", {
  description: "Attempts at deliveries since the process started",
  incremental: true
})
const seconds = Metric.histogram(
  "webhook_attempt_seconds",
  MetricBoundaries.fromIterable([0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]),
  "How long attempts at deliveries took"
)
const underWay = Metric.gauge("webhook_attempts_running", { description: "Attempts under way" })

const outcomes = { Delivered: "delivered", Retry: "failed", Dead: "dead", Gone: "gone" } as const

const measure = (tag: DeliveryStore.Next["_tag"], latencyMillis: number) =>
  Effect.zipRight(
    Metric.increment(Metric.tagged(attempts, "outcome", outcomes[tag])),
    Metric.update(seconds, latencyMillis / 1000)
  )

/** Once for each change of a subscription's state, and for each message that is given up. */
const report = (
  delivery: DeliveryStore.Due,
  { error, status }: DeliveryStore.Record,
  next: DeliveryStore.Next
) => {
  const about = (event_type: string) => Effect.annotateLogs({ event_type })
  const say = () => {
    if (next._tag === "Gone")
      return Effect.logWarning("Webhook endpoint is gone; its subscription is switched off").pipe(
        about("webhook_switched_off")
      )
    if (next._tag === "Dead")
      return Effect.logWarning("Webhook delivery is given up").pipe(about("webhook_dead"))
    if (next._tag === "Retry") {
      return delivery.failures === 0
        ? Effect.logWarning("Webhook endpoint fails").pipe(about("webhook_failing"))
        : Effect.void
    }
    return delivery.failures === 0
      ? Effect.void
      : Effect.logInfo("Webhook endpoint works again").pipe(about("webhook_restored"))
  }
  const { attempts, failures, messageId, subscription, url } = delivery
  return say().pipe(
    Effect.annotateLogs({
      subscription,
      // Path and query of a URL may be what makes it secret.
      endpoint: Endpoint.originOf(url),
      messageId,
      attempts: attempts + 1,
      failures,
      status,
      error
    })
  )
}

/** The part of the limit that attempts under way have when the service stops. */
const patience = 0.9

/** When the store is asked again that has failed; it does not end. */
const again = EffectSchedule.exponential("100 millis", 2).pipe(
  EffectSchedule.union(EffectSchedule.spaced("5 seconds"))
)

type Work =
  { readonly _tag: "Start"; readonly due: ReadonlyArray<DeliveryStore.Due> } | { readonly _tag: "Prune" }

/** Runs the delivery in the current scope and returns at once. Never fails: what the store fails in is logged and tried again. */
export const run = (options: Options) =>
  Effect.gen(function* () {
    const store = yield* DeliveryStore.DeliveryStore
    const sender = yield* Sender.Sender
    const bell = yield* Bell.Bell
    const lifecycle = yield* Lifecycle.Lifecycle
    const lanes = Lanes.make(options)
    const pollMillis = Duration.toMillis(options.poll ?? poll)
    const running = yield* FiberSet.make<void>()
    let isStopping = false
    let delay = options.delay
    let prunedAt = Number.NEGATIVE_INFINITY
    let pruneAfter = 0

    const send = (attempt: Sender.Attempt): Effect.Effect<Sender.Outcome> =>
      Effect.catchAllDefect(sender.send(attempt), (defect) =>
        Effect.as(Effect.logError("An attempt at a webhook died", Cause.die(defect)), {
          _tag: "Unanswered" as const,
          latencyMillis: 0,
          message: ErrorText.of(defect)
        })
      )
    const contentOf = (delivery: DeliveryStore.Due) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => store.content(delivery, now)).pipe(
        Effect.catchTag("StoreFailed", ({ cause }) =>
          // The place is kept for a moment, or it would be tried again at once.
          Effect.logError("A webhook could not be read", cause).pipe(
            Effect.zipRight(Effect.sleep(unreadMillis)),
            Effect.as(undefined)
          )
        )
      )
    const settle = (
      delivery: DeliveryStore.Due,
      record: DeliveryStore.Record,
      next: DeliveryStore.Next
    ): Effect.Effect<void> =>
      Effect.uninterruptible(store.settle(delivery, record, next)).pipe(
        Effect.tapError(({ cause }) =>
          Effect.logError("The end of a webhook's attempt could not be noted", cause)
        ),
        Effect.catchTag("StoreFailed", () =>
          // Until the store takes it: what was delivered and not noted would be delivered again.
          Effect.uninterruptible(store.settle(delivery, record, next)).pipe(
            Effect.delay("100 millis"),
            Effect.retry(again),
            // It goes on until it succeeds: there is no failure left, though the type has one.
            Effect.orDie
          )
        )
      )
    const attempt = (delivery: DeliveryStore.Due) =>
      Effect.gen(function* () {
        const content = yield* contentOf(delivery)
        if (content === undefined) return
        const outcome = yield* send({ ...content, messageId: delivery.messageId })
        const now = yield* Clock.currentTimeMillis
        const next = Verdict.next(outcome, delivery.attempts + 1, now, yield* Random.next)
        const record = Verdict.record(outcome, now)
        yield* settle(delivery, record, next)
        yield* measure(next._tag, outcome.latencyMillis)
        yield* report(delivery, record, next)
      })
    const ended = (delivery: DeliveryStore.Due) =>
      Effect.suspend(() => {
        lanes.end(delivery)
        return Effect.zipRight(Metric.set(underWay, lanes.running()), bell.ring)
      })
    const start = (delivery: DeliveryStore.Due) =>
      Effect.suspend(() => {
        lanes.begin(delivery)
        return Effect.zipRight(
          Metric.set(underWay, lanes.running()),
          FiberSet.run(running, Effect.ensuring(attempt(delivery), ended(delivery)))
        )
      })

    const look = Effect.gen(function* (): Effect.fn.Return<Work | undefined, DeliveryStore.StoreFailed> {
      const now = yield* Clock.currentTimeMillis
      // Those under way are still due, so there must be room for as many more.
      const due = lanes.startable(yield* store.due(now, 2 * options.perEndpoint))
      if (due.length > 0) return { _tag: "Start", due }
      if (now - prunedAt >= pruneAfter) return { _tag: "Prune" }
      const at = yield* store.nextAt(now)
      const wait = Math.min(pollMillis, at === undefined ? pollMillis : Math.max(1, at - now))
      yield* Effect.raceFirst(Effect.zipRight(bell.heard, Effect.sleep(gatherMillis)), Effect.sleep(wait))
      return undefined
    })
    // Repeated, not called by itself: who waits for days must not grow.
    const found = Effect.repeat(look, { until: (work): work is Work => work !== undefined })
    const prune = Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const removed = yield* store.prune(now - Duration.toMillis(options.retention))
      prunedAt = now
      pruneAfter = removed > 0 ? pruneMillis.more : pruneMillis.rest
    })
    const cut = Effect.gen(function* () {
      const count = yield* FiberSet.size(running)
      yield* FiberSet.clear(running)
      yield* Effect.logWarning(
        "Attempts at webhooks were cut; they are made again after the next start"
      ).pipe(Effect.annotateLogs({ task: options.name, attempts: count }))
    })
    /** Lets what is under way finish, and cuts what does not: that is no harm, so it is not left to the limit, which would call the stop a forced one. */
    const finish = Effect.suspend(() => {
      isStopping = true
      return Effect.timeoutOption(FiberSet.awaitEmpty(running), Duration.times(options.limit, patience))
    }).pipe(
      Effect.flatMap(Option.match({ onNone: () => cut, onSome: () => Effect.void })),
      Effect.onInterrupt(() => FiberSet.clear(running))
    )

    // Before the task, so that it comes after its end.
    yield* Effect.addFinalizer(() => Effect.interruptible(finish))
    yield* lifecycle.addQuiesce({ name: `${options.name}-attempts`, limit: options.limit, run: finish })
    yield* SupervisedTask.run<Work, DeliveryStore.StoreFailed, never>({
      name: options.name,
      limit: options.limit,
      next: Effect.suspend(() => {
        const wait = delay
        delay = undefined
        return wait === undefined ? found : Effect.delay(found, wait)
      }),
      unit: (work) => {
        if (work._tag === "Prune") return prune
        return isStopping ? Effect.void : Effect.forEach(work.due, start, { discard: true })
      },
      lag: Effect.map(store.waiting, (amount) => ({ amount, unit: "deliveries" }))
    })
  })
