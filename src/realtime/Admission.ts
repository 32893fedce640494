/** Who may connect: what can be said of a request before it becomes a WebSocket or a stream of events. */
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Duplex } from "node:stream"
import * as BearerKeys from "../http/BearerKeys.js"
import * as EventLoop from "../http/EventLoop.js"
import * as Problem from "../http/Problem.js"
import type { HubConfig } from "./HubConfig.js"

/** How long a refused connection is kept for the client to read why, in milliseconds. */
const lingerMillis = 1000

/** A request, as far as it decides. */
export interface Asking {
  /** Its headers, their names in lower case. */
  readonly headers: { readonly authorization?: string | undefined; readonly origin?: string | undefined }
  /** Its path and query. */
  readonly url?: string | undefined
}

/** What a decision needs to know of the hub. */
export interface State {
  /** Whether the hub takes no new clients any more. */
  readonly isQuiesced: boolean
  /** How many are connected. */
  readonly connections: number
  /** How many of them come from the same address. */
  readonly fromAddress: number
}

const tokenOf = (request: Asking): string => {
  const bearer = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? "")
  if (bearer !== null) return bearer[1]!
  // Browsers cannot send headers with an upgrade.
  const url = request.url ?? ""
  const mark = url.indexOf("?")
  return mark < 0 ? "" : (new URLSearchParams(url.slice(mark + 1)).get("token") ?? "")
}

/** Decides for one configuration. The token is compared in constant time. */
export const make = (config: HubConfig): ((request: Asking, state: State) => Problem.Problem | undefined) => {
  const keys = BearerKeys.make(
    Option.match(config.authToken, { onNone: () => [], onSome: (token) => [Redacted.value(token)] })
  )
  return (request, state) => {
    if (state.isQuiesced) return Problem.stopping
    if (keys.count > 0) {
      const token = tokenOf(request)
      if (token === "") return Problem.make(401, "this needs a token, as Authorization: Bearer or ?token=")
      if (!keys.has(Redacted.make(token))) return Problem.make(401, "the token is not valid here")
    }
    const { origin } = request.headers
    if (
      Option.isSome(config.origins) &&
      origin !== undefined &&
      !config.origins.value.has(origin.toLowerCase())
    ) {
      return Problem.make(403, "pages of this origin may not connect")
    }
    if (state.connections >= config.maxConnections) {
      return Problem.make(503, `there are ${config.maxConnections} connections already; try another instance`)
    }
    if (state.fromAddress >= config.maxPerAddress) {
      return Problem.make(429, `there are ${config.maxPerAddress} connections from this address already`)
    }
    return undefined
  }
}

/** Says why not, and closes. */
export const refuse = (socket: Duplex, problem: Problem.Problem): void => {
  const bytes = Problem.toBytes(problem)
  const challenge = problem.status === 401 ? "www-authenticate: Bearer\r\n" : ""
  socket.on("error", () => {})
  socket.end(bytes.replace("\r\n", `\r\n${challenge}`))
  // Read on: a socket that is closed with bytes unread resets, and the client loses the answer.
  socket.resume()
  const callOff = EventLoop.later(lingerMillis, () => socket.destroy())
  socket.once("close", callOff)
}
