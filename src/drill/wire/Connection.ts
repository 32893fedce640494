/**
 * One TCP connection of a client that speaks HTTP/1.1 and obeys `Connection: close`.
 *
 * @module
 */
import * as Net from "node:net"
import type { Exchange } from "./Exchange.js"
import { headOf, isRight } from "./Exchange.js"
import { handleOf } from "./Handle.js"
import type { Arrival, Ending, Sent } from "./Outcome.js"
import { judge } from "./Outcome.js"
import { probe } from "./Probe.js"
import type { Whole } from "./Response.js"
import { ResponseReader } from "./Response.js"

interface Outstanding {
  readonly exchange: Exchange
  readonly reader: ResponseReader
  readonly sentAt: number
  firstByteAt: number | undefined
  /** The kernel took the first bytes. */
  written: boolean
  looked: boolean
  /** Parts of the body that went out after the first write. */
  pieces: number
  readonly resolve: (sent: Sent) => void
}

/** What a connection may be told. */
export interface ConnectionOptions {
  /** An address or a name; 127.0.0.1 when absent. */
  readonly host?: string
  /** Its number in the records; 0 when absent. */
  readonly id?: number
  /** How many of the milliseconds between two times the service was kept from running by others; none when absent. */
  readonly waited?: (from: number, to: number) => number
}

/** How a connection ended. */
export interface End {
  /** By whom and how. */
  readonly ending: Ending
  /** When that was noticed here, of `performance.now()`. */
  readonly at: number
}

const now = (): number => performance.now()

/** Opens at once. Nothing here ever rejects: what goes wrong is a record or an ending. */
export class Connection {
  /** Its number in the records. */
  readonly id: number
  /** When it was begun, of `performance.now()`. */
  readonly startedAt = now()
  /** True when the connection was established, false when that failed. */
  readonly opened: Promise<boolean>
  /** How the connection ended, and when. */
  readonly closed: Promise<End>
  readonly #host: string
  readonly #waited: (from: number, to: number) => number
  readonly #socket: Net.Socket
  #connected = false
  #end: End | undefined
  #forbidden = false
  #outstanding: Array<Outstanding> = []
  #raw: ((bytes: Buffer) => void) | undefined
  #early: Buffer | undefined
  #firstError: string | undefined
  readonly #opened: (ok: boolean) => void
  readonly #closed: (end: End) => void

