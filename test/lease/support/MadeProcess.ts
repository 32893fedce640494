/** Processes that are made up: they share time and a file, and each can be stopped as SIGSTOP does it, between any two turns of its own. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Holder from "../../../src/lease/Holder.js"
import * as LeaseBoard from "../../../src/lease/LeaseBoard.js"
import * as Leased from "../../../src/lease/Leased.js"
import * as Leases from "../../../src/lease/Leases.js"
import * as Wake from "../../../src/lease/Wake.js"
import * as Host from "../../../src/lifecycle/Host.js"
import * as Launch from "../../../src/lifecycle/Launch.js"
import * as ShutdownConfig from "../../../src/lifecycle/ShutdownConfig.js"
import type { StopReason } from "../../../src/lifecycle/StopReason.js"
import * as SupervisedTask from "../../../src/lifecycle/SupervisedTask.js"
import * as TaskBoard from "../../../src/lifecycle/TaskBoard.js"
import type { Random } from "../../simulation/Random.js"
import type { VirtualTime } from "../../simulation/VirtualTime.js"
import type * as Store from "./Store.js"

/** How long a lease holds. */
export const ttlMillis = 5000

/** What one process is doing, for the others to be compared with. */
export interface MadeProcess {
  readonly who: string
  /** When its unit began; undefined while none is under way. */
  unitSince: number | undefined
  /** It is inside a transaction, so the file is locked. */
  inTransaction: boolean
  /** When it was stopped last. */
  stoppedAt: number
  readonly ended: () => boolean
  readonly sigstop: () => void
  readonly sigcont: () => void
  readonly sigterm: () => void
}

export interface Options {
  readonly who: string
  readonly store: Store.Store
  readonly time: VirtualTime
  readonly random: Random
  readonly wake: Wake.Shape
  /** A unit begins. */
  readonly onUnit: (process: MadeProcess) => void
}

/** Starts one, that writes rows under the lease. */
export const start = ({ onUnit, random, store, time, wake, who }: Options): MadeProcess => {
  let stopped = false
  let over = false
  const held: Array<() => void> = []
  let tell: (reason: StopReason) => void = () => {}

  const unit = Effect.gen(function* () {
    process.unitSince = yield* Clock.currentTimeMillis
    onUnit(process)
    yield* Effect.sleep(random.int(0, 800))
    const row = Effect.gen(function* () {
      process.inTransaction = true
      yield* store.write(who)
      if (random.chance(0.7)) yield* Effect.sleep(random.int(0, 60))
    })
    yield* Effect.ensuring(
      store.transaction(row),
      Effect.sync(() => void (process.inTransaction = false))
    )
  }).pipe(Effect.ensuring(Effect.sync(() => void (process.unitSince = undefined))))

  const writer = Layer.scopedDiscard(
    SupervisedTask.run({
      name: "writer",
      limit: Duration.seconds(2),
      next: Effect.suspend(() => Effect.sleep(random.int(0, 300))),
      unit: () => unit
    })
  )
  const app = writer.pipe(
    Leased.layer({
      name: "tasks",
      config: { ttl: Duration.millis(ttlMillis), poll: Duration.millis(300) },
      limit: Duration.seconds(2),
      holder: Holder.named(who)
    }),
    Layer.provide([
      Layer.succeed(Leases.Leases, store.leases),
      Layer.succeed(Wake.Wake, wake),
      LeaseBoard.layer,
      TaskBoard.layer
    ])
  )
  const process: MadeProcess = {
    who,
    unitSince: undefined,
    inTransaction: false,
    stoppedAt: -1,
    ended: () => over,
    sigstop: () => {
      stopped = true
      process.stoppedAt = time.now()
    },
    sigcont: () => {
      stopped = false
      for (const task of held.splice(0)) time.scheduler.scheduleTask(task, 0)
    },
    sigterm: () => tell({ _tag: "Signal", signal: "SIGTERM" })
  }
  const program = Launch.launch(app, {
    startupTimeout: Duration.minutes(1),
    shutdown: { ...ShutdownConfig.defaults, total: Option.none() }
  }).pipe(
    Effect.provideService(Host.Host, {
      listen: (onStop) => Effect.sync(() => void (tell = onStop)),
      leave: () => Effect.void
    }),
    Effect.withClock(time.clock),
    Logger.withMinimumLogLevel(LogLevel.None)
  )
  // Whatever a process does, it does in turns: one that is stopped has none.
  Effect.runFork(program, {
    scheduler: {
      shouldYield: time.scheduler.shouldYield,
      scheduleTask: (task, priority) =>
        stopped
          ? void held.push(task)
          : time.scheduler.scheduleTask(() => (stopped ? held.push(task) : task()), priority)
    }
  }).addObserver(() => {
    over = true
  })
  return process
}
