/**
 * One TCP connection as the server sees it: which requests are pending, whether its last answer has been promised, and how it is closed so
 * that the client gets to read that answer.
 */
import * as HttpServerError from "@effect/platform/HttpServerError"
import type * as Http from "node:http"
import type * as Net from "node:net"
import type { Connections } from "./Connections.js"
import * as EventLoop from "./EventLoop.js"
import { discard, type Response } from "./Message.js"
import * as Problem from "./Problem.js"
import { pathOf } from "./ProblemMiddleware.js"
import * as RequestId from "./RequestId.js"
import type { Outcome } from "./RequestObserver.js"

/** How long a closed connection is kept for the client's own end, in milliseconds. */
export const lingerMillis = 1000

/** The same while the rest of a request body is still arriving, whose sender must be able to get through before it reads. */
export const lingerUnreadMillis = 10_000

/** How much of such a rest is read before the connection is given up, in bytes. */
export const lingerUnreadBytes = 64 * 1024 * 1024

const key = Symbol("stellar-insights/http/Connection")

interface Tracked {
  [key]?: Connection
}

/** The connection that a socket belongs to; none where the socket came another way. */
export const of = (socket: unknown): Connection | undefined => (socket as Tracked)[key]

/** Node's own way to end a connection after its last response destroys the socket, which resets it where anything is left unread. */
function endAfterLastResponse(this: Net.Socket): void {
  of(this)?.shut()
}

function whenClosed(this: Net.Socket): void {
  of(this)?.closed()
}

/** A connection. Its fields are read by the drain. */
export class Connection {
  /** How many requests are being answered. */
  pending = 0
  /** The oldest of them, the one being sent. */
  first: Response | undefined = undefined
  /** The newest of them. */
  last: Response | undefined = undefined
  /** Whether reading was paused at the newest request, because too many answers are queued: more may be pipelined behind it, unread. */
  heldBack = false
  /** Whether an answer has said that it is the last: what arrives from now on is not a request any more. */
  closing = false
  /** Whether our side is closed. */
  shutAt = Number.NaN
  /** Since when nothing is pending, in milliseconds by the clock. */
  idleSince: number
  /** The request whose body was still arriving when its answer was out. */
  unread: Http.IncomingMessage | undefined = undefined
  /** What must still be said when everything pending has been answered: the word on bytes that were no request. */
  epilogue: string | undefined = undefined
  readonly socket: Net.Socket
  readonly registry: Connections
  private bytesWhenShut = 0
  private bytesTold = 0
  private callOff: (() => void) | undefined = undefined

  constructor(socket: Net.Socket, registry: Connections) {
    this.socket = socket
    this.registry = registry
    this.idleSince = registry.now()
    ;(socket as Tracked)[key] = this
    socket.destroySoon = endAfterLastResponse
    socket.on("close", whenClosed)
  }

  /** Whether our side is closed and the client's end is awaited. */
  get isShut(): boolean {
    return !Number.isNaN(this.shutAt)
  }

  /** Whether a client may still be relying on it: nothing pending, nothing said about closing. */
  get isIdle(): boolean {
    return this.pending === 0 && !this.closing
  }

  /** Whether it only waits for the client to take note: everything that it sent was read. */
  get isSettled(): boolean {
    return this.isShut && (this.unread === undefined || this.unread.complete)
  }

  /** A request has arrived. */
  begin(response: Response): void {
    response.link = this
    response.arrived = this.registry.now()
    response.begun = EventLoop.monotonic()
    if (this.last === undefined) this.first = response
    else this.last.following = response
    this.last = response
    this.heldBack = this.socket.isPaused()
    this.pending++
    this.registry.requests++
  }

  /** The head of a response is about to be written: the last moment to say that it is the last one. */
  beforeHead(response: Response): void {
    if (this.registry.stopping() && response === this.last && this.epilogue === undefined && !this.heldBack) {
      response.shouldKeepAlive = false
    }
    if (!response.shouldKeepAlive) this.closing = true
  }

  /** A response is out, to the last byte. */
  answered(response: Response): void {
    this.registry.answered++
    this.forget(response)
    this.tell(response, response.cut ? "interrupted" : "answered")
    this.unread = response.req.complete ? undefined : response.req
    if (this.pending > 0) return
    this.idleSince = this.registry.now()
    if (this.epilogue !== undefined) this.end(this.epilogue)
    // Node does so itself, unless the app has promised the opposite in a header of its own.
    else if (this.closing) this.shut()
  }