  constructor(port: number, { host = "127.0.0.1", id = 0, waited = () => 0 }: ConnectionOptions = {}) {
    this.id = id
    this.#waited = waited
    let opened!: (ok: boolean) => void
    let closed!: (end: End) => void
    this.opened = new Promise((resolve) => (opened = resolve))
    this.closed = new Promise((resolve) => (closed = resolve))
    this.#opened = opened
    this.#closed = closed
    this.#host = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`
    // Half-open: a FIN from the server must not make this side close before it is accounted for.
    this.#socket = Net.connect({ port, host, noDelay: true, allowHalfOpen: true })
    this.#socket.on("connect", () => {
      this.#connected = true
      this.#opened(true)
    })
    this.#socket.on("data", (chunk: Buffer) => this.#onData(chunk))
    this.#socket.on("end", () => this.#onEnd("fin"))
    this.#socket.on("error", (error: NodeJS.ErrnoException) => this.#onError(error))
    this.#socket.on("close", () => this.#onEnd("fin"))
  }

  /** Established, nothing outstanding, and the server has neither closed it nor announced that. */
  get usable(): boolean {
    return this.#connected && !this.#forbidden && this.#end === undefined && this.#outstanding.length === 0
  }

  /** How it ended, once it has. */
  get end(): End | undefined {
    return this.#end
  }

  /** Sends a request and resolves with what became of it; on a connection that is not `usable` that is `refused`. */
  request(exchange: Exchange): Promise<Sent> {
    return this.pipeline([exchange])[0]!
  }

  /** Sends requests in one write, before an answer to any of them. Only the last may have its body sent in pieces. */
  pipeline(exchanges: ReadonlyArray<Exchange>): ReadonlyArray<Promise<Sent>> {
    const sentAt = now()
    if (!this.usable) {
      const ending = this.#end?.ending ?? "fin"
      return exchanges.map(({ kind }) =>
        Promise.resolve({ kind, connection: this.id, outcome: "refused", sentAt, doneAt: sentAt, ending })
      )
    }
    const bytes: Array<Buffer> = []
    const sents = exchanges.map((exchange) => {
      bytes.push(headOf(exchange, this.#host))
      if (exchange.body !== undefined && exchange.pieces === undefined) bytes.push(exchange.body)
      return new Promise<Sent>((resolve) => {
        const reader = new ResponseReader(exchange.onBody)
        const state = { firstByteAt: undefined, written: false, looked: false, pieces: 0 }
        this.#outstanding.push({ exchange, reader, sentAt, resolve, ...state })
      })
    })
    const these = [...this.#outstanding]
    this.#socket.write(Buffer.concat(bytes), (error) => {
      if (!error) for (const one of these) one.written = true
    })
    // The second check phase comes after a whole poll phase: by then an earlier FIN has been noticed.
    setImmediate(() =>
      setImmediate(() => {
        if (this.#end === undefined) for (const one of these) one.looked = true
      })
    )
    const { body, pieces } = exchanges.at(-1) ?? {}
    if (body !== undefined && pieces !== undefined) this.#feed(these.at(-1)!, body, pieces)
    return sents
  }

  /** Writes bytes that are no whole request. */
  write(bytes: Buffer | string): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes)
  }

  /** From now on the bytes that arrive are not HTTP (after a 101, or when a scenario reads by itself) and go to the listener. */
  onRaw(listener: (bytes: Buffer) => void): void {
    this.#raw = listener
    const early = this.#early
    this.#early = undefined
    if (early !== undefined && early.length > 0) listener(early)
  }

  /** Leaves what arrives in the kernel, as a peer does that hangs; the end of the connection is not noticed either, except by writing. */
  stopReading(): void {
    this.#socket.pause()
    // A paused socket is read on until its buffer is full, and an end is told at once.
    handleOf(this.#socket)?.readStop?.()
  }

  /** Reads on after {@link stopReading}. */
  startReading(): void {
    handleOf(this.#socket)?.readStart?.()
    this.#socket.resume()
  }

  /** Sends this side's FIN; what the server sends is still read. */
  finish(): void {
    this.#socket.end()
  }

  /** Ends the connection from this side; what is outstanding counts as hung. */
  giveUp(): void {
    this.#onEnd("given up")
  }

  #feed(one: Outstanding, body: Buffer, pieces: { readonly count: number; readonly every: number }): void {
    const size = Math.ceil(body.length / pieces.count)
    let from = 0
    const timer = setInterval(() => {
      if (this.#end !== undefined || !this.#outstanding.includes(one) || from >= body.length)
        return clearInterval(timer)
      one.pieces++
      this.#socket.write(body.subarray(from, from + size))
      from += size
    }, pieces.every)
  }

  #onData(chunk: Buffer): void {
    if (this.#raw !== undefined) return this.#raw(chunk)
    if (this.#early !== undefined) {
      this.#early = Buffer.concat([this.#early, chunk])
      return
    }
    let bytes = chunk
    while (bytes.length > 0) {
      const one = this.#outstanding[0]
      // Bytes that nobody asked for, such as a 408 on an idle connection: nothing may follow them.
      if (one === undefined) {
        this.#forbidden = true
        return
      }
      one.firstByteAt ??= now()
      let whole: Whole | undefined
      try {
        whole = one.reader.push(bytes)
      } catch {
        this.#settle(one, { outcome: "wrong" })
        return this.giveUp()
      }
      if (whole === undefined) return
      bytes = one.reader.rest
      if (whole.status === 101) {
        this.#forbidden = true
        this.#early = bytes
        this.#answered(one, whole)
        return
      }
      // What follows the last response that was asked for makes it wrong: this client would take it for the next one's.
      if (bytes.length > 0 && this.#outstanding.length === 1) {
        this.#settle(one, { outcome: "wrong", status: whole.status })
        return this.giveUp()
      }
      this.#answered(one, whole)
    }
  }

  #answered(one: Outstanding, whole: Whole): void {
    // An answer that did not wait for the end of the body leaves the connection unusable.
    const unread = one.exchange.pieces !== undefined && one.pieces < one.exchange.pieces.count
    const right = isRight(one.exchange, whole)
    this.#forbidden ||= whole.close || unread
    this.#settle(one, {
      outcome: right ? "complete" : whole.status === 503 ? "declined" : "wrong",
      status: whole.status,
      close: whole.close
    })
    if (this.#forbidden && whole.status !== 101 && this.#outstanding.length === 0) this.#socket.end()
  }

  #settle(
    one: Outstanding,
    result: Pick<Sent, "outcome" | "ending" | "status" | "close" | "hit">,
    at = now()
  ): void {
    this.#outstanding = this.#outstanding.filter((other) => other !== one)
    one.resolve({
      kind: one.exchange.kind,
      connection: this.id,
      sentAt: one.sentAt,
      ...(one.firstByteAt === undefined ? {} : { firstByteAt: one.firstByteAt }),
      doneAt: at,
      ...result
    })
  }

  #onError(error: NodeJS.ErrnoException): void {
    this.#firstError ??= error.code ?? ""
    // EPIPE: a write after the reset that followed a FIN.
    if (this.#connected) this.#onEnd(error.code === "EPIPE" ? "fin" : "reset")
    else this.#onEnd(error.code === "ECONNREFUSED" ? "refused" : "reset")
  }

  #onEnd(ending: Ending): void {
    if (this.#end !== undefined) return
    const at = now()
    this.#end = { ending, at }
    const [first] = this.#outstanding
    const whole = ending === "fin" ? first?.reader.end() : undefined
    if (first !== undefined && whole !== undefined) this.#answered(first, whole)
    this.#opened(false)
    this.#closed(this.#end)
    const lost = this.#outstanding
    if (ending !== "fin" || !lost.some((one) => one.written && one.reader.received === 0)) {
      this.#lose(lost, ending, at, "unknown")
      this.#socket.destroy()
      return
    }
    void probe(this.#socket, () => this.#firstError).then((arrival) => {
      this.#lose(lost, ending, at, arrival)
      this.#socket.destroy()
    })
  }

  #lose(lost: ReadonlyArray<Outstanding>, ending: Ending, at: number, arrival: Arrival): void {
    for (const one of lost) {
      const { looked, reader, sentAt, written } = one
      const pieces = one.pieces > 0
      const age = ending === "fin" ? at - sentAt - this.#waited(sentAt, at) : at - sentAt
      const outcome = judge({ ending, written, received: reader.received, age, looked, pieces, arrival })
      const hit = reader.received > 0 ? "response" : written ? "request" : "nothing"
      this.#settle(one, { outcome, ending, ...(ending === "reset" ? { hit } : {}) }, at)
    }
  }
}
