/**
 * What a layer may ask of the service's life, and tell it.
 *
 * A layer asks for the phase, adds what it wants done when the drain begins, adds a readiness check, or asks for a stop. It never learns
 * of the other layers: who is released when follows from the layer graph alone.
 *
 * @module
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Bounded from "./Bounded.js"
import type { Hook } from "./Hooks.js"
import type { LifecycleEvent } from "./LifecycleEvent.js"
import * as Phase from "./Phase.js"
import * as Readiness from "./Readiness.js"
import type { StopReason } from "./StopReason.js"
import * as Stopping from "./Stopping.js"

/** Something that a resource does when the drain begins: take no new work, finish what is in hand. */
export interface Quiesce {
  /** How logs and the report call it. */
  readonly name: string
  /** How long it may take. When it overruns it is interrupted, named, and no longer awaited. */
  readonly limit: Duration.Duration
  /** What it does. All quiesces run at once; a failure is recorded and stops nothing. */
  readonly run: Effect.Effect<void, unknown>
}

/** One who is told of every event, in order, before what caused it goes on. What it fails in is dropped: telling must not stop a stop. */
export type Subscriber = (event: LifecycleEvent) => Effect.Effect<void>

/** An event without its time, which `emit` fills in. */
export type Unstamped<E = LifecycleEvent> = E extends unknown ? Omit<E, "at"> : never

/** The service. */
export interface Shape {
  /** The phase as of now. Never fails. */
  readonly phase: Effect.Effect<Phase.Phase>
  /** As {@link phase}, for callbacks outside Effect, such as a request listener. */
  readonly unsafePhase: () => Phase.Phase
  /** Ends when the phase is `phase` or a later one. Interrupting it is free. */
  readonly awaitPhase: (phase: Phase.Phase) => Effect.Effect<void>
  /** Whether to send work here, and custom checks that have a say in it. */
  readonly readiness: Readiness.Shape
  /** Has `quiesce` run when the drain begins, for as long as the scope is open. One that is added during the drain or later does not run. */
  readonly addQuiesce: (quiesce: Quiesce) => Effect.Effect<void, never, Scope.Scope>
  /** Has `hook` run before or after the graph is released. It stays, whatever becomes of the scope that it was added in; one added after its moment does not run. */
  readonly addHook: (hook: Hook) => Effect.Effect<void>
  /** Asks for a stop and returns at once. The first reason counts. Never fails. */
  readonly stop: (reason: StopReason) => Effect.Effect<void>
  /** As {@link stop}, for callbacks outside Effect. */
  readonly unsafeStop: (reason: StopReason) => void
  /** Ends with the first reason to stop. Interrupting it is free. */
  readonly stopRequested: Effect.Effect<StopReason>
  /** Tells all subscribers. Never fails. */
  readonly emit: (event: Unstamped) => Effect.Effect<void>
  /** Is told of every event from now on, for as long as the scope is open. */
  readonly subscribe: (subscriber: Subscriber) => Effect.Effect<void, never, Scope.Scope>
  /** The library's own side; nothing that a service needs. */
  readonly internal: Internal
}

/** What launch and named layers share. */
export interface Internal {
  /** The clockwork of the stop. */
  readonly stopping: Stopping.Stopping
  /** Moves on to a later phase; an earlier one is ignored. */
  readonly advance: (phase: Phase.Phase) => Effect.Effect<void>
  /** What runs when the drain begins. */
  readonly quiesces: ReadonlySet<Quiesce>
  /** What runs around the release, in the order in which it was added. */
  readonly hooks: ReadonlyArray<Hook>
  /** Ends with the second signal. Reasons that are no signals do not count: a worker that fails while stopping is no hurry. */
  readonly stopRepeated: Effect.Effect<StopReason>
  /** When acquisitions must be over, in milliseconds by the clock. */
  readonly startDeadline: number
}

/** The life of the service that a layer belongs to; `launch` provides it. */
export class Lifecycle extends Context.Tag("stellar-insights/lifecycle/Lifecycle")<Lifecycle, Shape>() {}

/** A lifecycle at `starting`, for one run. Acquisitions are bounded by `startupTimeout` from now. */
export const make = (startupTimeout: Duration.Duration): Effect.Effect<Shape> =>
  Effect.gen(function* () {
    const stopping = yield* Stopping.make
    const first = yield* Deferred.make<StopReason>()
    const second = yield* Deferred.make<StopReason>()
    const reached = new Map<Phase.Phase, Deferred.Deferred<void>>()
    for (const phase of Phase.all) reached.set(phase, yield* Deferred.make<void>())
    const subscribers = new Set<Subscriber>()
    const quiesces = new Set<Quiesce>()
    const hooks: Array<Hook> = []
    const started = yield* Bounded.now
    let current: Phase.Phase = "starting"
    let signals = 0

    const emit: Shape["emit"] = (event) =>
      Effect.flatMap(Bounded.now, (at) => {
        const stamped = { ...event, at } as LifecycleEvent
        return Effect.forEach(
          [...subscribers],
          (tell) => Effect.catchAllCause(tell(stamped), () => Effect.void),
          {
            discard: true
          }
        )
      })

    const unsafeStop = (reason: StopReason) => {
      Deferred.unsafeDone(first, Effect.succeed(reason))
      if (reason._tag !== "Signal") return
      if (signals > 0) Deferred.unsafeDone(second, Effect.succeed(reason))
      signals += 1
    }

    const scoped = <A>(set: Set<A>, value: A) =>
      Effect.acquireRelease(
        Effect.sync(() => set.add(value)),
        () => Effect.sync(() => set.delete(value))
      ).pipe(Effect.asVoid)

    const phase = Effect.sync(() => current)
    return {
      phase,
      unsafePhase: () => current,
      awaitPhase: (wanted) => Deferred.await(reached.get(wanted)!),
      readiness: Readiness.make(phase),
      addQuiesce: (quiesce) => scoped(quiesces, quiesce),
      addHook: (hook) =>
        Effect.sync(() => {
          hooks.push(hook)
          if (hook.when === "after-release") stopping.tailMillis += Duration.toMillis(hook.limit)
        }),
      stop: (reason) => Effect.sync(() => unsafeStop(reason)),
      unsafeStop,
      stopRequested: Deferred.await(first),
      emit,
      subscribe: (subscriber) => scoped(subscribers, subscriber),
      internal: {
        stopping,
        quiesces,
        hooks,
        stopRepeated: Deferred.await(second),
        startDeadline: started + Duration.toMillis(startupTimeout),
        advance: (next) =>
          Effect.suspend(() => {
            if (Phase.index(next) <= Phase.index(current)) return Effect.void
            const previous = current
            current = next
            for (const [passed, deferred] of reached) {
              if (Phase.isAtLeast(next, passed)) Deferred.unsafeDone(deferred, Effect.void)
            }
            return emit({ _tag: "PhaseChanged", phase: next, previous })
          })
      }
    }
  })
