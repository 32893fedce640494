/**
 * A node HTTP server whose connections are known: it lets requests in or refuses them, answers what is no request with a problem, and
 * can stop listening without letting go of anyone.
 *
 * @module
 */
import type * as HttpServer from "@effect/platform/HttpServer"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import * as Net from "node:net"
import type { Duplex } from "node:stream"
import * as ExitCode from "../lifecycle/ExitCode.js"
import * as AcceptQueue from "./AcceptQueue.js"
import * as Admission from "./Admission.js"
import * as Connection from "./Connection.js"
import { Connections } from "./Connections.js"
import * as EventLoop from "./EventLoop.js"
import type { HttpServerConfig } from "./HttpServerConfig.js"
import { discard, guardBody, Response } from "./Message.js"
import * as Problem from "./Problem.js"

/** The port could not be opened. The message is one line that names the key, the value and what is allowed. */
export class ListenFailed extends Data.TaggedError("ListenFailed")<{
  /** The key that the port came from: `SERVER_PORT` or `HEALTH_PORT`. */
  readonly key: string
  /** What it was to listen on. */
  readonly host: string
  /** The port as configured. */
  readonly port: number
  /** The system's word for it, as `EADDRINUSE`. */
  readonly code: string
  /** One line for the operator. */
  readonly message: string
}> {
  /** A port that is taken is the moment's fault (1), a host or port that cannot be is the configuration's (2). */
  readonly [ExitCode.symbol] = this.code === "EADDRINUSE" ? ExitCode.failed : ExitCode.invalid
}

const listenFailed = (
  key: string,
  host: string,
  port: number,
  cause: NodeJS.ErrnoException
): ListenFailed => {
  const code = cause.code ?? "unknown"
  const message =
    code === "EADDRINUSE"
      ? `${key}=${port}: ${host}:${port} is in use by another process; allowed is a free port, or 0 for any`
      : code === "EACCES"
        ? `${key}=${port}: not permitted to listen on ${host}:${port}; allowed is a port from 1024 up, or more rights`
        : `${key}=${port}: cannot listen on ${host}:${port} (${code}); allowed is an address of this machine in SERVER_HOST, as 0.0.0.0`
  return new ListenFailed({ key, host, port, code, message })
}

/** What a listener does with what arrives. */
export interface Options {
  /** Address, timeouts and limits. */
  readonly config: HttpServerConfig
  /** The key that the port came from, for errors. */
  readonly key: string
  /** Where its connections are kept. */
  readonly connections: Connections
  /** Runs the app for a request. */
  readonly handle: (request: Http.IncomingMessage, response: Response) => void
  /** What a request is refused with, if it is. */
  readonly refuse: (request: Http.IncomingMessage) => Problem.Problem | undefined
  /** Takes care of a request for another protocol. */
  readonly upgrade: (request: Http.IncomingMessage, socket: Duplex, head: Buffer) => void
}

/** An open port. */
export interface HttpListener {
  /** Where it listens, with the port that the system chose where 0 was asked for. */
  readonly address: HttpServer.TcpAddress
  /** Stops accepting, once nothing more is waiting to be accepted; open connections stay. Idempotent, never fails. */
  readonly stopListening: Effect.Effect<void>
  /** Serves a request that came past the listener, on a response made for it. */
  readonly dispatch: (request: Http.IncomingMessage, response: Response) => void
}

/**
 * How many turns of the event loop must bring no new connection before the listener closes, and how long that may take, in milliseconds.
 * Node accepts one connection a turn, so a long accept queue takes as many turns. Where connections keep coming, the queue is sealed at a moment at which it is empty; where
 * they come faster than they are accepted, it is kept from growing first. The bound is long: a starved machine needs seconds for a hundred connections, and whoever is left is
 * reset.
 */
const quiet = { turns: 3, sealAfterMillis: 50, calmAfterMillis: 1500, boundMillis: 5000 }

/** Connections that the system keeps until they are accepted, where it allows as many. */
const backlog = 4096

/** Before a listener closes, connections as recent as this count as traffic, in milliseconds. */
const recentMillis = 250

const makeServer = (options: Options): Http.Server<typeof Http.IncomingMessage, typeof Response> => {
  const headersTimeout = Duration.toMillis(options.config.headersTimeout)
  return Http.createServer<typeof Http.IncomingMessage, typeof Response>({
    ServerResponse: Response,
    keepAliveTimeout: Duration.toMillis(options.config.keepAliveTimeout),
    requestTimeout: Duration.toMillis(options.config.requestTimeout),
    headersTimeout,
    connectionsCheckingInterval: Math.min(1000, Math.max(50, headersTimeout / 4)),
    requireHostHeader: false,
    keepAlive: true,
    noDelay: true
  })
}

/** What a client error is answered with; none where the connection itself is what failed. */
const problemOf = (error: NodeJS.ErrnoException): Problem.Problem | undefined => {
  switch (error.code) {
    case "HPE_HEADER_OVERFLOW":
      return Problem.make(431, `the head of a request may have ${Http.maxHeaderSize} bytes`)
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return Problem.make(413, "the extensions of a chunk may have 16384 bytes")
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return Problem.make(408, "the request did not arrive whole in time")
    default:
      return error.code?.startsWith("HPE_")
        ? Problem.make(400, `not a valid HTTP request: ${error.message}`)
        : undefined
  }
}

