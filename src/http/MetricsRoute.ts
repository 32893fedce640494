/**
 * `/metrics`, on the port of the service and on that of its health.
 *
 * What is told, and in which format, is for an {@link Exposition} to say; this serves it, never cached.
 *
 * @module
 */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"

/** Metrics as text. */
export interface Shape {
  /** The media type of {@link text}. */
  readonly contentType: string
  /** All metrics as of now. */
  readonly text: Effect.Effect<string>
}

/** What `/metrics` answers with. */
export class Exposition extends Context.Tag("stellar-insights/http/Exposition")<Exposition, Shape>() {}

/** Where metrics are. */
export const path = "/metrics"

/** The route. */
export const router = ({ contentType, text }: Shape): HttpRouter.HttpRouter =>
  HttpRouter.get(
    HttpRouter.empty,
    path,
    Effect.map(text, (body) =>
      HttpServerResponse.text(body, { contentType, headers: { "cache-control": "no-store" } })
    )
  )

/** Adds the route to the API that `HttpApiBuilder.serve` serves: provide it to that. */
export const layer: Layer.Layer<never, never, Exposition> = HttpApiBuilder.Router.use((api) =>
  Effect.flatMap(Exposition, (exposition) => api.concat(router(exposition)))
)
