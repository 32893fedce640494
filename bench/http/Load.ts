/**
 * The load generator of the throughput bench, in a process of its own: kept-alive connections, each of which sends
 * its next request when the answer to the last one is whole. Told what to do, and answers, over IPC.
 */
import * as Net from "node:net"

/** One measurement to make. */
export interface Order {
  readonly port: number
  readonly path: string
  readonly connections: number
  /** Milliseconds. */
  readonly duration: number
}

/** What came of it. */
export interface Throughput {
  /** Requests answered. */
  readonly requests: number
  /** The same a second. */
  readonly rate: number
  /** Milliseconds that half of the requests, and 99 of 100, took at most. */
  readonly p50: number
  readonly p99: number
  /** Answers other than 200, and connections that ended. */
  readonly errors: number
  /** The part of one core that the generator itself used; near 1 it measures itself, not the server. */
  readonly cpu: number
}

const end = Buffer.from("\r\n\r\n")
const lengthHeader = Buffer.from("content-length: ")
const ok = Buffer.from("HTTP/1.1 200")

/** Where the response that begins at 0 ends, or -1 when it is not whole yet. */
const responseEnd = (bytes: Buffer): number => {
  const head = bytes.indexOf(end)
  if (head < 0) return -1
  let at = bytes.indexOf(lengthHeader)
  // Servers differ in the case of names only.
  if (at < 0 || at > head) at = bytes.toString("latin1", 0, head).toLowerCase().indexOf("content-length: ")
  if (at < 0) throw new Error("a response without content-length")
  let length = 0
  for (let i = at + lengthHeader.length; bytes[i]! >= 48; i++) length = length * 10 + bytes[i]! - 48
  const total = head + 4 + length
  return bytes.length < total ? -1 : total
}

const measure = (order: Order): Promise<Throughput> =>
  new Promise((resolve) => {
    const request = Buffer.from(`GET ${order.path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`)
    const latencies: Array<number> = []
    const sockets: Array<Net.Socket> = []
    let errors = 0
    let over = false
    const cpu = process.cpuUsage()
    const from = performance.now()
    for (let i = 0; i < order.connections; i++) {
      const socket = Net.connect({ port: order.port, host: "127.0.0.1", noDelay: true })
      let pending: Buffer | undefined
      let sentAt = 0
      const send = () => {
        sentAt = performance.now()
        socket.write(request)
      }
      socket.on("connect", send)
      socket.on("data", (chunk: Buffer) => {
        const bytes = pending === undefined ? chunk : Buffer.concat([pending, chunk])
        if (responseEnd(bytes) < 0) {
          pending = bytes
          return
        }
        pending = undefined
        if (over) return
        if (bytes.compare(ok, 0, ok.length, 0, ok.length) !== 0) errors++
        latencies.push(performance.now() - sentAt)
        send()
      })
      socket.on("error", () => undefined)
      socket.on("close", () => {
        if (!over) errors++
      })
      sockets.push(socket)
    }
    setTimeout(() => {
      over = true
      const took = performance.now() - from
      const { user, system } = process.cpuUsage(cpu)
      for (const socket of sockets) socket.destroy()
      const sorted = Float64Array.from(latencies).sort()
      resolve({
        requests: sorted.length,
        rate: (sorted.length / took) * 1000,
        p50: sorted[Math.floor(sorted.length * 0.5)] ?? Number.NaN,
        p99: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
        errors,
        cpu: (user + system) / 1000 / took
      })
    }, order.duration)
  })

process.on("message", (order: Order) => {
  void measure(order).then((throughput) => process.send!(throughput))
})
