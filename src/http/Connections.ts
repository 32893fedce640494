/** Every open connection of one server, and what has been counted on them. */
import type * as FiberId from "effect/FiberId"
import type * as Net from "node:net"
import { Connection } from "./Connection.js"
import type { Response } from "./Message.js"
import type { Observed } from "./RequestObserver.js"
import * as Problem from "./Problem.js"

/** What a registry is told about its server. */
export interface Options {
  /** Whether answers must say that the connection is about to close. */
  readonly stopping: () => boolean
  /** Milliseconds by Effect's clock. */
  readonly now: () => number
  /** The longest body, in bytes: what a 413 says. */
  readonly maxBody: number
  /** Who is told of each request when it has ended. Default: nobody. */
  readonly listeners?: ReadonlyArray<(observed: Observed) => void>
}

/** The registry. Counts are since the server opened. */
export class Connections {
  /** Those that are open, upgraded ones apart. */
  readonly open = new Set<Connection>()
  /** Connections accepted. */
  accepted = 0
  /** When the last of them was, in milliseconds by the clock. */
  lastAccepted = Number.NEGATIVE_INFINITY
  /** Requests being answered now. */
  requests = 0
  /** Requests answered whole. */
  answered = 0
  /** Requests refused by the policy for new ones. */
  refused = 0
  /** Requests cut at a limit. */
  interrupted = 0
  /** Connections on which bytes arrived after our side was closed. */
  late = 0
  /** Sockets that speak another protocol now. */
  upgraded = 0
  /** When a connection last left, in milliseconds by the clock. */
  lastLeft = Number.NEGATIVE_INFINITY
  /** Called whenever a connection has left. */
  onLeave: () => void = () => {}
  readonly stopping: () => boolean
  readonly now: () => number
  readonly tooLong: Problem.Problem
  readonly listeners: ReadonlyArray<(observed: Observed) => void>

  constructor(options: Options) {
    this.stopping = options.stopping
    this.now = options.now
    this.listeners = options.listeners ?? []
    this.tooLong = Problem.make(413, `the body of a request may have ${options.maxBody} bytes`, {
      maxBytes: options.maxBody
    })
  }

  /** Takes a socket in. */
  accept(socket: Net.Socket): Connection {
    const connection = new Connection(socket, this)
    this.accepted++
    this.lastAccepted = connection.idleSince
    this.open.add(connection)
    return connection
  }

  /** A connection has left: closed, or upgraded. */
  remove(connection: Connection): void {
    if (!this.open.delete(connection)) return
    this.lastLeft = this.now()
    this.onLeave()
  }

  /** A request has ended. */
  tell(observed: Observed): void {
    for (const listener of this.listeners) listener(observed)
  }

  /** Interrupts the fiber that answers, if it is still at it. */
  interrupt(response: Response, by: FiberId.FiberId): void {
    response.fiber?.unsafeInterruptAsFork(by)
    response.fiber = undefined
  }

  /** Every request that is pending, oldest connection first. */
  pending(): Array<Response> {
    const all: Array<Response> = []
    for (const connection of this.open) {
      for (let response = connection.first; response !== undefined; response = response.following)
        all.push(response)
    }
    return all
  }
}
