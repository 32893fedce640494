/**
 * The lease under which the tasks run that must run once: one for all of them, in the database that they write to, which has one writer anyway.
 *
 * | key | default | allowed |
 * |---|---|---|
 * | `LEASE_TTL` | 10 s | 1 s to 10 min |
 * | `LEASE_POLL_INTERVAL` | 250 ms | 10 ms to 1 min |
 *
 * A process that waits for it is on standby: it serves everything, from the same file. With Redis it is told as soon as the lease was given back, else it looks every
 * `LEASE_POLL_INTERVAL`; a holder that was killed is waited for until its `LEASE_TTL` is over, unless it was a process of this host.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as HealthDetails from "../http/HealthDetails.js"
import * as Holder from "../lease/Holder.js"
import * as LeaseBoard from "../lease/LeaseBoard.js"
import * as LeaseConfig from "../lease/LeaseConfig.js"
import * as Leased from "../lease/Leased.js"
import * as Leases from "../lease/Leases.js"
import * as SqlLeases from "../lease/SqlLeases.js"
import * as Wake from "../lease/Wake.js"
import * as Budget from "../lifecycle/Budget.js"
import * as Bell from "../redis/Bell.js"
import * as Redis from "../redis/Redis.js"
import * as Database from "./Database.js"

/** How the lease is called in the database, logs and reports. */
export const name = "tasks"

const leases = Layer.effect(Leases.Leases, Effect.map(Database.Database, SqlLeases.make))

const wake = Layer.effect(
  Wake.Wake,
  Effect.map(
    Redis.Configured,
    Option.match({ onNone: () => Wake.none, onSome: (redis) => Bell.make(redis, "lease") })
  )
)

/** The section `leases` of `/health`. */
const health = Layer.scopedDiscard(
  Effect.gen(function* () {
    const board = yield* LeaseBoard.LeaseBoard
    const details = yield* HealthDetails.HealthDetails
    yield* details.add(
      "leases",
      Effect.map(board.all, (all) => all.map((lease) => ({ ...lease })))
    )
  })
)

/**
 * `tasks`, in one process at a time; they may take `SHUTDOWN_BACKGROUND_TIMEOUT` to finish when the service stops. `standby` is there while another process has the
 * lease, and `begin` is what is done first when it is this one's. Fails as the tasks do, or with `ConfigError`.
 */
export const layerConfig = <E, R, RS = never>(
  tasks: Layer.Layer<never, E, R>,
  standby: Layer.Layer<never, never, RS> = Layer.empty as Layer.Layer<never, never, RS>,
  begin: Effect.Effect<void, never, RS> = Effect.void
) =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const { stages } = yield* Budget.Budget
      const config = yield* LeaseConfig.config
      const holder = yield* Holder.ofProcess
      const leased = Leased.layer({ name, config, holder, limit: stages.background, standby, begin })(tasks)
      return Layer.merge(leased, health)
    })
  ).pipe(Layer.provide([leases, wake]))
