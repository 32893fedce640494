/** Server-sent events as bytes (WHATWG HTML, 9.2), made once for all who get them. */
import { Buffer } from "node:buffer"
import { Encoder } from "./Channels.js"
import type * as Protocol from "./Protocol.js"

/** One line of a field: a line break inside would end it. */
const line = (text: string): string => text.replaceAll(/[\r\n]+/g, " ")

/** An event. `data` is JSON, which has no line breaks; with an `id` it becomes what the client says when it comes back. */
export const event = (type: string, data: string, id?: number): Buffer =>
  Buffer.from(`${id === undefined ? "" : `id: ${id}\n`}event: ${line(type)}\ndata: ${data}\n\n`)

/** From now on the client waits so long before it comes back, in milliseconds. */
export const retry = (millis: number): Buffer => Buffer.from(`retry: ${millis}\n\n`)

/** Says that somebody is there. With an `id`, that the client has everything up to it; clients note that and tell nobody. */
export const heartbeat = (id?: number): Buffer => Buffer.from(id === undefined ? ":\n\n" : `:\nid: ${id}\n\n`)

/** A gap. What cannot be had any more is behind the client from now on; what it was too slow for is not, until it has the next event. */
export const gap = ({ from, message, reason, to }: Omit<typeof Protocol.Gap.Type, "op">): Buffer =>
  event(
    "gap",
    JSON.stringify({ from, to, reason, message }),
    reason === "slow" ? undefined : reason === "ahead" ? from : to
  )

/** An event of a channel as text. */
export class TextEncoder extends Encoder {
  protected override write(members: string): Buffer {
    return event(this.event.type, `{${members}}`, this.event.id)
  }
}
