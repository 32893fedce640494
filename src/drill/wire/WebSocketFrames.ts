/**
 * Frames of the WebSocket protocol (RFC 6455, section 5), as a client sees them: what it sends is masked, what it gets must not be.
 *
 * A library would hide what the drill is about: which close code was really sent, and what came before it.
 */
import { isUtf8 } from "node:buffer"
import { randomBytes } from "node:crypto"

/** The kinds of frames; those from `close` on are control frames. */
export type Opcode = 0x0 | 0x1 | 0x2 | 0x8 | 0x9 | 0xa

/** Opcodes by name (section 5.2). */
export const opcodes = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa
} as const

/** What a server said. A message that came in fragments is one. */
export type Message =
  | {
      /** A text message. */
      readonly kind: "text"
      /** The text. */
      readonly text: string
    }
  | {
      /** A message that is no text, or a frame that keeps the connection alive. */
      readonly kind: "binary" | "ping" | "pong"
      /** The bytes. */
      readonly data: Buffer
    }
  | {
      /** The end of the conversation: nothing follows. */
      readonly kind: "close"
      /** Its code; 1005 when the frame has none, as the protocol has it. */
      readonly code: number
      /** Its reason, often empty. */
      readonly reason: string
    }

/** Bytes that no server may send. */
export class BadFrame extends Error {
  override readonly name = "BadFrame"
}

/** A frame from the client: whole, masked with `mask` (four bytes; random when left out). */
export const encode = (opcode: Opcode, payload: Buffer, mask: Buffer = randomBytes(4)): Buffer => {
  const { length } = payload
  const head = length < 126 ? Buffer.alloc(2) : length < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10)
  head[0] = 0x80 | opcode
  if (length < 126) head[1] = 0x80 | length
  else if (length < 65_536) {
    head[1] = 0x80 | 126
    head.writeUInt16BE(length, 2)
  } else {
    head[1] = 0x80 | 127
    head.writeBigUInt64BE(BigInt(length), 2)
  }
  const masked = Buffer.from(payload)
  for (let i = 0; i < length; i++) masked[i]! ^= mask[i % 4]!
  return Buffer.concat([head, mask, masked])
}

/** The payload of a close frame with a code, or of one without. */
export const closePayload = (code?: number): Buffer => {
  if (code === undefined) return Buffer.alloc(0)
  const payload = Buffer.alloc(2)
  payload.writeUInt16BE(code)
  return payload
}

/** Codes that an endpoint may send (section 7.4): 1004 to 1006 and 1015 exist only as words. */
const isCode = (code: number): boolean =>
  (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) || (code >= 3000 && code <= 4999)

/** The longest message that is kept, in bytes; a server that sends more is no subject of the drill. */
const longest = 16 * 1024 * 1024

const utf8 = (bytes: Buffer): string => {
  if (!isUtf8(bytes)) throw new BadFrame("text that is no UTF-8")
  return bytes.toString("utf8")
}

/** Reads what a server sends, however the network cut it up. */
export class FrameReader {
  #pending: Buffer = Buffer.alloc(0)
  #fragments: { readonly text: boolean; readonly parts: Array<Buffer>; bytes: number } | undefined
  #closed = false

  /** Takes what a read yielded and returns what is whole by now. Throws {@link BadFrame}. Bytes after a close frame are passed over (section 5.5.1). */
  push(chunk: Buffer): ReadonlyArray<Message> {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    const messages: Array<Message> = []
    while (!this.#closed) {
      const message = this.#next()
      if (message === "more") break
      if (message === undefined) continue
      if (message.kind === "close") this.#closed = true
      messages.push(message)
    }
    return messages
  }

  /** The next frame: `more` when it is not whole, undefined when it was a fragment. */
  #next(): Message | "more" | undefined {
    const pending = this.#pending
    if (pending.length < 2) return "more"
    const first = pending[0]!
    const second = pending[1]!
    if ((first & 0x70) !== 0) throw new BadFrame("reserved bits are set")
    if ((second & 0x80) !== 0) throw new BadFrame("a masked frame from a server")
    const opcode = first & 0x0f
    const final = (first & 0x80) !== 0
    if (opcode >= 0x8 && (!final || second > 125)) throw new BadFrame("a control frame in pieces or too long")
    const extended = second === 126 ? 2 : second === 127 ? 8 : 0
    if (pending.length < 2 + extended) return "more"
    const length =
      extended === 0 ? second : extended === 2 ? pending.readUInt16BE(2) : Number(pending.readBigUInt64BE(2))
    if (length > longest) throw new BadFrame(`a frame of ${length} bytes`)
    const end = 2 + extended + length
    if (pending.length < end) return "more"
    const payload = pending.subarray(2 + extended, end)
    this.#pending = pending.subarray(end)
    return this.#frame(opcode, final, payload)
  }

  #frame(opcode: number, final: boolean, payload: Buffer): Message | undefined {
    switch (opcode) {
      case opcodes.text:
      case opcodes.binary:
        if (this.#fragments !== undefined) throw new BadFrame("a message inside another")
        this.#fragments = { text: opcode === opcodes.text, parts: [], bytes: 0 }
        return this.#fragment(final, payload)
      case opcodes.continuation:
        return this.#fragment(final, payload)
      case opcodes.close:
        return closing(payload)
      case opcodes.ping:
        return { kind: "ping", data: payload }
      case opcodes.pong:
        return { kind: "pong", data: payload }
      default:
        throw new BadFrame(`opcode ${opcode}`)
    }
  }

  #fragment(final: boolean, payload: Buffer): Message | undefined {
    const message = this.#fragments
    if (message === undefined) throw new BadFrame("a continuation of nothing")
    message.parts.push(payload)
    message.bytes += payload.length
    if (message.bytes > longest) throw new BadFrame("a message without end")
    if (!final) return undefined
    this.#fragments = undefined
    const data = Buffer.concat(message.parts)
    return message.text ? { kind: "text", text: utf8(data) } : { kind: "binary", data }
  }
}

const closing = (payload: Buffer): Message => {
  if (payload.length === 0) return { kind: "close", code: 1005, reason: "" }
  if (payload.length === 1) throw new BadFrame("half a close code")
  const code = payload.readUInt16BE(0)
  if (!isCode(code)) throw new BadFrame(`close code ${code}`)
  return { kind: "close", code, reason: utf8(payload.subarray(2)) }
}
