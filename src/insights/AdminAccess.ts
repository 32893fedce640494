/** What guards the endpoints that change something: put on a group or an endpoint with `.middleware(AdminAccess)`. */
import * as HttpApiMiddleware from "@effect/platform/HttpApiMiddleware"
import * as HttpApiSecurity from "@effect/platform/HttpApiSecurity"
import { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Http from "node:http"
import * as BearerKeys from "../http/BearerKeys.js"
import * as JsonBody from "../http/JsonBody.js"
import * as RateLimit from "../http/RateLimit.js"
import * as ApiProblem from "./ApiProblem.js"

/**
 * Lets requests pass that carry one of the `ADMIN_KEYS`; others get 401, and 403 where no key is configured. Where too many wrong ones came from an address, no key of it
 * is looked at for a while: 429. What they bring as a body must be JSON, or it is 415.
 */
export class AdminAccess extends HttpApiMiddleware.Tag<AdminAccess>()(
  "stellar-insights/insights/AdminAccess",
  {
    failure: Schema.Union(ApiProblem.Unauthorized, ApiProblem.Forbidden),
    security: { key: HttpApiSecurity.bearer }
  }
) {}

/** With the given keys, of which the limits may say that none is looked at. */
export const layer = (
  keys: BearerKeys.BearerKeys,
  limit?: Pick<RateLimit.Shape, "unsafeLocked">
): Layer.Layer<AdminAccess> => {
  return Layer.succeed(
    AdminAccess,
    AdminAccess.of({
      // A response that is died with is sent as it is; a failure would lose its headers on the way.
      key: () =>
        Effect.flatMap(HttpServerRequest, ({ headers, source }) => {
          const request = source instanceof Http.IncomingMessage ? source : undefined
          const locked = request && limit?.unsafeLocked(request)
          if (locked !== undefined) return Effect.flatMap(RateLimit.respond(locked), Effect.die)
          // The platform takes whatever stands behind seven characters for the token; what the limits count as one is one.
          const token = BearerKeys.tokenOf(headers["authorization"]) ?? ""
          const refused = BearerKeys.refuse(keys, Redacted.make(token))
          if (Option.isSome(refused)) return Effect.die(refused.value)
          const notJson = request && JsonBody.refusal(request)
          return notJson === undefined ? Effect.void : Effect.die(JsonBody.respond(notJson))
        })
    })
  )
}

/** With `ADMIN_KEYS` and the limits of the service. Fails with `ConfigError`. */
export const layerConfig = Layer.unwrapEffect(Effect.zipWith(BearerKeys.config, RateLimit.RateLimit, layer))
