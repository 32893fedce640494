/** What guards the endpoints that change something: put on a group or an endpoint with `.middleware(AdminAccess)`. */
import * as HttpApiMiddleware from "@effect/platform/HttpApiMiddleware"
import * as HttpApiSecurity from "@effect/platform/HttpApiSecurity"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as BearerKeys from "../http/BearerKeys.js"
import * as ApiProblem from "./ApiProblem.js"

/** Lets requests pass that carry one of the `ADMIN_KEYS`; others get 401, and 403 where no key is configured. */
export class AdminAccess extends HttpApiMiddleware.Tag<AdminAccess>()(
  "stellar-insights/insights/AdminAccess",
  {
    failure: Schema.Union(ApiProblem.Unauthorized, ApiProblem.Forbidden),
    security: { key: HttpApiSecurity.bearer }
  }
) {}

/** With the given keys. */
export const layer = (keys: BearerKeys.BearerKeys): Layer.Layer<AdminAccess> =>
  Layer.succeed(
    AdminAccess,
    AdminAccess.of({
      // A response that is died with is sent as it is; a failure would lose its WWW-Authenticate on the way.
      key: (key) =>
        Option.match(BearerKeys.refuse(keys, key), { onNone: () => Effect.void, onSome: Effect.die })
    })
  )

/** With `ADMIN_KEYS`. Fails with `ConfigError`. */
export const layerConfig = Layer.unwrapEffect(Effect.map(BearerKeys.config, layer))
