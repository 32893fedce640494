/**
 * WebSocket frames as bytes (RFC 6455, 5.2), made once for all who get them. A server does not mask, and no extension is negotiated, so whole
 * frames may be written to a socket between those that `ws` writes.
 */
import { Buffer } from "node:buffer"
import type { ServerMessage } from "./Protocol.js"

const closeLength = 4

const textBefore = (content: string, room: number): Buffer => {
  const length = Buffer.byteLength(content)
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const frame = Buffer.allocUnsafe(head + length + room)
  frame[0] = 0x81
  if (head === 2) {
    frame[1] = length
  } else if (head === 4) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  frame.write(content, head)
  return frame
}

/** A whole text message. */
export const text = (content: string): Buffer => textBefore(content, 0)

/** A whole text message, and a close frame with `code` after it. */
export const textAndClose = (content: string, code: number): Buffer => {
  const frames = textBefore(content, closeLength)
  const end = frames.length - closeLength
  frames[end] = 0x88
  frames[end + 1] = 2
  frames.writeUInt16BE(code, end + 2)
  return frames
}

/** A message of the protocol. */
export const message = (content: ServerMessage): Buffer => text(JSON.stringify(content))

/** A ping without data. */
export const ping: Buffer = Buffer.from([0x89, 0])
