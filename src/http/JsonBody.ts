/**
 * Bodies that are to be JSON.
 *
 * @module
 */
import type * as Http from "node:http"
import * as Problem from "./Problem.js"

const json = /^application\/json *(?:;|$)/i

/** What a body that is something else is refused with: 415. Undefined for one that says it is JSON, for one that does not say, and for none at all. */
export const refusal = ({ headers }: Http.IncomingMessage): Problem.Problem | undefined => {
  const { "content-length": length, "content-type": type, "transfer-encoding": encoding } = headers
  if (type === undefined || json.test(type)) return undefined
  if (encoding === undefined && (length === undefined || length === "0")) return undefined
  const sent = type.length > 80 ? `${type.slice(0, 80)}…` : type
  return Problem.make(415, `the body must be application/json, not ${sent}`)
}

/** The answer to a body that is something else. */
export const respond = (problem: Problem.Problem) =>
  Problem.toResponse(problem, { accept: "application/json" })
