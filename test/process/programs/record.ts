/** A service that does nothing but keep a record of its runs in the folder `records`, as instance `INSTANCE`, and that logs JSON lines. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as LastRun from "../../../src/lifecycle/LastRun.js"
import * as LastRunLog from "../../../src/lifecycle/LastRunLog.js"
import * as NodeLaunch from "../../../src/lifecycle/node/NodeLaunch.js"
import * as ProcessAlive from "../../../src/lifecycle/node/ProcessAlive.js"
import * as Resource from "../../../src/lifecycle/Resource.js"
import * as Logging from "../../../src/telemetry/Logging.js"

const keeper = LastRun.make({
  folder: Config.succeed("records"),
  instance: Config.string("INSTANCE").pipe(Config.withDefault("8080"))
})

const database = Resource.named("database", { limit: Duration.seconds(2) })(
  Layer.scopedDiscard(Effect.addFinalizer(() => Effect.sleep("20 millis")))
)

const say = Layer.effectDiscard(
  Effect.flatMap(LastRun.LastRun, ({ ending, file }) =>
    Effect.annotateLogs(Effect.logInfo("last run"), {
      last_run: LastRunLog.toJson(ending),
      file: Option.getOrNull(file)
    })
  )
)

// Something has to keep the process alive as a socket would.
const idle = Layer.scopedDiscard(Effect.forkScoped(Effect.forever(Effect.sleep("1 minute"))))

const app = Layer.mergeAll(say, idle).pipe(
  Layer.provide(database),
  Layer.provide(keeper.layer),
  Layer.provide([NodeContext.layer, ProcessAlive.layer])
)

NodeRuntime.runMain(
  Effect.flatMap(Logging.config(false), (logging) =>
    Effect.provide(NodeLaunch.launch(app, { onReport: keeper.onReport }), Logging.layer(logging))
  )
)
