/**
 * One POST over node's http client: no redirects, an answer of a few bytes, and connections only to the addresses that it is given.
 *
 * @module
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { LookupAddress } from "node:dns"
import * as Http from "node:http"
import * as Https from "node:https"
import * as Net from "node:net"

/** Bytes of an answer's body that are read; what goes on longer is cut off, with its connection. */
export const readBytes = 4096

/** There was no answer. */
export class RequestFailed extends Data.TaggedError("RequestFailed")<{
  /** Why, in node's words. */
  readonly message: string
}> {}

/** A connection that failed at each of several addresses says nothing but a code. */
const failureOf = ({ code, message }: NodeJS.ErrnoException): RequestFailed =>
  new RequestFailed({ message: message !== "" ? message : (code ?? "the connection failed") })

/** What is sent. */
export interface Request {
  /** Where to. */
  readonly url: URL
  /** What its name leads to; the connection goes to one of these. */
  readonly addresses: ReadonlyArray<string>
  /** Beside `Host` and `Content-Length`. */
  readonly headers: Readonly<Record<string, string>>
  /** The body, sent as UTF-8. */
  readonly body: string
}

/** What came back, filled in as it comes: a caller who cannot wait for its end sees how far it got. */
export interface Answer {
  /** The status; undefined until the head is here. */
  status: number | undefined
  /** The `Retry-After` header. */
  retryAfter: string | undefined
  /** What was read of the body. */
  readonly chunks: Array<Buffer>
}

/** An answer of which nothing is here yet. */
export const nothing = (): Answer => ({ status: undefined, retryAfter: undefined, chunks: [] })

/** The connections of a sender. */
export interface Agents {
  readonly http: Http.Agent
  readonly https: Https.Agent
}

/** An idle connection is closed after so long, in milliseconds. */
const idleMillis = 15_000

/** Agents that keep at most so many connections to an endpoint. What is open when the scope closes is closed. */
export const agents = (perEndpoint: number) =>
  Effect.acquireRelease(
    Effect.sync((): Agents => {
      const options = {
        keepAlive: true,
        maxSockets: perEndpoint,
        maxFreeSockets: perEndpoint,
        timeout: idleMillis
      }
      return { http: new Http.Agent(options), https: new Https.Agent(options) }
    }),
    ({ http, https }) =>
      Effect.sync(() => {
        http.destroy()
        https.destroy()
      })
  )

/** In place of a name server: the addresses that were looked at are the ones that are connected to. */
const lookup =
  (addresses: ReadonlyArray<string>): Net.LookupFunction =>
  (_name, options, callback) => {
    const all = addresses.map((address): LookupAddress => ({ address, family: Net.isIP(address) }))
    if (options.all === true) callback(null, all)
    else callback(null, all[0]!.address, all[0]!.family)
  }

/** It was sent on a connection that the other side closed at that moment. Nothing of an answer was there, so it is safe to send it again on a new one. */
const isStale = (request: Http.ClientRequest, error: NodeJS.ErrnoException): boolean =>
  request.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE")

/** Sends it and ends with the answer, or fails with {@link RequestFailed}. Interrupting it closes the connection. */
export const post = (
  { addresses, body, headers, url }: Request,
  { http, https }: Agents,
  answer: Answer
): Effect.Effect<void, RequestFailed> =>
  Effect.async((resume) => {
    const content = Buffer.from(body, "utf8")
    const isSecure = url.protocol === "https:"
    let request: Http.ClientRequest
    const options = (agent: Http.Agent | false) => ({
      method: "POST",
      headers: { ...headers, "content-length": String(content.length) },
      agent,
      lookup: lookup(addresses)
    })
    const done = () => resume(Effect.void)
    const failed = (error: Error) =>
      resume(answer.status === undefined ? Effect.fail(failureOf(error)) : Effect.void)
    const heard = (response: Http.IncomingMessage) => {
      answer.status = response.statusCode
      answer.retryAfter = response.headers["retry-after"]
      let left = readBytes
      response.on("data", (chunk: Buffer) => {
        answer.chunks.push(chunk.subarray(0, left))
        left -= chunk.length
        if (left >= 0) return
        done()
        response.destroy()
      })
      response.on("end", done).on("error", failed).on("close", done)
    }
    const start = (agent: Http.Agent | false) => {
      const mine = (isSecure ? Https : Http).request(url, options(agent))
      request = mine
      mine.on("response", heard)
      mine.on("error", (error) => {
        if (agent !== false && answer.status === undefined && isStale(mine, error)) start(false)
        else failed(error)
      })
      // An answer that changes the protocol has no other event; after any other this comes too late to count.
      mine.on("close", () => {
        if (mine === request) failed(new Error("the connection was closed without an answer"))
      })
      mine.end(content)
    }
    start(isSecure ? https : http)
    return Effect.sync(() => request.destroy())
  })
