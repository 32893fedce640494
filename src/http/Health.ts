/**
 * What probes ask: is it alive, should it be sent work, has it come up; and everything at once for people.
 *
 * Liveness stays 200 while the process can answer, also while draining: an orchestrator that reads a stop as a fault would kill what is
 * being finished.
 *
 * @module
 */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import * as Lifecycle from "../lifecycle/Lifecycle.js"
import type * as Readiness from "../lifecycle/Readiness.js"
import * as HealthDetails from "./HealthDetails.js"
import * as Problem from "./Problem.js"

/** Whether a path is one that machines ask every few seconds: no policy refuses it, and nobody wants to read of it. */
export const isProbe = (path: string): boolean =>
  path === "/health" || path.startsWith("/health/") || path === "/metrics"

const noStore = { "cache-control": "no-store" }

const json = (body: unknown, status = 200) =>
  HttpServerResponse.text(JSON.stringify(body), { status, contentType: "application/json", headers: noStore })

/** In one word: `degraded` is ready, without something. */
const word = ({ degradations, ready }: Readiness.Status) =>
  ready ? (degradations.length === 0 ? "ready" : "degraded") : "not ready"

const ready = (status: Readiness.Status) => {
  const { degradations, obstacles, phase, ready } = status
  return ready
    ? json({ status: word(status), phase, degraded: degradations })
    : Problem.toResponse(
        Problem.make(503, obstacles.map(({ name, reason }) => `${name}: ${reason}`).join("; "), {
          phase,
          reasons: obstacles,
          degraded: degradations
        })
      )
}

/**
 * The routes, bound to a lifecycle:
 * - `/health/live`: 200, always.
 * - `/health/ready`: 200 when ready, with `status` `ready` or `degraded`, `phase`, and `degraded`, which names what the service does without and why; else 503, a problem
 *   with `phase`, `reasons` and `degraded`.
 * - `/health/startup`: 503 until the service was ready once, 200 from then on.
 * - `/health`: 200, everything: `status` (`ready`, `degraded` or `not ready`), `phase`, `reasons`, `degraded`, and the sections of {@link HealthDetails.HealthDetails}.
 */
export const router: Effect.Effect<
  HttpRouter.HttpRouter,
  never,
  Lifecycle.Lifecycle | HealthDetails.HealthDetails | Scope.Scope
> = Effect.gen(function* () {
  const lifecycle = yield* Lifecycle.Lifecycle
  const details = yield* HealthDetails.HealthDetails
  // A start that failed passes "ready" without ever having been it, so the phase alone does not tell.
  const started = yield* Ref.make((yield* lifecycle.phase) === "ready")
  yield* lifecycle.subscribe((event) =>
    event._tag === "PhaseChanged" && event.phase === "ready" ? Ref.set(started, true) : Effect.void
  )
  return HttpRouter.empty.pipe(
    HttpRouter.get("/health/live", Effect.succeed(json({ status: "live" }))),
    HttpRouter.get("/health/ready", Effect.map(lifecycle.readiness.status, ready)),
    HttpRouter.get(
      "/health/startup",
      Effect.map(Ref.get(started), (up) =>
        up
          ? json({ status: "started" })
          : Problem.toResponse(Problem.make(503, "the service is still starting"))
      )
    ),
    HttpRouter.get(
      "/health",
      Effect.gen(function* () {
        const status = yield* lifecycle.readiness.status
        const { degradations, obstacles, phase } = status
        const sections = yield* details.all
        return json({ status: word(status), phase, reasons: obstacles, degraded: degradations, ...sections })
      })
    )
  )
})

/** Adds the routes to the API that `HttpApiBuilder.serve` serves: provide it to that. */
export const layer: Layer.Layer<never, never, Lifecycle.Lifecycle | HealthDetails.HealthDetails> =
  Layer.unwrapScoped(Effect.map(router, (routes) => HttpApiBuilder.Router.use((api) => api.concat(routes))))
