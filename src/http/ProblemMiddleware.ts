/**
 * Turns what an HttpApp fails with into problem details, so that a client meets one shape of error whatever went wrong.
 *
 * @module
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiError from "@effect/platform/HttpApiError"
import * as HttpServerError from "@effect/platform/HttpServerError"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerRespondable from "@effect/platform/HttpServerRespondable"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as MethodNotAllowed from "./MethodNotAllowed.js"
import * as Problem from "./Problem.js"

/** One parameter that was not acceptable, as it stands in a 400's `errors`. */
export interface Invalid {
  /** Where it stands: `limit`, `items.0` inside a body, `body` where all of it is meant. */
  readonly parameter: string
  /** What was sent, when it stood in the query; null when it was missing or stood elsewhere. */
  readonly value: string | null
  /** What is allowed, in the schema's words. */
  readonly allowed: string
}

type Issue = HttpApiError.HttpApiDecodeError["issues"][number]

/** What is allowed, in our words where the schema has none of its own. */
const allowedBy = ({ _tag, message, path }: Issue): string => {
  if (_tag === "Unexpected") {
    const known = [...message.matchAll(/"([^"]+)"/g)].map(([, name]) => name)
    return known.length === 0 ? "is not known here" : `is not known here; known are ${known.join(", ")}`
  }
  // Paths, queries and headers always are objects, so this is the body.
  const [, actual] = path.length === 0 ? (/^Expected .*, actual (.*)$/s.exec(message) ?? []) : []
  if (actual === undefined) return message
  if (actual === "null") return "must be a JSON object, and is missing"
  return `must be a JSON object, not ${actual.length > 80 ? `${actual.slice(0, 80)}…` : actual}`
}

const invalidOf = (query: URLSearchParams, issue: Issue): Invalid => {
  const parameter = issue.path.map(String).join(".") || "body"
  return { parameter, value: query.get(parameter), allowed: allowedBy(issue) }
}

const queryOf = (url: string): URLSearchParams => {
  const mark = url.indexOf("?")
  return new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1))
}

/** The path as it was asked for, without the query. */
export const pathOf = (url: string): string => {
  const mark = url.indexOf("?")
  return mark < 0 ? url : url.slice(0, mark)
}

/** The 400 of a request that did not fit its schema: every parameter with its value and what is allowed. */
export const fromDecodeError = (error: HttpApiError.HttpApiDecodeError, url: string): Problem.Problem => {
  const query = queryOf(url)
  const errors = error.issues.map((issue) => invalidOf(query, issue))
  const detail = errors.map(({ allowed, parameter, value }) =>
    value === null ? `${parameter}: ${allowed}` : `${parameter}="${value}": ${allowed}`
  )
  return Problem.make(400, detail.join("; "), { errors })
}

const fromError = (
  error: unknown,
  request: HttpServerRequest.HttpServerRequest
): Option.Option<Problem.Problem> => {
  if (error instanceof HttpApiError.HttpApiDecodeError)
    return Option.some(fromDecodeError(error, request.originalUrl))
  if (!HttpServerError.isServerError(error)) return Option.none()
  switch (error._tag) {
    case "RequestError":
      return Option.some(
        Problem.make(
          400,
          error.reason === "Decode"
            ? `the body is not valid JSON${error.cause instanceof SyntaxError ? `: ${error.cause.message.slice(0, 200)}` : ""}`
            : `the request could not be read: ${error.description ?? error.reason}`
        )
      )
    default:
      return Option.none()
  }
}

/** The answer where nothing was found: what else the path can be asked with, or that there is nothing. */
const notFound = (request: HttpServerRequest.HttpServerRequest, methods: ReadonlyArray<string>) => {
  const path = pathOf(request.originalUrl)
  if (methods.length === 0)
    return Problem.toResponse(Problem.make(404, `there is nothing at ${request.method} ${path}`))
  const allow = methods.join(", ")
  if (request.method === "OPTIONS") return HttpServerResponse.empty({ status: 204, headers: { allow } })
  const problem = Problem.make(405, `${path} cannot be asked with ${request.method}, only with ${allow}`)
  return Problem.toResponse(problem, { allow })
}

/**
 * Around an app: an unknown route becomes a 404, a known path with another method a 405 with `Allow`, what cannot be decoded a 400 that names parameter, value and what is
 * allowed, a defect a 500 that tells nothing of its inside (the cause is logged). `OPTIONS` is answered with `Allow`. Errors that know their own response keep it, and so
 * does an interruption. Which methods a path has is for `allowed` to say; nothing has any when it is not given.
 */
export const middleware = <E, R>(
  app: HttpApp.Default<E, R>,
  allowed: MethodNotAllowed.Allowed = Effect.succeed([])
): HttpApp.Default<E, R> =>
  Effect.catchAllCause(app, (cause) => {
    if (Cause.isInterrupted(cause)) return Effect.failCause(cause)
    const failure = Cause.failureOption(cause)
    // A body that is no JSON is died with, not failed with.
    const error = Option.orElse(failure, () => Cause.dieOption(cause))
    return Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
      if (Option.isSome(failure) && failure.value instanceof HttpServerError.RouteNotFound) {
        return Effect.map(allowed, (methods) => notFound(request, methods))
      }
      const problem = Option.flatMap(error, (error) => fromError(error, request))
      if (Option.isSome(problem)) return Effect.succeed(Problem.toResponse(problem.value))
      if (Option.isSome(failure)) return Effect.failCause(cause)
      const defect = Option.getOrUndefined(Cause.dieOption(cause))
      if (HttpServerResponse.isServerResponse(defect) || HttpServerRespondable.isRespondable(defect)) {
        return Effect.failCause(cause)
      }
      return Effect.logError("request died", cause).pipe(
        Effect.annotateLogs({ method: request.method, path: pathOf(request.originalUrl) }),
        Effect.as(
          Problem.toResponse(Problem.make(500, "the request could not be answered; the failure was logged"))
        )
      )
    })
  })

/** {@link middleware} for an HttpApi, to be provided to `HttpApiBuilder.serve`. */
export const layer: Layer.Layer<never> = HttpApiBuilder.middleware(
  Effect.map(MethodNotAllowed.ofApi, (allowed) => (app: HttpApp.Default) => middleware(app, allowed))
).pipe(Layer.provide(HttpApiBuilder.Router.Live))
