/** Services that share a lease, each with a connection of its own, launched on TestClock. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Holder from "../../../src/lease/Holder.js"
import * as LeaseBoard from "../../../src/lease/LeaseBoard.js"
import * as LeaseConfig from "../../../src/lease/LeaseConfig.js"
import * as Leased from "../../../src/lease/Leased.js"
import * as Leases from "../../../src/lease/Leases.js"
import * as Wake from "../../../src/lease/Wake.js"
import type * as Lifecycle from "../../../src/lifecycle/Lifecycle.js"
import * as SupervisedTask from "../../../src/lifecycle/SupervisedTask.js"
import * as TaskBoard from "../../../src/lifecycle/TaskBoard.js"
import * as Run from "../../support/Run.js"
import * as Store from "./Store.js"

/** What tasks get to know of the service that they are in. */
export interface Inside {
  readonly who: string
  readonly store: Store.Store
}

export interface Options {
  /** The limit of tasks and of the lease. */
  readonly limit?: Duration.DurationInput
  /** From one look to the next; each takes the test clock a while. Default 5 s. */
  readonly poll?: Duration.DurationInput
  /** The connection, for a file that is locked when the service is launched. */
  readonly store?: Store.Store
  readonly holder?: Holder.Holder
  readonly wake?: Wake.Shape
  readonly leases?: (leases: Leases.Shape) => Leases.Shape
  readonly standby?: Layer.Layer<never>
  readonly announceDelay?: Duration.Duration
  /** What the service is built of besides. */
  readonly around?: <A, E, R>(leased: Layer.Layer<A, E, R>) => Layer.Layer<A, E, R | Lifecycle.Lifecycle>
}

/** Launches a service on the file whose tasks are given. */
export const launch = Effect.fnUntraced(function* <E>(
  file: string,
  who: string,
  tasks: (inside: Inside) => Layer.Layer<never, E, Lifecycle.Lifecycle | TaskBoard.TaskBoard>,
  options: Options = {}
) {
  const store = options.store ?? (yield* Store.open(file))
  const leaseBoard = yield* LeaseBoard.make
  const taskBoard = yield* TaskBoard.make
  const leased = Leased.layer({
    name: "tasks",
    config: { ...LeaseConfig.defaults, poll: Duration.decode(options.poll ?? "5 seconds") },
    limit: Duration.decode(options.limit ?? "5 seconds"),
    holder: options.holder ?? Holder.named(who),
    ...(options.standby === undefined ? {} : { standby: options.standby })
  })(tasks({ who, store })).pipe(
    Layer.provide([
      Layer.succeed(Leases.Leases, options.leases?.(store.leases) ?? store.leases),
      Layer.succeed(Wake.Wake, options.wake ?? Wake.none),
      Layer.succeed(LeaseBoard.LeaseBoard, leaseBoard),
      Layer.succeed(TaskBoard.TaskBoard, taskBoard)
    ])
  )
  const run = yield* Run.launch(
    options.around === undefined ? leased : options.around(leased),
    options.announceDelay === undefined ? {} : { announceDelay: options.announceDelay }
  )
  return { run, store, lease: Effect.map(leaseBoard.all, (all) => all[0]!), tasks: taskBoard.all }
})

/** A task that works all the time: what a unit does is given, and each ends with a row in a transaction under the fence. */
export const writer =
  (unit: (inside: Inside) => Effect.Effect<void> = () => Effect.sleep("4 seconds")) =>
  (inside: Inside): Layer.Layer<never, never, Lifecycle.Lifecycle | TaskBoard.TaskBoard> =>
    Layer.scopedDiscard(
      SupervisedTask.run({
        name: "writer",
        limit: Duration.seconds(5),
        next: Effect.void,
        unit: () =>
          Effect.zipRight(
            unit(inside),
            Effect.asVoid(inside.store.transaction(inside.store.write(inside.who)))
          )
      })
    )

/** Who wrote, in order, without repetition. */
export const writers = (store: Store.Store) =>
  Effect.map(store.entries, (rows) =>
    rows.map(({ epoch, writer }) => `${writer}${epoch}`).filter((one, i, all) => one !== all[i - 1])
  )
