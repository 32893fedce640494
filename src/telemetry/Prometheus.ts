/**
 * Effect's metrics as Prometheus reads them: the text format 0.0.4, by OpenTelemetry's own exporter.
 *
 * The exporter is loaded when somebody asks first, so that a start does not pay for it. Its own HTTP server is not used: what is told is served by whoever serves.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Samples from "../lifecycle/Samples.js"

/** What a scrape is answered with. */
export interface Shape {
  /** The media type of the text. */
  readonly contentType: string
  /** All metrics as of now, after everything that is read when it is told has been read. Dies where the exporter cannot be loaded. */
  readonly text: Effect.Effect<string>
}

/** The media type of the text format. */
export const contentType = "text/plain; version=0.0.4; charset=utf-8"

const load = Effect.flatMap(
  Effect.promise(() => import("./PrometheusExporter.js")),
  (exporter) => exporter.make
)

/** What tells all metrics of this process. Nothing is loaded yet. */
export const make: Effect.Effect<Shape, never, Samples.Samples> = Effect.gen(function* () {
  const { update } = yield* Samples.Samples
  const loaded = yield* Effect.cached(load)
  return { contentType, text: Effect.zipRight(update, Effect.flatten(loaded)) }
})
