/** `stellar-insights serve`: the service in this process. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as App from "../App.js"
import * as NodeLaunch from "../lifecycle/node/NodeLaunch.js"
import type * as Signals from "../lifecycle/node/Signals.js"
import * as Waterfall from "../lifecycle/Waterfall.js"
import * as Logging from "../telemetry/Logging.js"

/** Runs until it is stopped. Fails with `ConfigError` when the logging keys are wrong; whatever else is wrong is the launch's to say. */
export const serve = (signals: Signals.Captured) =>
  Effect.gen(function* () {
    const logging = yield* Logging.config(process.stdout.isTTY)
    yield* NodeLaunch.launch(App.layer, {
      signals,
      // A start that failed has said why in one line; there is nothing to draw of it.
      onReport: (report) =>
        logging.format === "pretty" && report.phases.some(({ phase }) => phase === "draining")
          ? Console.log(Waterfall.render(report))
          : Effect.void
    }).pipe(Effect.provide(Logging.layer(logging)))
  })
