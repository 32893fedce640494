/**
 * Which leases this process wants and has, for health and as metrics.
 *
 * | metric | type | what |
 * | --- | --- | --- |
 * | `lease_held{lease}` | gauge | 1 while this process has it, else 0 |
 * | `lease_epoch{lease}` | gauge | the epoch that this process has seen last |
 * | `lease_lost_total{lease}` | counter | how often this process has lost it, which is more than giving it back |
 *
 * @module
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import type * as Scope from "effect/Scope"

/**
 * - `standby`: another process has it, or nobody could be asked yet.
 * - `held`: this process has it.
 * - `ended`: this process has given it back, and wants it no more.
 */
export type State = "standby" | "held" | "ended"

/** One lease as this process sees it. */
export interface LeaseStatus {
  /** Which one. */
  readonly name: string
  /** What it is to this process. */
  readonly state: State
  /** Since when, in milliseconds since 1970. */
  readonly since: number
  /** Who has it, as far as this process has seen; null when nobody was seen. */
  readonly holder: string | null
  /** The epoch that was seen last; null before the first. */
  readonly epoch: number | null
}

/** The registry. */
export interface Shape {
  /** Shows a lease for as long as the scope is open. */
  readonly add: (status: Effect.Effect<LeaseStatus>) => Effect.Effect<void, never, Scope.Scope>
  /** Every lease as of now, by name. Never fails. */
  readonly all: Effect.Effect<ReadonlyArray<LeaseStatus>>
}

/** The leases of this process. */
export class LeaseBoard extends Context.Tag("stellar-insights/lease/LeaseBoard")<LeaseBoard, Shape>() {}

/** A board with nothing on it. */
export const make: Effect.Effect<Shape> = Effect.sync(() => {
  const leases = new Set<{ readonly status: Effect.Effect<LeaseStatus> }>()
  return {
    add: (status) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const lease = { status }
          leases.add(lease)
          return lease
        }),
        (lease) => Effect.sync(() => leases.delete(lease))
      ).pipe(Effect.asVoid),
    all: Effect.map(
      Effect.suspend(() => Effect.forEach([...leases], ({ status }) => status)),
      (all) => all.sort((a, b) => (a.name < b.name ? -1 : 1))
    )
  }
})

/** A board as a layer. */
export const layer: Layer.Layer<LeaseBoard> = Layer.effect(LeaseBoard, make)

/** The side that writes a status. */
export interface Tracker {
  /** The answer as of now. Never fails. */
  readonly status: Effect.Effect<LeaseStatus>
  /** Notes what the lease is to this process, and who was seen to have it; what is not known stays as it was. */
  readonly note: (
    state: State,
    seen?: { readonly holder: string; readonly epoch: number } | undefined
  ) => Effect.Effect<void>
  /** Counts a loss. */
  readonly lost: Effect.Effect<void>
}

const held = Metric.gauge("lease_held", { description: "Whether this process has the lease" })
const epoch = Metric.gauge("lease_epoch", { description: "The epoch of the lease that was seen last" })
const losses = Metric.counter("lease_lost_total", {
  description: "How often this process has lost the lease",
  incremental: true
})

/** The status of a lease that nobody has looked at yet, and its metrics. */
export const track = (name: string): Effect.Effect<Tracker> =>
  Effect.map(Clock.currentTimeMillis, (begun) => {
    let status: LeaseStatus = { name, state: "standby", since: begun, holder: null, epoch: null }
    return {
      status: Effect.sync(() => status),
      note: (state, seen) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          status = {
            name,
            state,
            since: state === status.state ? status.since : now,
            holder: seen?.holder ?? status.holder,
            epoch: seen?.epoch ?? status.epoch
          }
          return Effect.zipRight(
            Metric.set(Metric.tagged(held, "lease", name), state === "held" ? 1 : 0),
            Metric.set(Metric.tagged(epoch, "lease", name), status.epoch ?? 0)
          )
        }),
      lost: Metric.increment(Metric.tagged(losses, "lease", name))
    }
  })
