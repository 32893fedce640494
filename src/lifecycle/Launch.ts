/**
 * Runs a layer graph as a service: acquires it, waits for a reason to stop, stops, and says how it went.
 *
 * The result is an effect for `NodeRuntime.runMain`. It knows no part by name: quiesces are added by layers, releases follow the graph.
 *
 * @module
 */
import * as Duration from "effect/Duration"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Config from "effect/Config"
import * as Bounded from "./Bounded.js"
import * as Budget from "./Budget.js"
import * as DurationConfig from "./DurationConfig.js"
import * as Host from "./Host.js"
import * as Lifecycle from "./Lifecycle.js"
import * as Plan from "./Plan.js"
import * as Resource from "./Resource.js"
import * as ShutdownConfig from "./ShutdownConfig.js"
import * as ShutdownLog from "./ShutdownLog.js"
import * as ShutdownReport from "./ShutdownReport.js"
import * as Stop from "./Stop.js"
import type { StopReason } from "./StopReason.js"

/** How a launch may differ from what the environment says. */
export interface Options {
  /** Bound of all acquisitions together; `STARTUP_TIMEOUT` when absent. */
  readonly startupTimeout?: Duration.Duration
  /** The limits of the stop; the `SHUTDOWN_*` keys when absent. */
  readonly shutdown?: ShutdownConfig.ShutdownConfig
  /** Told of every event, after the log and the report. */
  readonly subscribers?: ReadonlyArray<Lifecycle.Subscriber>
  /** What is done with the report when the stop is over; it must not fail, and is not bounded. Nothing when absent. */
  readonly onReport?: (report: ShutdownReport.ShutdownReport) => Effect.Effect<void>
}

/** `STARTUP_TIMEOUT`: bound of all acquisitions together, 60 s. */
export const startupTimeout = DurationConfig.duration("STARTUP_TIMEOUT", DurationConfig.positive).pipe(
  Config.withDefault(Duration.seconds(60))
)

/** What a run is bounded by. */
interface Settings {
  readonly startup: Duration.Duration
  readonly budget: Budget.Shape
}

const settings = (options: Options) =>
  Effect.gen(function* () {
    const startup = options.startupTimeout ?? (yield* startupTimeout)
    const budget = yield* Budget.derive(options.shutdown ?? (yield* ShutdownConfig.config))
    return { startup, budget } satisfies Settings
  })

/** A run whose settings cannot be read has nothing to release, but ends the same way as any other. */
const fallback: Settings = {
  startup: Duration.zero,
  budget: Either.getOrThrow(Budget.derive(ShutdownConfig.defaults))
}

/**
 * Launches `app`. Succeeds with the report of the stop however it went (the exit code is in it, and is the process's); never fails. Interrupting it
 * is a stop like any other, and waits for the stop to end.
 */
export const launch = <A, E>(
  app: Layer.Layer<A, E, Lifecycle.Lifecycle | Budget.Budget>,
  options: Options = {}
): Effect.Effect<ShutdownReport.ShutdownReport, never, Host.Host> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const read = yield* Effect.either(settings(options))
      const lifecycle = yield* Lifecycle.make(Either.getOrElse(read, () => fallback).startup)
      // A fiber of its own: once this one has been interrupted, everything interruptible that it did would end at once.
      const life = yield* Effect.forkDaemon(run(lifecycle, read, app, options))
      return yield* restore(Fiber.join(life)).pipe(
        Effect.onInterrupt(() => Effect.zipRight(lifecycle.stop({ _tag: "Interrupted" }), Fiber.await(life)))
      )
    })
  )

