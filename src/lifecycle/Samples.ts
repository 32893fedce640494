/**
 * Metrics that are functions of state: they are read when somebody asks for them, and by no timer.
 *
 * Who has such state adds what reads it; who is about to tell metrics (a scrape, an exporter before it sends) calls {@link Shape.update} first. An exporter that
 * knows nothing of this reads what {@link layerEvery} keeps up to date.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"

/** The registry. */
export interface Shape {
  /**
   * Has `read` run with every update from now on, until the scope closes, and at once before that, so that what stays behind is what was true at the end. It must be
   * quick and set metrics only; what it fails in is logged at debug level and keeps no other from being read.
   */
  readonly add: <E, R>(read: Effect.Effect<void, E, R>) => Effect.Effect<void, never, R | Scope.Scope>
  /** As {@link add}, for as long as the registry is there: what `read` looks at must bear being looked at after its owner was released. */
  readonly keep: (read: Effect.Effect<void>) => Effect.Effect<void>
  /** Brings everything up to date. Never fails. */
  readonly update: Effect.Effect<void>
}

/** What is read when metrics are told. */
export class Samples extends Context.Tag("stellar-insights/lifecycle/Samples")<Samples, Shape>() {}

/** A registry with nothing in it. */
export const make: Effect.Effect<Shape> = Effect.sync(() => {
  const reads = new Set<Effect.Effect<void>>()
  const keep = <E>(read: Effect.Effect<void, E>) =>
    Effect.sync(() => {
      const safe = Effect.catchAllCause(read, (cause) => Effect.logDebug("A metric could not be read", cause))
      reads.add(safe)
      return safe
    })
  return {
    add: <E, R>(read: Effect.Effect<void, E, R>) =>
      Effect.flatMap(Effect.context<R | Scope.Scope>(), (context) =>
        Effect.acquireRelease(keep(Effect.provide(read, context)), (safe) =>
          Effect.zipRight(
            Effect.sync(() => reads.delete(safe)),
            safe
          )
        )
      ).pipe(Effect.asVoid),
    keep: (read) => Effect.asVoid(keep(read)),
    update: Effect.suspend(() => Effect.forEach([...reads], (read) => read, { discard: true }))
  }
})

/** The registry as a layer: one within a build. */
export const layer: Layer.Layer<Samples> = Layer.effect(Samples, make)

/** The registry, updated at an interval: for an exporter that sends what there is without asking first. */
export const layerEvery = (interval: Duration.DurationInput): Layer.Layer<Samples> =>
  Layer.scoped(
    Samples,
    Effect.tap(make, ({ update }) => Effect.forkScoped(Effect.repeat(update, Schedule.spaced(interval))))
  )

/** A counter that is counted elsewhere, raised to what it is there. Reading it twice at once adds nothing; a total that falls leaves it where it is. */
export const raise = (metric: Metric.Metric.Counter<number>, total: number): Effect.Effect<void> =>
  Effect.sync(() => {
    const missing = total - metric.unsafeValue([]).count
    if (missing > 0) metric.unsafeUpdate(missing, [])
  })
