/**
 * How a request is called: in the log, to the client, and by whoever asked on its behalf.
 *
 * `X-Request-Id` is taken over where it is sane, so that one name goes through a chain of services; else there is one of our own. Every answer bears it.
 *
 * @module
 */
import type * as Http from "node:http"
import { randomBytes } from "node:crypto"

/** The header, in lower case. */
export const header = "x-request-id"

/** What is taken over: enough for UUIDs, trace ids and base64, and nothing that could break a line of a log or a header. */
const sane = /^[\w.~+/=-]{1,128}$/

const prefix = randomBytes(6).toString("base64url")
let count = 0

/** A name of our own. Unique in this process, and but for one chance in 2^48 among all. */
export const make = (): string => `${prefix}-${(++count).toString(36)}`

/** The name of a request. Each call makes another one where the request brings none; without a request, too. */
export const of = (request: Http.IncomingMessage | undefined): string => {
  const given = request?.headers[header]
  return typeof given === "string" && sane.test(given) ? given : make()
}
