/**
 * The request and response classes that the server gives to node: node's own, with the few fields by which a request in flight is tracked.
 * No map, no listener and no closure per request: what tracking costs is these assignments.
 */
import type * as Fiber from "effect/Fiber"
import * as Http from "node:http"
import type * as Net from "node:net"
import type { Connection } from "./Connection.js"

/** A request whose body is counted where its length was not announced, and whose reader cannot take the connection down with it. */
export class Request extends Http.IncomingMessage {
  // Most requests have no body: these stand on the prototype until one is needed.
  /** The most bytes of body that are still accepted; no bound where the length was announced and checked. */
  declare allowance: number
  /** Whether what still arrives of the body is thrown away. */
  declare discarding: boolean
  /** The response that goes with it, where there is a body. */
  declare answer: Response | undefined

  static {
    this.prototype.allowance = Number.POSITIVE_INFINITY
    this.prototype.discarding = false
    this.prototype.answer = undefined
  }

  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    if (this.discarding) return true
    if (this.allowance !== Number.POSITIVE_INFINITY && chunk instanceof Uint8Array) {
      this.allowance -= chunk.length
      if (this.allowance < 0) {
        this.discard()
        this.answer?.link?.bodyTooLong(this.answer)
        return true
      }
    }
    return super.push(chunk, encoding)
  }

  /** Throws away what is still to come of the body, and keeps it coming. */
  discard(): void {
    this.discarding = true
    this.socket.resume()
  }

  /**
   * Node destroys the connection when a request is destroyed before its body is whole, and with it the answer that is on its way (a handler
   * that stops reading early destroys it). Here only the reading ends.
   */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (this.complete || this.socket.destroyed) {
      super._destroy(error, callback)
      return
    }
    this.discard()
    callback(error)
  }
}

/** A response that its connection knows of until it is whole. */
export class Response extends Http.ServerResponse<Request> {
  /** The connection on which it counts as pending. */
  link: Connection | undefined = undefined
  /** The next one that is pending on the same connection: pipelined requests are answered in order. */
  following: Response | undefined = undefined
  /** When the request arrived, in milliseconds by the clock. */
  arrived = 0
  /** The fiber that is answering. */
  fiber: Fiber.RuntimeFiber<unknown, unknown> | undefined = undefined

  override writeHead(status: number, reason?: unknown, headers?: unknown): this {
    this.link?.beforeHead(this)
    return super.writeHead(status, reason as string, headers as Http.OutgoingHttpHeaders)
  }

  /** Node calls it when the last byte has been handed to the system. */
  override detachSocket(socket: Net.Socket): void {
    super.detachSocket(socket)
    this.link?.answered(this)
  }
}
