/**
 * Problem details (RFC 9457): one shape for everything that is refused, whoever refuses it: a handler, the server's limits, or the parser
 * of a request that never became one.
 *
 * @module
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Http from "node:http"
import * as RequestId from "./RequestId.js"

/** The media type of a problem. */
export const contentType = "application/problem+json"

/** Seconds after which a client may try again elsewhere, sent as `Retry-After` with every 503 of a stop. */
export const retryAfterSeconds = 10

/** A problem: the members of RFC 9457, and whatever else helps the client. */
export interface Problem {
  /** What kind of problem; `about:blank` says no more than the status. */
  readonly type: string
  /** The kind in a few words, the same each time. */
  readonly title: string
  /** The HTTP status. */
  readonly status: number
  /** This occurrence in a sentence. */
  readonly detail?: string
  readonly [extension: string]: unknown
}

/** A problem whose title is the status's own. `extensions` are members beyond the standard's. */
export const make = (status: number, detail: string, extensions?: Record<string, unknown>): Problem => ({
  type: "about:blank",
  title: Http.STATUS_CODES[status] ?? "Error",
  status,
  detail,
  ...extensions
})

/** The problem that a stopping service answers with. */
export const stopping: Problem = make(503, "the service is stopping; try another instance")

/** The headers that go with a problem: {@link contentType}, which is not to be guessed at, never cached, and `Retry-After` with a 503. */
const headersOf = (problem: Problem): Record<string, string> => ({
  "content-type": contentType,
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  ...(problem.status === 503 ? { "retry-after": String(retryAfterSeconds) } : {})
})

/** The problem as a response of an HttpApp. `headers` are added. */
export const toResponse = (
  problem: Problem,
  headers: Record<string, string> = {}
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(JSON.stringify(problem), {
    status: problem.status,
    contentType,
    headers: { ...headersOf(problem), ...headers }
  })

/** Answers a node response with the problem, whole. Does nothing when its head is out already. */
export const send = (response: Http.ServerResponse, problem: Problem): void => {
  if (response.headersSent || response.writableEnded) return
  const body = JSON.stringify(problem)
  response.writeHead(problem.status, {
    ...headersOf(problem),
    "content-length": String(Buffer.byteLength(body))
  })
  response.end(response.req.method === "HEAD" ? undefined : body)
}

/** The problem as the bytes of a last answer, for a request that has no response of its own. `id` is the request's name. */
export const toBytes = (problem: Problem, id: string = RequestId.make()): string => {
  const body = JSON.stringify(problem)
  const headers = Object.entries({ ...headersOf(problem), [RequestId.header]: id }).map(
    ([name, value]) => `${name}: ${value}\r\n`
  )
  return (
    `HTTP/1.1 ${problem.status} ${Http.STATUS_CODES[problem.status] ?? "Error"}\r\n${headers.join("")}` +
    `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`
  )
}
