/**
 * A process that appends rows under a lease until it is told to stop, and says what it does: `FIRST <millis since 1970>` when its first unit begins, `UNIT <epoch>` when one
 * is in, `RELEASED <millis since 1970>` when it has given the lease back. Rows go in one by one, in transactions of a few milliseconds, with the epoch of the moment.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { writeSync } from "node:fs"
import * as LeaseBoard from "../../../src/lease/LeaseBoard.js"
import * as LeaseConfig from "../../../src/lease/LeaseConfig.js"
import * as Leased from "../../../src/lease/Leased.js"
import * as Leases from "../../../src/lease/Leases.js"
import * as Wake from "../../../src/lease/Wake.js"
import * as NodeLaunch from "../../../src/lifecycle/node/NodeLaunch.js"
import * as SupervisedTask from "../../../src/lifecycle/SupervisedTask.js"
import * as TaskBoard from "../../../src/lifecycle/TaskBoard.js"
import * as Store from "../support/Store.js"

const filename = process.argv[2]!
const limit = Duration.seconds(5)

/** Whole lines, at once: the process may be killed after any of them. */
const say = (line: string) => Effect.sync(() => void writeSync(1, `${line}\n`))

class Opened extends Context.Tag("Opened")<Opened, Store.Store>() {}

const opened = Layer.scoped(Opened, Store.open(filename))

const leases = Layer.effect(
  Leases.Leases,
  Effect.map(Opened, (store) => store.leases)
)

const writer = Layer.scopedDiscard(
  Effect.gen(function* () {
    const { transaction, write } = yield* Opened
    let first = true
    const unit = Effect.gen(function* () {
      if (first) {
        first = false
        yield* say(`FIRST ${yield* Clock.currentTimeMillis}`)
      }
      // The pause makes it long enough to be stopped in the middle of it now and then.
      const epoch = yield* transaction(Effect.zipLeft(write(String(process.pid)), Effect.sleep(2)))
      yield* say(`UNIT ${epoch}`)
    })
    yield* SupervisedTask.run({ name: "writer", limit, next: Effect.sleep(3), unit: () => unit })
  })
)

const notified: Wake.Shape = {
  ...Wake.none,
  notify: () => Effect.flatMap(Clock.currentTimeMillis, (now) => say(`RELEASED ${now}`))
}

const app = writer.pipe(
  Leased.layer({
    name: "tasks",
    config: { ...LeaseConfig.defaults, ttl: Duration.seconds(1), poll: Duration.millis(50) },
    limit
  }),
  Layer.provide(leases),
  Layer.provide([opened, Layer.succeed(Wake.Wake, notified), LeaseBoard.layer, TaskBoard.layer])
)

NodeRuntime.runMain(NodeLaunch.launch(app, { watchdog: false, systemd: false }))
