/**
 * One TCP connection of a client that speaks HTTP/1.1 without pipelining and obeys `Connection: close`.
 */
import * as Net from "node:net"
import type { Ending, Sent } from "./Account.js"
import { judge } from "./Account.js"
import type { Whole } from "./Response.js"
import { ResponseReader } from "./Response.js"

/** A request, and how to tell that its answer is the right one. */
export interface Exchange {
  /** Method and route, for the records. */
  readonly kind: string
  readonly method: "GET" | "POST"
  /** Path with query. */
  readonly path: string
  readonly body?: Buffer
  /** Sends the body in this many pieces, this many milliseconds apart; at once when absent. */
  readonly pieces?: { readonly count: number; readonly every: number }
  /** Judges a whole 200; every 200 is right when absent. */
  readonly check?: (body: Buffer) => boolean
}

interface Outstanding {
  readonly exchange: Exchange
  readonly reader: ResponseReader
  readonly sentAt: number
  /** The kernel took the first bytes. */
  written: boolean
  looked: boolean
  readonly resolve: (sent: Sent) => void
}

const now = (): number => performance.now()

/** Opens at once. Nothing here ever rejects: what goes wrong is a record or an ending. */
export class Connection {
  /** True when the connection was established, false when that failed. */
  readonly opened: Promise<boolean>
  /** How the connection ended, and when. */
  readonly closed: Promise<{ readonly ending: Ending; readonly at: number }>
  readonly #socket: Net.Socket
  #connected = false
  #ending: Ending | undefined
  #forbidden = false
  #outstanding: Outstanding | undefined
  readonly #opened: (ok: boolean) => void
  readonly #closed: (end: { readonly ending: Ending; readonly at: number }) => void

  constructor(port: number) {
    let opened!: (ok: boolean) => void
    let closed!: (end: { readonly ending: Ending; readonly at: number }) => void
    this.opened = new Promise((resolve) => (opened = resolve))
    this.closed = new Promise((resolve) => (closed = resolve))
    this.#opened = opened
    this.#closed = closed
    // Half-open: a FIN from the server must not make this side close before it is accounted for.
    this.#socket = Net.connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true })
    this.#socket.on("connect", () => {
      this.#connected = true
      this.#opened(true)
    })
    this.#socket.on("data", (chunk: Buffer) => this.#onData(chunk))
    this.#socket.on("end", () => this.#onEnd("fin"))
    this.#socket.on("error", (error: NodeJS.ErrnoException) =>
      this.#onEnd(this.#connected ? (error.code === "EPIPE" ? "fin" : "reset") : connectFailure(error))
    )
    this.#socket.on("close", () => this.#onEnd("fin"))
  }

  /** Established, nothing outstanding, and the server has neither closed it nor announced that. */
  get usable(): boolean {
    return (
      this.#connected && this.#ending === undefined && !this.#forbidden && this.#outstanding === undefined
    )
  }

  /** Sends a request and resolves with what became of it. */
  request(exchange: Exchange): Promise<Sent> {
    const sentAt = now()
    if (!this.usable) {
      const ending = this.#ending ?? "fin"
      return Promise.resolve({ kind: exchange.kind, outcome: "refused", sentAt, doneAt: sentAt, ending })
    }
    return new Promise((resolve) => {
      const one: Outstanding = {
        exchange,
        reader: new ResponseReader(),
        sentAt,
        written: false,
        looked: false,
        resolve
      }
      this.#outstanding = one
      const { body, method, path, pieces } = exchange
      const length = body === undefined ? "" : `content-length: ${body.length}\r\n`
      const head = Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${length}\r\n`, "latin1")
      const first = body === undefined ? head : pieces === undefined ? Buffer.concat([head, body]) : head
      this.#socket.write(first, (error) => {
        if (!error) one.written = true
      })
      // The second check phase comes after a whole poll phase: by then an earlier FIN has been noticed.
      setImmediate(() => setImmediate(() => (one.looked = true)))
      if (body !== undefined && pieces !== undefined) this.#feed(one, body, pieces)
    })
  }

  /** Writes bytes that are no whole request. */
  write(bytes: string): void {
    this.#socket.write(bytes)
  }

  /** Ends the connection from this side; what is outstanding counts as hung. */
  giveUp(): void {
    this.#onEnd("given up")
  }

  #feed(one: Outstanding, body: Buffer, pieces: { readonly count: number; readonly every: number }): void {
    const size = Math.ceil(body.length / pieces.count)
    let from = 0
    const timer = setInterval(() => {
      if (this.#outstanding !== one || from >= body.length) return clearInterval(timer)
      this.#socket.write(body.subarray(from, from + size))
      from += size
    }, pieces.every)
  }

  #onData(chunk: Buffer): void {
    const one = this.#outstanding
    // Bytes that nobody asked for, such as a 408 on an idle connection: nothing may follow them.
    if (one === undefined) {
      this.#forbidden = true
      return
    }
    let whole: Whole | undefined
    try {
      whole = one.reader.push(chunk)
    } catch {
      this.#settle(one, { outcome: "wrong" })
      return this.giveUp()
    }
    if (whole !== undefined) this.#answered(one, whole)
  }

  #answered(one: Outstanding, whole: Whole): void {
    // An answer that did not wait for the end of the body leaves the connection unusable.
    const unread = one.exchange.pieces !== undefined && whole.status !== 200
    const right = whole.status === 200 && (one.exchange.check === undefined || one.exchange.check(whole.body))
    this.#forbidden ||= whole.close || unread
    this.#settle(one, {
      outcome: right ? "complete" : whole.status === 503 ? "declined" : "wrong",
      status: whole.status,
      close: whole.close
    })
    if (this.#forbidden) this.#socket.end()
  }

  #settle(one: Outstanding, result: Pick<Sent, "outcome" | "ending" | "status" | "close">): void {
    this.#outstanding = undefined
    one.resolve({ kind: one.exchange.kind, sentAt: one.sentAt, doneAt: now(), ...result })
  }

  #onEnd(ending: Ending): void {
    if (this.#ending !== undefined) return
    this.#ending = ending
    const at = now()
    const one = this.#outstanding
    if (one !== undefined) {
      const whole = ending === "fin" ? one.reader.end() : undefined
      if (whole !== undefined) this.#answered(one, whole)
      else {
        const { received } = one.reader
        const loss = { ending, written: one.written, received, age: at - one.sentAt, looked: one.looked }
        this.#settle(one, { outcome: judge(loss), ending })
      }
    }
    this.#opened(false)
    this.#closed({ ending, at })
    this.#socket.destroy()
  }
}

const connectFailure = (error: NodeJS.ErrnoException): Ending =>
  error.code === "ECONNREFUSED" ? "refused" : "reset"
