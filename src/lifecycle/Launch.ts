/**
 * Runs a layer graph as a service: acquires it, waits for a reason to stop, stops, and says how it went.
 *
 * The result is an effect for `NodeRuntime.runMain`. It knows no part by name: quiesces are added by layers, releases follow the graph.
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
import * as Budget from "./Budget.js"
import * as DurationConfig from "./DurationConfig.js"
import * as Host from "./Host.js"
import * as Lifecycle from "./Lifecycle.js"
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
    Effect.scoped(
      Effect.gen(function* () {
        const host = yield* Host.Host
        const read = yield* Effect.either(settings(options))
        const { budget, startup } = Either.getOrElse(read, () => fallback)
        const lifecycle = yield* Lifecycle.make(startup)
        const collector = yield* ShutdownReport.collector
        for (const tell of [collector.subscriber, ShutdownLog.subscriber, ...(options.subscribers ?? [])]) {
          yield* lifecycle.subscribe(tell)
        }
        yield* host.listen(lifecycle.unsafeStop)

        const scope = yield* Scope.make()
        const graph = Layer.provide(
          app,
          Layer.merge(Layer.succeed(Lifecycle.Lifecycle, lifecycle), Layer.succeed(Budget.Budget, budget))
        )
        const end: End = Either.isLeft(read)
          ? { reason: { _tag: "StartFailed", cause: Cause.fail(read.left) }, unfinished: Option.none() }
          : yield* live(lifecycle, graph, scope, restore)
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
  )

/** How a life came to its end. */
interface End {
  readonly reason: StopReason
  /** The acquisition, where the reason came before it was over. */
  readonly unfinished: Option.Option<Fiber.RuntimeFiber<unknown, unknown>>
}

/** Acquires the graph and waits for a reason to stop, which may come before everything is acquired. */
const live = <A, E>(
  lifecycle: Lifecycle.Shape,
  graph: Layer.Layer<A, E>,
  scope: Scope.CloseableScope,
  restore: <B, E2, R2>(effect: Effect.Effect<B, E2, R2>) => Effect.Effect<B, E2, R2>
): Effect.Effect<End> =>
  Effect.gen(function* () {
    const build = yield* Effect.forkDaemon(Effect.interruptible(Layer.buildWithScope(graph, scope)))
    /** Waits for what is awaited or a reason to stop; being interrupted is one. */
    const orStop = <B>(awaited: Effect.Effect<B>): Effect.Effect<Option.Option<B>> =>
      restore(
        Effect.raceFirst(Effect.as(lifecycle.stopRequested, Option.none()), Effect.map(awaited, Option.some))
      ).pipe(
        Effect.exit,
        Effect.flatMap((exit) =>
          Exit.isSuccess(exit)
            ? Effect.succeed(exit.value)
            : Effect.as(lifecycle.stop({ _tag: "Interrupted" }), Option.none())
        )
      )

    const acquired = yield* orStop(Fiber.await(build))
    if (Option.isNone(acquired)) {
      return { reason: yield* lifecycle.stopRequested, unfinished: Option.some(build) }
    }
    if (Exit.isFailure(acquired.value)) {
      yield* lifecycle.stop({ _tag: "StartFailed", cause: acquired.value.cause })
    } else {
      yield* lifecycle.internal.advance("ready")
      yield* orStop(Effect.never)
    }
    return { reason: yield* lifecycle.stopRequested, unfinished: Option.none() }
  })
