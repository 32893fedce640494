/**
 * Where a service listens, and that nobody else does.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Net from "node:net"
import { DrillError } from "./DrillOptions.js"

/** Address of a service that is about to be started. */
export interface Place {
  /** An address or a name, without brackets. */
  readonly host: string
  /** Never 0. */
  readonly port: number
  /** The drill picked the port and has to tell the service. */
  readonly chosen: boolean
}

const usage = (message: string) => new DrillError({ reason: "usage", message })

/** Whether an address or a name is this machine's own. */
export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || (Net.isIPv4(host) && host.startsWith("127."))

/** Takes a url apart. Fails with `usage` or, for a host that is not this machine's, with `remote`. */
export const parse = (url: string, allowRemote: boolean): Effect.Effect<Place, DrillError> =>
  Effect.suspend(() => {
    const parsed = URL.canParse(url) ? new URL(url) : undefined
    if (parsed === undefined) return usage(`"${url}" is no url`)
    if (parsed.protocol !== "http:") return usage(`only http: can be drilled, not "${parsed.protocol}"`)
    if (parsed.pathname !== "/" || parsed.search !== "")
      return usage(`the url "${url}" must have no path: paths are given by themselves`)
    const host = parsed.hostname.replace(/^\[|\]$/g, "")
    if (!allowRemote && !isLoopback(host))
      return new DrillError({
        reason: "remote",
        message: `${host} is not this machine; the drill loads and breaks what it talks to, so that must be allowed`
      })
    return Effect.succeed({
      host,
      port: parsed.port === "" ? 80 : Number(parsed.port),
      chosen: parsed.port === "0"
    })
  })

const isFree = (host: string, port: number): Effect.Effect<boolean> =>
  Effect.async<boolean>((resume) => {
    const server = Net.createServer()
    server.once("error", (error: NodeJS.ErrnoException) =>
      // An address of another machine cannot be tried; nor may a port below 1024 be.
      resume(Effect.succeed(error.code !== "EADDRINUSE"))
    )
    server.listen({ host, port, exclusive: true }, () => server.close(() => resume(Effect.succeed(true))))
  })

/** Below the ports that the system gives to outgoing connections: none of the drill's own can take it in between. */
const draw = Effect.sync(() => 16_384 + Math.floor(Math.random() * 16_000))

/** The place of a service that can be started now. Fails as {@link parse} does, and with `port` when somebody listens there. */
export const prepare: (url: string, allowRemote: boolean) => Effect.Effect<Place, DrillError> = Effect.fn(
  "Port.prepare"
)(function* (url: string, allowRemote: boolean) {
  const place = yield* parse(url, allowRemote)
  if (!place.chosen) {
    if (yield* isFree(place.host, place.port)) return place
    return yield* new DrillError({
      reason: "port",
      message: `somebody listens on port ${place.port} already`
    })
  }
  for (let tries = 0; tries < 50; tries++) {
    const port = yield* draw
    if (yield* isFree(place.host, port)) return { ...place, port }
  }
  return yield* new DrillError({ reason: "port", message: "no free port was found" })
})
