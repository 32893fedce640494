/**
 * What the client needs of a WebSocket: as browsers, Node from version 22 on and the package `ws` have it.
 *
 * @module
 */

/** How a connection has ended. */
export interface Close {
  /** The code of the close frame. 1006 when there was none: the network, a refused upgrade, a peer that does not answer. */
  readonly code: number
  /** What was said with it; empty when nothing was. */
  readonly reason: string
}

/** A WebSocket. */
export interface Socket {
  /** Sends a text message. */
  send(text: string): void
  /** Begins to close. */
  close(code?: number, reason?: string): void
  /** Ends at once, without waiting for the peer. `ws` has it, browsers do not. */
  terminate?(): void
  /** Calls when it is open, and when something is wrong: its close follows. */
  addEventListener(type: "open" | "error", listener: () => void): void
  /** Calls for every message; the data of text is a string. */
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void
  /** Calls when it has ended, whoever has ended it. */
  addEventListener(type: "close", listener: (event: Close) => void): void
}

/** A class of WebSockets. */
export type SocketConstructor = new (url: string) => Socket

/** The class to use: the given one, or the global one. Throws where there is neither. */
export const constructorOf = (given: SocketConstructor | undefined): SocketConstructor => {
  const found = given ?? (globalThis as { readonly WebSocket?: SocketConstructor }).WebSocket
  if (found !== undefined) return found
  throw new Error(
    'there is no WebSocket here (Node has one from version 22 on): give one, as in connect({ WebSocket, … }) with import { WebSocket } from "ws"'
  )
}

/** Where to connect: `http` becomes `ws`, what is relative is relative to the page, the token goes into the query. Throws when it is no URL. */
export const urlOf = (url: string, token: string | undefined): string => {
  const { location } = globalThis as { readonly location?: { readonly href: string } }
  const whole = new URL(url, location?.href)
  whole.protocol = whole.protocol.replace(/^http/, "ws")
  if (token !== undefined) whole.searchParams.set("token", token)
  return whole.href
}