const onClientError = (error: NodeJS.ErrnoException, socket: Duplex): void => {
  const connection = Connection.of(socket)
  const problem = problemOf(error)
  if (connection === undefined || problem === undefined || !socket.writable) {
    if (connection === undefined || !connection.isShut || problem === undefined) socket.destroy()
    return
  }
  if (connection.epilogue !== undefined) return
  const current = connection.last
  if (current === undefined || current.req.complete) {
    connection.refuse(problem)
  } else if (current.headersSent) {
    connection.shut()
  } else {
    // What went wrong is the body of a request that is being handled.
    current.shouldKeepAlive = false
    Problem.send(current, problem)
    discard(current.req)
  }
}

/** Nobody has used the connection for the keep-alive timeout; whatever was just arriving is read first. */
const onTimeout = (socket: Net.Socket): void =>
  EventLoop.afterPoll(() => {
    const connection = Connection.of(socket)
    if (connection === undefined) socket.destroy()
    else if (connection.isIdle) connection.shut()
  })

/** Opens the port. Fails with {@link ListenFailed}; the release stops listening at once and destroys whatever connection is still open. */
export const open = (options: Options): Effect.Effect<HttpListener, ListenFailed, Scope.Scope> => {
  const { config, connections } = options

  const dispatch = (request: Http.IncomingMessage, response: Response): void => {
    if (!connections.stopping()) return options.handle(request, response)
    // Whether an answer is the last on its connection can be told when everything that has arrived was read.
    EventLoop.afterPoll(() => {
      if (response.link === undefined || response.headersSent) return
      const refused = options.refuse(request)
      if (refused === undefined) return options.handle(request, response)
      connections.refused++
      Problem.send(response, refused)
    })
  }

  /** Counts a request as pending, unless an earlier answer said that it was the last: then it must not be run, so that the client may safely send it elsewhere. */
  const begin = (request: Http.IncomingMessage, response: Response): boolean => {
    const connection = Connection.of(request.socket)
    if (connection === undefined || connection.closing) {
      request.resume()
      return false
    }
    connection.begin(response)
    return true
  }

  const refuseAtOnce = (response: Response, problem: Problem.Problem): void => {
    response.shouldKeepAlive = false
    Problem.send(response, problem)
  }

  const onRequest = (request: Http.IncomingMessage, response: Response): void => {
    if (!begin(request, response)) return
    const { "content-length": length, host, "transfer-encoding": encoding } = request.headers
    if (host === undefined || length !== undefined || encoding !== undefined) {
      const problem = Admission.look(request, config.maxBody, connections.tooLong)
      if (problem !== undefined) return refuseAtOnce(response, problem)
      guardBody(request, response, config.maxBody)
    }
    dispatch(request, response)
  }

  const onContinue = (request: Http.IncomingMessage, response: Response): void => {
    const tooLong = Admission.look(request, config.maxBody, connections.tooLong) !== undefined
    const refused = connections.stopping() && options.refuse(request) !== undefined
    if (!tooLong && !refused && Connection.of(request.socket)?.closing === false) response.writeContinue()
    onRequest(request, response)
  }

  const onExpectation = (request: Http.IncomingMessage, response: Response): void => {
    if (!begin(request, response)) return
    refuseAtOnce(response, Problem.make(417, "cannot do what Expect asks for; allowed is 100-continue"))
  }

  let queue: AcceptQueue.AcceptQueue | undefined

  const bind = Effect.async<Http.Server<typeof Http.IncomingMessage, typeof Response>, ListenFailed>(
    (resume) => {
      const server = makeServer(options)
      server.on("connection", (socket: Net.Socket) => {
        if (queue?.isOurs(socket) === true) socket.destroy()
        else connections.accept(socket)
      })
      server.on("request", onRequest)
      server.on("checkContinue", onContinue)
      server.on("checkExpectation", onExpectation)
      server.on("clientError", onClientError)
      server.on("timeout", onTimeout)
      server.on(
        "upgrade",
        options.upgrade as (request: Http.IncomingMessage, socket: Duplex, head: Buffer) => void
      )
      server.once("error", (cause) =>
        resume(Effect.fail(listenFailed(options.key, config.host, config.port, cause)))
      )
      server.listen({ port: config.port, host: config.host, backlog }, () => resume(Effect.succeed(server)))
    }
  )

  return Effect.map(
    Effect.acquireRelease(bind, (server) =>
      Effect.sync(() => {
        // http's own close ends its interval. It must not close connections that it takes for idle: those that linger after their last
        // answer end by themselves, and keep nothing alive.
        server.closeIdleConnections = () => {}
        server.close(() => {})
        for (const connection of connections.open) {
          if (connection.isSettled) connection.socket.unref()
          else connection.socket.destroy()
        }
      })
    ),
    (server): HttpListener => {
      const address = server.address() as Net.AddressInfo
      return {
        address: { _tag: "TcpAddress", hostname: config.host, port: address.port },
        dispatch,
        stopListening: Effect.suspend(() => {
          if (!server.listening) return Effect.void
          const { seal, shrink } = (queue = AcceptQueue.of(server, backlog))
          return EventLoop.whenQuiet({
            seen: () => connections.accepted,
            isLively: connections.now() - connections.lastAccepted < recentMillis,
            ...quiet,
            calm: shrink,
            seal,
            // net's close only stops listening; http's would close connections that it takes for idle.
            act: () => void Net.Server.prototype.close.call(server)
          })
        })
      }
    }
  )
}
