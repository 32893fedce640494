/** Connections of `ws`, and who hears what they tell. */
import type { WebSocket } from "ws"
import type { Client } from "./Client.js"

const key = Symbol("stellar-insights/realtime/Client")

/** A connection of `ws` that knows whose it is. */
export interface Tagged extends WebSocket {
  [key]?: { readonly client: Client; readonly on: Listeners }
}

/** What is done with what `ws` tells: one set for all connections, since ten thousand of them would each hold their own. */
export interface Listeners {
  readonly message: (client: Client, data: Buffer, isBinary: boolean) => void
  readonly heard: (client: Client) => void
  readonly left: (client: Client) => void
}

function onMessage(this: Tagged, data: unknown, isBinary: boolean): void {
  const { client, on } = this[key]!
  on.message(client, data as Buffer, isBinary)
}

function onHeard(this: Tagged): void {
  const { client, on } = this[key]!
  on.heard(client)
}

function onClose(this: Tagged): void {
  const { client, on } = this[key]!
  on.left(client)
}

/** What went wrong ends the connection, and is told by that. */
const onError = () => {}

/** From now on `on` hears what arrives on the connection of `client`. */
export const listen = (ws: Tagged, client: Client, on: Listeners): void => {
  ws[key] = { client, on }
  ws.on("message", onMessage)
    .on("ping", onHeard)
    .on("pong", onHeard)
    .on("close", onClose)
    .on("error", onError)
}

/** Callbacks that wait for a moment which comes again and again. */
export const moments = (isNow: () => boolean) => {
  const waiting = new Set<() => void>()
  return {
    check: () => {
      if (waiting.size > 0 && isNow()) for (const then of waiting) then()
    },
    when: (then: () => void) => {
      if (isNow()) then()
      else waiting.add(then)
      return () => void waiting.delete(then)
    }
  }
}
