/**
 * The response class that the server gives to node, with the few fields by which a request in flight is tracked: no map, no listener and no
 * closure per request. And what guards the body of a request, for those that have one.
 */
import type * as Fiber from "effect/Fiber"
import * as Http from "node:http"
import type * as Net from "node:net"
import type { Connection } from "./Connection.js"
import * as RequestId from "./RequestId.js"

/** Throws away what is still to come of a request's body, and keeps it coming. */
export const discard = (request: Http.IncomingMessage): void => {
  request.push = () => true
  request.socket.resume()
}

/**
 * Counts the body of a request as it arrives, up to `allowance` bytes, and keeps its reader from taking the connection down with it: node
 * destroys the connection when a request is destroyed before its body is whole, and with it the answer that is on its way (a handler that
 * stops reading early destroys it). Guarded, only the reading ends.
 */
export const guardBody = (request: Http.IncomingMessage, response: Response, allowance: number): void => {
  const { _destroy, push } = request
  let left = allowance
  request.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk instanceof Uint8Array) {
      left -= chunk.length
      if (left < 0) {
        discard(request)
        response.link?.bodyTooLong(response)
        return true
      }
    }
    return push.call(request, chunk, encoding)
  }
  request._destroy = (error, callback) => {
    if (request.complete || request.socket.destroyed) {
      _destroy.call(request, error, callback)
    } else {
      discard(request)
      callback(error)
    }
  }
}

/** It has no type since it is node's own affair; tests see whether it still is what it was. */
const { _storeHeader: storeHeader } = Http.ServerResponse.prototype as unknown as {
  readonly _storeHeader: (this: Http.ServerResponse, firstLine: string, headers: unknown) => void
}

/** A response that its connection knows of until it is whole. */
export class Response extends Http.ServerResponse {
  /** The connection on which it counts as pending. */
  link: Connection | undefined = undefined
  /** The next one that is pending on the same connection: pipelined requests are answered in order. */
  following: Response | undefined = undefined
  /** When the request arrived, in milliseconds by the clock. */
  arrived = 0
  /** The same by a clock that is fine and never set, in milliseconds: for how long it took. */
  begun = 0
  /** The pattern of the route that took it. */
  route: string | undefined = undefined
  /** Whether it was cut at a limit. */
  cut = false
  private name: string | undefined = undefined
  /** The fiber that is answering. */
  fiber: Fiber.RuntimeFiber<unknown, unknown> | undefined = undefined
  /** Lines of the head besides the headers that whoever answers gives it: whole ones, whose values are known to be fit for a head. */
  lines = ""
  /** The same for heads that have no header of this name, in lower case, of their own. */
  unless: ReadonlyArray<readonly [name: string, lines: string]> = []

  /** How the request is called. */
  get id(): string {
    return (this.name ??= RequestId.of(this.req))
  }

  override writeHead(status: number, reason?: unknown, headers?: unknown): this {
    this.link?.beforeHead(this)
    return super.writeHead(status, reason as string, headers as Http.OutgoingHttpHeaders)
  }

  /** Node calls it with the first line of the head. What all answers carry goes behind that as text: each header that node is given costs it as much as a limit or a route. */
  _storeHeader(firstLine: string, headers: Readonly<Record<string, unknown>> | null | undefined): void {
    let lines = `${firstLine}${RequestId.header}: ${this.id}\r\n${this.lines}`
    for (const [name, more] of this.unless) if (headers?.[name] === undefined) lines += more
    storeHeader.call(this, lines, headers)
  }

  /** Node calls it when the last byte has been handed to the system. */
  override detachSocket(socket: Net.Socket): void {
    super.detachSocket(socket)
    this.link?.answered(this)
  }
}
