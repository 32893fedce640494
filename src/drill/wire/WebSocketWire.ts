/**
 * One client of a WebSocket (RFC 6455) on a raw socket, so that what the server said last, when, and how the connection went away is known
 * to the byte.
 */
import { createHash, randomBytes } from "node:crypto"
import * as Net from "node:net"
import type { Message } from "./WebSocketFrames.js"
import { BadFrame, FrameReader, closePayload, encode, opcodes } from "./WebSocketFrames.js"

/** How a connection went away: FIN, RST, a refusal before it was established, or by the drill's own hand. */
export type Ending = "fin" | "reset" | "refused" | "given up"

/** What came of asking for the protocol. */
export type Handshake =
  | {
      /** The server speaks it: a 101 with the right proof. */
      readonly outcome: "open"
    }
  | {
      /** A whole answer of HTTP instead; the client knows. */
      readonly outcome: "declined"
      /** Its status. */
      readonly status: number
      /** Its head, lower case, without the status line. */
      readonly head: string
    }
  | {
      /**
       * `refused`: no byte was accepted, so it is safe to ask elsewhere. `dropped`: asked, and closed without a word. `cut`: closed in the
       * middle of the answer. `wrong`: an answer that is none. `hung`: given up without one.
       */
      readonly outcome: "refused" | "dropped" | "cut" | "wrong" | "hung"
      /** How the connection ended, or what is wrong with the answer. */
      readonly why: string
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

/** A text message and when it came, in milliseconds of `performance.now()`. */
export interface Said {
  /** The text. */
  readonly text: string
  /** When it came. */
  readonly at: number
}

/** Where and how to connect. */
export interface Options {
  /** The port. */
  readonly port: number
  /** The host. Default: 127.0.0.1. */
  readonly host?: string
  /** Answers the server's close frame and pings. Default: true; a peer that does not stays connected and silent, like one whose network is gone. */
  readonly responsive?: boolean
}

/** What the proof of a handshake is made with (section 1.3). */
const magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

const mostHead = 64 * 1024

/** Opens a TCP connection at once; {@link WebSocketWire.upgrade} asks for the protocol. Nothing here ever rejects. */
export class WebSocketWire {
  /** True when the TCP connection was established, false when that failed. */
  readonly opened: Promise<boolean>
  /** The close frame; undefined when the connection ended without one. */
  readonly closing: Promise<Closing | undefined>
  /** How the connection ended, and when, in milliseconds of `performance.now()`. */
  readonly ended: Promise<{ readonly ending: Ending; readonly at: number }>
  /** The texts that came so far. */
  readonly said: Array<Said> = []
  /** What the server did against the protocol once it was open; undefined when nothing. */
  fault: string | undefined = undefined
  readonly #socket: Net.Socket
  readonly #host: string
  readonly #responsive: boolean
  readonly #settle: {
    readonly opened: (ok: boolean) => void
    readonly closing: (closing: Closing | undefined) => void
    readonly ended: (end: { readonly ending: Ending; readonly at: number }) => void
  }
  readonly #frames = new FrameReader()
  #ending: Ending | undefined = undefined
  #connected = false
  #open = false
  #closeSent = false
  #closed = false
  #pending: Buffer = Buffer.alloc(0)
  #asked:
    | { readonly proof: string; written: boolean; readonly answer: (handshake: Handshake) => void }
    | undefined = undefined

  constructor(options: Options) {
    let opened!: (ok: boolean) => void
    let closing!: (closing: Closing | undefined) => void
    let ended!: (end: { readonly ending: Ending; readonly at: number }) => void
    this.opened = new Promise((resolve) => (opened = resolve))
    this.closing = new Promise((resolve) => (closing = resolve))
    this.ended = new Promise((resolve) => (ended = resolve))
    this.#settle = { opened, closing, ended }
    this.#host = options.host ?? "127.0.0.1"
    this.#responsive = options.responsive ?? true
    // Half-open: a FIN of the server must be seen as one, also by a client that never closes its own side.
    this.#socket = Net.connect({ port: options.port, host: this.#host, noDelay: true, allowHalfOpen: true })
    this.#socket.on("connect", () => {
      this.#connected = true
      opened(true)
    })
    this.#socket.on("data", (chunk: Buffer) => this.#onData(chunk))
    this.#socket.on("end", () => this.#onEnd("fin"))
    this.#socket.on("error", (error: NodeJS.ErrnoException) =>
      this.#onEnd(error.code === "ECONNREFUSED" ? "refused" : error.code === "EPIPE" ? "fin" : "reset")
    )
    this.#socket.on("close", () => this.#onEnd("fin"))
  }

  /** Whether messages can go to and fro: open, and neither side has said that it closes. */
  get isOpen(): boolean {
    return this.#open && !this.#closed && !this.#closeSent && this.#ending === undefined
  }

  /** Asks for the protocol on `path`. To be called once, when {@link opened} is true. */
  upgrade(path: string): Promise<Handshake> {
    if (this.#ending !== undefined) return Promise.resolve({ outcome: "refused", why: this.#ending })
    const key = randomBytes(16).toString("base64")
    const proof = createHash("sha1")
      .update(key + magic)
      .digest("base64")
    return new Promise((resolve) => {
      const asked = { proof, written: false, answer: resolve }
      this.#asked = asked
      const head = [
        `GET ${path} HTTP/1.1`,
        `host: ${this.#host}`,
        "connection: Upgrade",
        "upgrade: websocket",
        "sec-websocket-version: 13",
        `sec-websocket-key: ${key}`
      ]
      this.#socket.write(`${head.join("\r\n")}\r\n\r\n`, "latin1", (error) => {
        if (!error) asked.written = true
      })
    })
  }

  /** Says a text. Does nothing when it is not open. */
  send(text: string): void {
    if (this.isOpen) this.#socket.write(encode(opcodes.text, Buffer.from(text)))
  }

  /** Begins the closing handshake from this side; without a code the frame has none. */
  close(code?: number): void {
    if (!this.#open || this.#closeSent || this.#ending !== undefined) return
    this.#closeSent = true
    this.#socket.write(encode(opcodes.close, closePayload(code)))
  }

  /** Ends the connection from this side, whatever its state; an unanswered {@link upgrade} counts as hung. */
  giveUp(): void {
    this.#onEnd("given up")
    this.#socket.destroy()
  }

  #onData(chunk: Buffer): void {
    if (this.#open) return this.#onFrames(chunk)
    const asked = this.#asked
    if (asked === undefined) return
    this.#pending = Buffer.concat([this.#pending, chunk])
    const end = this.#pending.indexOf("\r\n\r\n")
    if (end < 0) {
      if (this.#pending.length > mostHead) this.#answer({ outcome: "wrong", why: "a head without end" })
      return
    }
    const lines = this.#pending.toString("latin1", 0, end).split("\r\n")
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(lines[0] ?? "")?.[1] ?? Number.NaN)
    const head = lines.slice(1).join("\r\n").toLowerCase()
    if (status === 101) {
      const proof = lines.find((line) => /^sec-websocket-accept:/i.test(line))
      if (proof?.slice(proof.indexOf(":") + 1).trim() !== asked.proof)
        return this.#answer({ outcome: "wrong", why: "a 101 without the proof of the handshake" })
      this.#open = true
      this.#answer({ outcome: "open" })
      const rest = this.#pending.subarray(end + 4)
      if (rest.length > 0) this.#onFrames(rest)
    } else if (Number.isNaN(status)) {
      this.#answer({ outcome: "wrong", why: `the answer begins with ${JSON.stringify(lines[0])}` })
    } else if (this.#isWhole(head, end + 4)) this.#answer({ outcome: "declined", status, head })
  }

  /** Whether the body of an answer is here; one without a length lasts until the connection ends. */
  #isWhole(head: string, from: number): boolean {
    const length = /^content-length: *(\d+)/m.exec(head)?.[1]
    if (length !== undefined) return this.#pending.length >= from + Number(length)
    if (/^transfer-encoding: *chunked/m.test(head))
      return this.#pending.toString("latin1", from - 2).endsWith("\r\n0\r\n\r\n")
    return this.#ending === "fin"
  }

  #answer(handshake: Handshake): void {
    const asked = this.#asked
    this.#asked = undefined
    asked?.answer(handshake)
    if (handshake.outcome !== "open") this.#socket.end()
  }

  #onFrames(chunk: Buffer): void {
    let messages: ReadonlyArray<Message>
    try {
      messages = this.#frames.push(chunk)
    } catch (error) {
      this.fault ??= error instanceof BadFrame ? error.message : String(error)
      return this.giveUp()
    }
    const at = performance.now()
    for (const message of messages) {
      if (message.kind === "text") this.said.push({ text: message.text, at })
      else if (message.kind === "close") this.#onClose({ code: message.code, reason: message.reason, at })
      else if (message.kind === "ping" && this.#responsive && !this.#closeSent)
        this.#socket.write(encode(opcodes.pong, message.data))
    }
  }

  #onClose(closing: Closing): void {
    this.#closed = true
    this.#settle.closing(closing)
    if (this.#responsive) this.close(closing.code === 1005 ? undefined : closing.code)
  }

  #onEnd(ending: Ending): void {
    if (this.#ending !== undefined) return
    this.#ending = this.#connected || ending === "given up" ? ending : "refused"
    const asked = this.#asked
    if (asked !== undefined) {
      // An answer without a length is whole at the end of the connection.
      if (ending === "fin") this.#onData(Buffer.alloc(0))
      const begun = this.#pending.length > 0
      const outcome = ending === "given up" ? "hung" : !asked.written ? "refused" : begun ? "cut" : "dropped"
      this.#answer({ outcome, why: ending })
    }
    this.#settle.opened(false)
    this.#settle.closing(undefined)
    this.#settle.ended({ ending: this.#ending, at: performance.now() })
    // A peer whose network is gone says nothing, not even that it closes.
    if (this.#responsive || !this.#open) this.#socket.destroy()
  }
}