  /** More body than allowed has arrived. */
  bodyTooLong(response: Response): void {
    if (response.headersSent) {
      // Nothing can be said any more; an answer that is under way is cut, so that it is not taken for a whole one.
      this.unread = response.req
      this.shut()
    } else {
      response.shouldKeepAlive = false
      Problem.send(response, this.registry.tooLong)
    }
    this.registry.interrupt(response, HttpServerError.clientAbortFiberId)
  }

  /** Refuses what never became a request that an app could answer, after everything that is pending, and closes. */
  refuse(problem: Problem.Problem, request?: Http.IncomingMessage): void {
    const id = RequestId.of(request)
    const bytes = Problem.toBytes(problem, id)
    this.end(bytes)
    if (this.registry.listeners.length === 0) return
    this.registry.tell({
      method: request?.method ?? "",
      path: pathOf(request?.url ?? ""),
      route: undefined,
      status: problem.status,
      outcome: "answered",
      durationMillis: 0,
      bytes: Buffer.byteLength(bytes),
      id,
      request,
      socket: this.socket
    })
  }

  /** Says `bytes` after everything that is pending, and closes. */
  end(bytes: string): void {
    this.closing = true
    if (this.pending > 0) {
      this.epilogue = bytes
    } else {
      this.socket.write(bytes)
      this.shut()
    }
  }

  /**
   * Closes our side and keeps reading: a socket that is closed with bytes unread resets the connection, and the client may lose the answer
   * that it was about to read. The client's end, or the time, closes the rest.
   */
  shut(): void {
    if (this.isShut || this.socket.destroyed) return
    this.closing = true
    this.shutAt = this.registry.now()
    this.bytesWhenShut = this.socket.bytesRead
    this.socket.setTimeout(0)
    this.socket.end()
    if (this.unread !== undefined) discard(this.unread)
    this.socket.resume()
    this.linger()
  }

  private linger(): void {
    const settled = this.isSettled
    this.callOff = EventLoop.later(settled ? lingerMillis : lingerMillis / 10, () => {
      const spent = this.registry.now() - this.shutAt
      const read = this.socket.bytesRead - this.bytesWhenShut
      if (settled || spent >= lingerUnreadMillis || read > lingerUnreadBytes) this.socket.destroy()
      else this.linger()
    })
  }

  /** Takes it out of the server's hands: somebody else speaks on this socket now. */
  handOver(): void {
    delete (this.socket as Partial<Net.Socket>).destroySoon
    this.socket.setTimeout(0)
    this.registry.upgraded++
    this.socket.once("close", () => this.registry.upgraded--)
    this.registry.remove(this)
  }

  /** The socket is gone. What was pending on it has nobody left to answer to. */
  closed(): void {
    this.callOff?.()
    if (this.isShut && this.bytesWhenShut < this.socket.bytesRead && this.unread === undefined)
      this.registry.late++
    let response = this.first
    while (response !== undefined) {
      const next = response.following
      this.forget(response)
      this.registry.interrupt(response, HttpServerError.clientAbortFiberId)
      this.tell(response, response.cut ? "interrupted" : "aborted")
      response = next
    }
    this.registry.remove(this)
  }

  private tell(response: Response, outcome: Outcome): void {
    if (this.registry.listeners.length === 0) return
    const { req: request, route } = response
    const { bytesWritten } = this.socket
    const bytes = bytesWritten - this.bytesTold
    this.bytesTold = bytesWritten
    this.registry.tell({
      method: request.method ?? "",
      path: pathOf(request.url ?? ""),
      route,
      status: response.headersSent ? response.statusCode : 0,
      outcome,
      durationMillis: EventLoop.monotonic() - response.begun,
      bytes,
      id: response.id,
      request,
      socket: this.socket
    })
  }

  private forget(response: Response): void {
    // Answers leave in the order of the requests, so this is the first one.
    this.first = response.following
    if (this.first === undefined) this.last = undefined
    response.following = undefined
    response.link = undefined
    this.pending--
    this.registry.requests--
  }
}
