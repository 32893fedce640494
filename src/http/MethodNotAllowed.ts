/**
 * What a path can do, when it was asked for something else: `OPTIONS` and 405 with `Allow`.
 *
 * The routes themselves are asked, once nothing was found: which path is the same for two methods is theirs to say.
 *
 * @module
 */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"

/** The methods that the path of the request under way can be asked with, `HEAD` and `OPTIONS` among them; none where there is nothing. Never fails. */
export type Allowed = Effect.Effect<ReadonlyArray<string>, never, HttpServerRequest.HttpServerRequest>

/** The methods of routes. */
export const make = (router: HttpRouter.HttpRouter<unknown, unknown>): Effect.Effect<Allowed> => {
  const found = Effect.succeed(HttpServerResponse.empty())
  const routes = Chunk.map(router.routes, ({ method, path }) => HttpRouter.makeRoute(method, path, found))
  const methods = [...new Set(Chunk.map(routes, ({ method }) => method))].filter((method) => method !== "*")
  return Effect.map(HttpRouter.toHttpApp(HttpRouter.fromIterable(routes)), (app): Allowed =>
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      const allowed: Array<string> = []
      for (const method of methods) {
        const asked = Object.create(request, { method: { value: method } }) as typeof request
        const isThere = yield* Effect.isSuccess(
          Effect.provideService(app, HttpServerRequest.HttpServerRequest, asked)
        )
        if (isThere) allowed.push(method)
      }
      if (allowed.includes("GET")) allowed.push("HEAD")
      return allowed.length === 0 ? [] : [...allowed, "OPTIONS"].toSorted()
    })
  )
}

/** The methods of the API that is being built, read when they are asked for first: by then all of its routes are known. */
export const ofApi: Effect.Effect<Allowed, never, HttpApiBuilder.Router> = Effect.flatMap(
  HttpApiBuilder.Router,
  ({ router }) => Effect.map(Effect.cached(Effect.flatMap(router, make)), Effect.flatten)
)
