/**
 * What every request passes before it is routed, in one step because every request pays for it: the headers that all answers carry, what pages of other origins may read,
 * and the limits.
 *
 * Probes and metrics are never limited, since who asks for them must know how the service is, above all when it is asked too much; and pages of other origins have no
 * business with them.
 *
 * @module
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type * as HttpApp from "@effect/platform/HttpApp"
import { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Http from "node:http"
import * as Cors from "./Cors.js"
import * as Health from "./Health.js"
import type { Response } from "./Message.js"
import * as MethodNotAllowed from "./MethodNotAllowed.js"
import { pathOf } from "./ProblemMiddleware.js"
import * as RateLimit from "./RateLimit.js"
import * as SecurityHeaders from "./SecurityHeaders.js"

/** What a gate is made of. */
export interface Parts {
  /** The limits. */
  readonly limit: RateLimit.Shape
  /** What pages of other origins may do. */
  readonly cors: Cors.Cors
  /** The methods of a path. */
  readonly allowed: MethodNotAllowed.Allowed
}

/** The gate before an app that the draining server serves. */
export const middleware = ({ allowed, cors, limit }: Parts) => {
  const preflight = <E, R>(
    source: Http.IncomingMessage,
    response: Response,
    app: HttpApp.Default<E, R>
  ): HttpApp.Default<E, R> =>
    Effect.flatMap(allowed, (methods) => {
      if (methods.length > 0) response.lines += cors.preflight(source, methods)
      return app
    })
  return <E, R>(app: HttpApp.Default<E, R>): HttpApp.Default<E, R> =>
    Effect.withFiberRuntime((fiber) => {
      const request = Context.unsafeGet(fiber.currentContext, HttpServerRequest)
      const source = NodeHttpServerRequest.toIncomingMessage(request)
      const response = NodeHttpServerRequest.toServerResponse(request) as Response
      response.unless = SecurityHeaders.unless
      if (Health.isProbe(pathOf(source.url ?? ""))) return app
      const shared = cors.answer(source.headers.origin)
      if (shared !== "") response.unless = [...SecurityHeaders.unless, [Cors.header, shared]]
      const { lines, refusal } = limit.unsafeTake(source)
      response.lines = lines
      if (refusal !== undefined) return RateLimit.respond(refusal)
      return source.method === "OPTIONS" ? preflight(source, response, app) : app
    })
}

/** The gate of an API that is served with `HttpApiBuilder.serve` on a draining server, as the environment says. Fails with `ConfigError`. */
export const layerConfig = HttpApiBuilder.middleware(
  Effect.gen(function* () {
    return middleware({
      limit: yield* RateLimit.RateLimit,
      cors: Cors.make(yield* Cors.config),
      allowed: yield* MethodNotAllowed.ofApi
    })
  })
).pipe(Layer.provide(HttpApiBuilder.Router.Live))
