/**
 * Traces, metrics and error reports that leave the process, as one named part of it: the first to be there, the last to go.
 *
 * Everything is built on it, so it is released after everything, the database included, as `telemetry` within `SHUTDOWN_TELEMETRY_TIMEOUT`. What is left is delivered in three quarters of
 * that and then given up with a warning: a collector that hangs does not make the stop a forced one. Where nothing is configured nothing is loaded, and there is nothing to release.
 *
 * @module
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Budget from "../lifecycle/Budget.js"
import * as Resource from "../lifecycle/Resource.js"
import * as Samples from "../lifecycle/Samples.js"
import * as ErrorReports from "./ErrorReports.js"
import * as OtlpConfig from "./OtlpConfig.js"
import * as SentryConfig from "./SentryConfig.js"
import * as Tracing from "./Tracing.js"

/** How logs and reports call it. */
export const name = "telemetry"

/** The part of the limit that delivering has; the rest is for giving up and saying so. */
const patience = 0.75

/** The settings. */
export const config = Config.all({ otlp: OtlpConfig.config, sentry: SentryConfig.config })

/** Exports and reports as the environment says. Fails with `ConfigError`. */
export const layerConfig = (version: string) =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const { otlp, sentry } = yield* config
      const { stages } = yield* Budget.Budget
      const common = { version, patience: Duration.times(stages.telemetry, patience) }
      const { endpoint } = otlp
      const { environment, project } = sentry
      if (Option.isNone(endpoint) && Option.isNone(project)) return Tracing.layerNone

      const exporting = Option.isNone(endpoint)
        ? Tracing.layerNone
        : yield* Effect.map(
            Effect.promise(() => import("./OtlpExport.js")),
            (module) => module.layer({ ...common, config: otlp, endpoint: endpoint.value })
          )
      const reporting = Option.isNone(project)
        ? Layer.empty
        : yield* Effect.map(
            Effect.promise(() => import("./SentryReports.js")),
            (module) =>
              Layer.provide(
                ErrorReports.observing,
                module.layer({ ...common, environment, project: project.value })
              )
          )
      return Resource.named(name, { limit: stages.telemetry })(Layer.merge(exporting, reporting))
    })
  ).pipe(Layer.provide([FetchHttpClient.layer, Samples.layer]))
