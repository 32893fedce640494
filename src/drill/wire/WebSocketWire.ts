/**
 * One client of a WebSocket (RFC 6455) on a raw socket, so that what the server said last, when, and how the connection went away is known
 * to the byte.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto"
import type { Connection, End } from "./Connection.js"
import type { Exchange } from "./Exchange.js"
import { get } from "./Exchange.js"
import type { Message } from "./WebSocketFrames.js"
import { BadFrame, FrameReader, closePayload, encode, opcodes } from "./WebSocketFrames.js"

/** What the proof of a handshake is made with (section 1.3). */
const magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

/** The request for the protocol: right is a 101 with the proof that the server speaks it. */
export const upgrade = (path: string): Exchange => {
  const key = randomBytes(16).toString("base64")
  const proof = createHash("sha1")
    .update(key + magic)
    .digest("base64")
  return get(path, {
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": key
    },
    accept: [101],
    check: (_, headers) => headers.get("sec-websocket-accept") === proof
  })
}

/** The close frame of a server. */
export interface Closing {
  /** Its code; 1005 for a frame without one. */
  readonly code: number
  /** Its reason, often empty. */
  readonly reason: string
  /** When it came, in milliseconds of `performance.now()`. */
  readonly at: number
}

/** A text message. */
export interface Said {
  /** The text. */
  readonly text: string
  /** When it came, in milliseconds of `performance.now()`. */
  readonly at: number
}

/**
 * How a client behaves.
 *
 * - `polite`: answers pings and the server's close frame.
 * - `silent`: reads, and answers nothing.
 * - `dead`: from the server's close frame on it does not even read, as when its network is gone. It does not notice the end of the connection.
 */
export type Manner = "polite" | "silent" | "dead"

/** Speaks frames on a connection whose {@link upgrade} was answered with a 101. */
export class WebSocketWire {
  /** The close frame; undefined when the connection ended without one. */
  readonly closing: Promise<Closing | undefined>
  /** How the connection ended, and when. */
  readonly ended: Promise<End>
  /** The texts that came so far. */
  readonly said: Array<Said> = []
  /** What the server did against the protocol; undefined when nothing. */
  fault: string | undefined = undefined
  readonly #connection: Connection
  readonly #manner: Manner
  readonly #onClosing: (closing: Closing | undefined) => void
  readonly #frames = new FrameReader()
  #closed = false
  #closeSent = false

  constructor(connection: Connection, manner: Manner = "polite") {
    let onClosing!: (closing: Closing | undefined) => void
    this.closing = new Promise((resolve) => (onClosing = resolve))
    this.ended = connection.closed
    this.#connection = connection
    this.#manner = manner
    this.#onClosing = onClosing
    connection.onRaw((bytes) => this.#onBytes(bytes))
    void connection.closed.then(() => onClosing(undefined))
  }

  /** Whether messages can go to and fro: neither side has said that it closes. */
  get isOpen(): boolean {
    return !this.#closed && !this.#closeSent && this.#connection.end === undefined
  }

  /** Says a text. Does nothing when it is not open. */
  send(text: string): void {
    if (this.isOpen) this.#connection.write(encode(opcodes.text, Buffer.from(text)))
  }

  /** Begins the closing handshake from this side, or answers the server's; without a code the frame has none. */
  close(code?: number): void {
    if (this.#closeSent || this.#connection.end !== undefined) return
    this.#closeSent = true
    this.#connection.write(encode(opcodes.close, closePayload(code)))
  }

  #onBytes(bytes: Buffer): void {
    const at = performance.now()
    let messages: ReadonlyArray<Message>
    try {
      messages = this.#frames.push(bytes)
    } catch (error) {
      this.fault ??= error instanceof BadFrame ? error.message : String(error)
      return this.#connection.giveUp()
    }
    for (const message of messages) {
      if (message.kind === "text") this.said.push({ text: message.text, at })
      else if (message.kind === "close") this.#onClose({ code: message.code, reason: message.reason, at })
      else if (message.kind === "ping" && this.#manner === "polite" && !this.#closeSent)
        this.#connection.write(encode(opcodes.pong, message.data))
    }
  }

  #onClose(closing: Closing): void {
    this.#closed = true
    this.#onClosing(closing)
    if (this.#manner === "polite") this.close(closing.code === 1005 ? undefined : closing.code)
    else if (this.#manner === "dead") this.#connection.stopReading()
  }
}
