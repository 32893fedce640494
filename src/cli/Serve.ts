/** `stellar-insights serve`: the service in this process. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { dirname } from "node:path"
import * as App from "../App.js"
import * as HttpServerConfig from "../http/HttpServerConfig.js"
import * as DatabaseConfig from "../insights/DatabaseConfig.js"
import * as LastRun from "../lifecycle/LastRun.js"
import * as NodeLaunch from "../lifecycle/node/NodeLaunch.js"
import * as ProcessAlive from "../lifecycle/node/ProcessAlive.js"
import type * as Signals from "../lifecycle/node/Signals.js"
import * as Samples from "../lifecycle/Samples.js"
import * as ShutdownMetrics from "../lifecycle/ShutdownMetrics.js"
import type { ShutdownReport } from "../lifecycle/ShutdownReport.js"
import * as Waterfall from "../lifecycle/Waterfall.js"
import * as Logging from "../telemetry/Logging.js"
import * as ProcessMetrics from "../telemetry/ProcessMetrics.js"
import * as Telemetry from "../telemetry/Telemetry.js"
import * as Program from "./Program.js"
import * as Settings from "./Settings.js"

const version = process.env.STELLAR_INSIGHTS_VERSION ?? "development"

/** A start that failed has said why in one line; there is nothing to draw of it. */
const draw = (report: ShutdownReport) =>
  report.phases.some(({ phase }) => phase === "draining")
    ? Console.log(Waterfall.render(report))
    : Effect.void

/** Runs until it is stopped. Fails with `ConfigError` when the logging keys are wrong; whatever else is wrong is the launch's to say. */
export const serve = (signals: Signals.Captured) =>
  Effect.gen(function* () {
    const logging = yield* Logging.config(process.stdout.isTTY)
    const keeper = LastRun.make({
      folder: Config.map(DatabaseConfig.config, ({ filename }) => dirname(filename)),
      instance: Config.map(HttpServerConfig.config, ({ port }) => String(port))
    })
    const app = App.layer.pipe(
      Layer.provide(keeper.layer),
      Layer.provide([NodeFileSystem.layer, NodePath.layer, ProcessAlive.layer]),
      Layer.provide(ProcessMetrics.layer(version).pipe(Layer.provide(Samples.layer))),
      Layer.provide(Telemetry.layerConfig(version)),
      // Before anything is opened or written, every key is read: what is wrong leaves nothing behind.
      Layer.provide(Layer.effectDiscard(Settings.read))
    )
    yield* NodeLaunch.launch(app, {
      signals,
      recordFile: keeper.unsafeFile,
      subscribers: [yield* ShutdownMetrics.make],
      onReport: (report) =>
        Effect.zipRight(keeper.onReport(report), logging.format === "pretty" ? draw(report) : Effect.void)
    }).pipe(Effect.provide(Logging.layer(logging)))
  })

/** `serve` without anything else on the command line, handed to the process: nothing that reads command lines is loaded for it. */
export const main = (signals: Signals.Captured): void => Program.run(Program.configured(serve(signals)))
