/**
 * Who may do what only one process may do at a time.
 *
 * A lease has a name, a holder, an epoch and an end. Whoever takes it gets an epoch one higher than any before, issued by the database, and keeps it by renewing it
 * in time. The epoch is what protects the data: the first statement of each write transaction is the {@link Shape.fence}, which fails as soon as the lease is
 * over or somebody else's, so that a holder that was stopped for longer than it knows writes nothing when it wakes up.
 *
 * This is the interface; `SqlLeases` keeps them in a table next to what they protect. It must be the same database: a fence elsewhere would be passed before
 * the write and not with it.
 *
 * @module
 */
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"

/** A lease as it was given. */
export interface Lease {
  /** Which one. */
  readonly name: string
  /** To whom; no two processes may share it. */
  readonly holder: string
  /** The how-manieth giving of this lease it is, from 1. */
  readonly epoch: number
  /** For how long, from its giving and from each renewal. */
  readonly ttl: Duration.Duration
}

/** What a lease is like at the moment. */
export interface Held {
  /** Who had it last. */
  readonly holder: string
  /** Its epoch at the time. */
  readonly epoch: number
  /** How long it still holds unless it is renewed; nothing when it can be taken. */
  readonly remaining: Duration.Duration
}

/** The lease is over, given back, or somebody else's. */
export class LeaseLost extends Data.TaggedError("LeaseLost")<{
  /** Which one. */
  readonly lease: string
  /** The epoch that it was held with. */
  readonly epoch: number
}> {}

/** The leases of one database. All of it can fail with `SqlError`; interrupted, each is done or is not, never half. */
export interface Shape {
  /**
   * Takes the lease when nobody has it, the one who had it did not renew it in time, or `holder` has it already; none when somebody else does. Of several who ask
   * at once one gets it. A holder who is known to be `gone` need not be waited for.
   */
  readonly acquire: (
    name: string,
    holder: string,
    ttl: Duration.Duration,
    gone?: { readonly holder: string; readonly epoch: number }
  ) => Effect.Effect<Option.Option<Lease>, SqlError>
  /** Has the lease hold for its whole time again, from now. Fails with {@link LeaseLost} when it is too late for that. */
  readonly renew: (lease: Lease) => Effect.Effect<void, LeaseLost | SqlError>
  /** Gives the lease back: from then on it can be taken, and its fence lets nothing pass. Nothing when it is not held any more. The epoch stays. */
  readonly release: (lease: Lease) => Effect.Effect<void, SqlError>
  /**
   * To be run as the first statement of a write transaction. It passes while the lease is held, and nobody else can take it then until that transaction has
   * ended; else it fails with {@link LeaseLost}.
   */
  readonly fence: (lease: Lease) => Effect.Effect<void, LeaseLost | SqlError>
  /** What the lease is like; none when it was never taken. A read, which waits for nobody. */
  readonly look: (name: string) => Effect.Effect<Option.Option<Held>, SqlError>
}

/** The leases of the service's database. */
export class Leases extends Context.Tag("stellar-insights/lease/Leases")<Leases, Shape>() {}