/** One life, from the first acquisition to the report. */
const run = <A, E>(
  lifecycle: Lifecycle.Shape,
  read: Either.Either<Settings, unknown>,
  app: Layer.Layer<A, E, Lifecycle.Lifecycle | Budget.Budget>,
  options: Options
): Effect.Effect<ShutdownReport.ShutdownReport, never, Host.Host> =>
  Effect.scoped(
    Effect.gen(function* () {
      const host = yield* Host.Host
      const { budget } = Either.getOrElse(read, () => fallback)
      const collector = yield* ShutdownReport.collector
      const log = yield* ShutdownLog.make
      for (const tell of [collector.subscriber, log, ...(options.subscribers ?? [])]) {
        yield* lifecycle.subscribe(tell)
      }
      yield* host.listen(lifecycle.unsafeStop)

      const scope = yield* Scope.make()
      const end: End = Either.isLeft(read)
        ? { reason: { _tag: "StartFailed", cause: Cause.fail(read.left) }, unfinished: Option.none() }
        : yield* live(
            lifecycle,
            budget,
            Layer.provide(
              app,
              Layer.merge(Layer.succeed(Lifecycle.Lifecycle, lifecycle), Layer.succeed(Budget.Budget, budget))
            ),
            scope
          )
      yield* Stop.initiate(lifecycle, budget, end.reason)
      if (Option.isSome(end.unfinished)) yield* Stop.callOff(lifecycle, budget, end.unfinished.value)
      yield* Stop.stop(lifecycle, budget, scope)

      const exitCode = yield* collector.exitCode
      const { durationMillis } = yield* collector.report
      yield* lifecycle.emit({ _tag: "StopCompleted", durationMillis, exitCode })
      const report = yield* collector.report
      if (options.onReport !== undefined) yield* options.onReport(report)
      yield* host.leave(exitCode)
      return report
    })
  )

/** Turns that a failure may take from the acquisition that failed to the launch. */
const turnsToFail = 100

/** How a life came to its end. */
interface End {
  readonly reason: StopReason
  /** The acquisition, where the reason came before it was over. */
  readonly unfinished: Option.Option<Fiber.RuntimeFiber<unknown, unknown>>
}

/** Acquires the graph and waits for a reason to stop, which may come before everything is acquired. */
const live = <A, E>(
  lifecycle: Lifecycle.Shape,
  budget: Budget.Shape,
  graph: Layer.Layer<A, E>,
  scope: Scope.CloseableScope
): Effect.Effect<End> =>
  Effect.gen(function* () {
    const build = yield* Effect.forkDaemon(Effect.interruptible(Layer.buildWithScope(graph, scope)))
    const overdue = yield* Effect.forkDaemon(Effect.interruptible(startOverdue(lifecycle)))
    const acquired = yield* Effect.interruptible(
      Effect.raceFirst(
        Effect.as(lifecycle.stopRequested, Option.none()),
        Effect.map(Fiber.await(build), Option.some)
      )
    )
    yield* Fiber.interruptFork(overdue)
    if (Option.isNone(acquired)) {
      return { reason: yield* lifecycle.stopRequested, unfinished: Option.some(build) }
    }
    if (Exit.isFailure(acquired.value)) {
      yield* lifecycle.stop({ _tag: "StartFailed", cause: acquired.value.cause })
    } else {
      const plan = Plan.check(lifecycle, budget)
      yield* Either.isLeft(plan)
        ? lifecycle.stop({ _tag: "StartFailed", cause: Cause.fail(plan.left) })
        : lifecycle.internal.advance("ready")
    }
    return { reason: yield* lifecycle.stopRequested, unfinished: Option.none() }
  })

/**
 * Ends a start that lasts too long although every named acquisition in it has ended: something without a name hangs, be it an acquisition or, after a
 * failure, a release.
 */
const startOverdue = (lifecycle: Lifecycle.Shape): Effect.Effect<void> =>
  Bounded.until(lifecycle.internal.startDeadline).pipe(
    // A named acquisition that ends at the same moment is the better explanation, and gets the turns to say so.
    Effect.zipRight(Effect.repeatN(Effect.yieldNow(), turnsToFail)),
    Effect.zipRight(
      lifecycle.stop({
        _tag: "StartFailed",
        cause: Cause.fail(
          new Resource.AcquisitionTimedOut({
            resource: "an unnamed layer",
            message: "the start was not over within STARTUP_TIMEOUT: a layer without a name hangs"
          })
        )
      })
    )
  )
