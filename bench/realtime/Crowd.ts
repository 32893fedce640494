/**
 * Clients in a process of their own, as cheap as clients can be, so that the server is what is measured: one buffer for what all of them read,
 * frames are counted by their heads, and a close frame is answered. The server is left to close first.
 */
import * as Net from "node:net"
import { cpu, micros, obey } from "./Control.js"
import * as Subject from "./Subject.js"

/** A client's frame: whole, masked with zeros, which leaves the content as it is. */
const frame = (opcode: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | content.length, 0, 0, 0, 0]), content])

const upgrade = Buffer.from(
  "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
const subscribe = frame(1, Buffer.from(JSON.stringify({ op: "subscribe", channels: [Subject.channel] })))
const pong = frame(10, Buffer.alloc(0))
const endOfHead = Buffer.from("\r\n\r\n")

/** Clients that connect at the same time. */
const atOnce = 100

/** All of them read into this. */
const shared = Buffer.allocUnsafeSlow(256 * 1024)

let peers: Array<Peer> = []
let frames = 0
let closed = 0
let target = Number.POSITIVE_INFINITY
let reached: (() => void) | undefined
let received: Promise<number> | undefined
let allClosed: (() => void) | undefined

class Peer {
  frames = 0
  code = 0
  /** Bytes of the frame under way that are still to come. */
  private rest = 0
  /** A head, or a control frame, that was cut. */
  private cut: Buffer | undefined = undefined
  private isUpgraded = false
  private readonly socket: Net.Socket

  constructor(port: number) {
    this.socket = Net.connect({
      port,
      host: "127.0.0.1",
      noDelay: true,
      // So that it ends in one step, once the server has.
      allowHalfOpen: true,
      onread: {
        buffer: shared,
        callback: (length, buffer) => {
          this.read(buffer as Buffer, length)
          return true
        }
      }
    })
    this.socket.on("error", () => {})
    this.socket.on("end", () => this.socket.destroy())
    this.socket.on("close", () => {
      if (++closed === peers.length) allClosed?.()
    })
    this.socket.write(upgrade)
  }

  private read(buffer: Buffer, length: number): void {
    if (this.cut !== undefined) {
      const whole = Buffer.concat([this.cut, buffer.subarray(0, length)])
      this.cut = undefined
      return this.read(whole, whole.length)
    }
    let at = 0
    if (!this.isUpgraded) {
      const end = buffer.subarray(0, length).indexOf(endOfHead)
      if (end < 0) return this.keep(buffer, 0, length)
      if (buffer.toString("latin1", 0, 12) !== "HTTP/1.1 101") throw new Error("not let in")
      this.isUpgraded = true
      this.socket.write(subscribe)
      at = end + 4
    }
    while (at < length) {
      if (this.rest > 0) {
        const skipped = Math.min(this.rest, length - at)
        this.rest -= skipped
        at += skipped
        if (this.rest === 0) this.whole()
        continue
      }
      if (at + 2 > length) return this.keep(buffer, at, length)
      const opcode = buffer[at]! & 15
      let size = buffer[at + 1]!
      let head = 2
      if (size === 126) {
        if (at + 4 > length) return this.keep(buffer, at, length)
        size = buffer.readUInt16BE(at + 2)
        head = 4
      } else if (size === 127) {
        if (at + 10 > length) return this.keep(buffer, at, length)
        size = Number(buffer.readBigUInt64BE(at + 2))
        head = 10
      }
      if (opcode < 8) {
        this.rest = size
        at += head
        if (size === 0) this.whole()
        continue
      }
      if (at + head + size > length) return this.keep(buffer, at, length)
      if (opcode === 9) this.socket.write(pong)
      if (opcode === 8) {
        const content = Buffer.from(buffer.subarray(at + head, at + head + 2))
        this.code = size < 2 ? 1005 : content.readUInt16BE(0)
        this.socket.write(frame(8, content))
      }
      at += head + size
    }
  }

  private keep(buffer: Buffer, from: number, to: number): void {
    this.cut = Buffer.from(buffer.subarray(from, to))
  }

  private whole(): void {
    this.frames++
    if (++frames === target) reached?.()
  }
}

const until = (count: number): Promise<void> =>
  new Promise((resolve) => {
    target = count
    reached = resolve
    if (frames >= target) resolve()
  })

/** What the crowd does on request. */
export const deeds = {
  /** CPU time so far, in microseconds. */
  cpu,
  /** Connects so many, and subscribes. Ends when each has been told so; gives the microseconds that it took. */
  connect: async ({ clients, port }: { readonly port: number; readonly clients: number }) => {
    const at = micros()
    peers = []
    frames = closed = 0
    while (peers.length < clients) {
      for (let i = Math.min(atOnce, clients - peers.length); i > 0; i--) peers.push(new Peer(port))
      // The first word, and the answer to the subscription.
      await until(peers.length * 2)
    }
    return micros() - at
  },
  /** Every client is about to get so many more messages. */
  expect: (each: number) => {
    received = until(frames + each * peers.length).then(micros)
  },
  /** Ends when they have got them. Gives when that was. */
  received: () => received,
  /** Ends when all connections have. Gives how many ended how: the close code, and the messages that the client got in all. */
  end: async () => {
    if (closed < peers.length) await new Promise<void>((resolve) => (allClosed = resolve))
    const ends: Record<string, number> = {}
    for (const { code, frames } of peers) {
      const key = `${code} after ${frames}`
      ends[key] = (ends[key] ?? 0) + 1
    }
    return ends
  }
}

/** See {@link deeds}. */
export type Deeds = typeof deeds

obey(deeds)
