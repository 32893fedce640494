/** Which requests are let in: the policy for those that arrive during a drain, and what a head alone shows to be too much. */
import type * as Http from "node:http"
import type { NewRequests } from "../lifecycle/ShutdownConfig.js"
import * as Problem from "./Problem.js"

/** Methods that change nothing (RFC 9110, 9.2.1). */
const safe: ReadonlySet<string | undefined> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"])

/** What the policy says of a request that arrives on an open connection while draining. */
export const isRefused = (policy: NewRequests, method: string | undefined): boolean =>
  policy === "reject" || (policy === "read-only" && !safe.has(method))

/** The problem that the head of a request shows, before anything is run for it; undefined when there is none. */
export const look = (
  request: Http.IncomingMessage,
  maxBody: number,
  tooLong: Problem.Problem
): Problem.Problem | undefined => {
  const { "content-length": length, host } = request.headers
  if (host === undefined && request.httpVersionMajor === 1 && request.httpVersionMinor >= 1) {
    return Problem.make(400, "an HTTP/1.1 request must carry a Host header")
  }
  return length !== undefined && Number(length) > maxBody ? tooLong : undefined
}
