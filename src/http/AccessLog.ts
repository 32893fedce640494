/**
 * Requests in the log: one line at info each, with `event_type` "request".
 *
 * | key | default | allowed |
 * |---|---|---|
 * | `ACCESS_LOG` | `errors` | `off`; `errors`: what was answered with a status of 500 and more, and what a stop cut; `all` |
 *
 * A line for every request costs as much as the quicker ones themselves, and whoever stands in front writes one already; but a failure must be found by its name, so
 * `errors` is the default. Of health and metrics only failures are told: that a service is not ready (503) is their answer, and none.
 *
 * @module
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as ClientAddress from "./ClientAddress.js"
import { isProbe } from "./Health.js"
import * as RequestObserver from "./RequestObserver.js"

/** Which requests are told. */
export type Which = "off" | "errors" | "all"

/** `ACCESS_LOG`. */
export const config: Config.Config<Which> = Config.literal(
  "off",
  "errors",
  "all"
)("ACCESS_LOG").pipe(Config.withDefault<Which>("errors"))

/** Whether a request is told. */
export const isTold = (which: Which, { outcome, path, status }: RequestObserver.Observed): boolean => {
  if (isProbe(path)) return which !== "off" && status >= 500 && status !== 503
  return which === "all" || (which === "errors" && (status >= 500 || outcome === "interrupted"))
}

/** A line for each request that is told. */
export const layer = (
  which: Which
): Layer.Layer<never, never, RequestObserver.RequestObserver | ClientAddress.ClientAddress> =>
  which === "off"
    ? Layer.empty
    : Layer.scopedDiscard(
        Effect.gen(function* () {
          const observer = yield* RequestObserver.RequestObserver
          const clients = yield* ClientAddress.ClientAddress
          const run = Runtime.runFork(yield* Effect.runtime<never>())
          yield* observer.add((observed) => {
            if (!isTold(which, observed)) return
            const { bytes, durationMillis, id, method, outcome, path, request, route, socket, status } =
              observed
            const line = Effect.annotateLogs(Effect.logInfo("request"), {
              component: "http",
              event_type: "request",
              method,
              path,
              ...(route === undefined ? {} : { route }),
              status,
              ...(outcome === "answered" ? {} : { outcome }),
              duration_ms: Math.round(durationMillis * 1000) / 1000,
              bytes,
              request_id: id,
              client: request === undefined ? (socket.remoteAddress ?? "") : clients.of(request)
            })
            run(line)
          })
        })
      )

/** With `ACCESS_LOG`. Fails with `ConfigError`. */
export const layerConfig = Layer.unwrapEffect(Effect.map(config, layer))
