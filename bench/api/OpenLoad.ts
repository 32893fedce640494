/**
 * The load generator of the API's bench, in a process of its own: requests are due by the clock, whether or not those before are answered, so what a busy
 * server makes them wait is in their latency. Each goes to a kept-alive connection that has nothing in hand, or waits for one. Told what to do, and
 * answers, over IPC.
 */
import * as Http from "node:http"

/** One measurement to make. */
export interface Order {
  readonly port: number
  /** Asked for in turn. */
  readonly paths: ReadonlyArray<string>
  /** Requests a second. */
  readonly rate: number
  readonly connections: number
  /** Milliseconds. */
  readonly duration: number
}

/** What came of it. */
export interface Outcome {
  /** Milliseconds from when each request was due to the end of its answer, in the order in which they were due; NaN where there was no good answer. */
  readonly latencies: ReadonlyArray<number>
  /** How late the generator itself was in sending, in milliseconds, at worst: what it adds to the latencies. */
  readonly late: number
  /** Bytes of all bodies. */
  readonly bytes: number
  /** The first few that were not answered with 200. */
  readonly wrong: ReadonlyArray<string>
  /** The part of one core that the generator itself used. */
  readonly cpu: number
}

const measure = (order: Order): Promise<Outcome> =>
  new Promise((resolve) => {
    const total = Math.floor((order.rate * order.duration) / 1000)
    const agent = new Http.Agent({ keepAlive: true, maxSockets: order.connections, scheduling: "fifo" })
    const latencies: Array<number> = Array.from({ length: total }, () => Number.NaN)
    const wrong: Array<string> = []
    let [sent, ended, bytes, late] = [0, 0, 0, 0]
    const cpu = process.cpuUsage()
    const from = performance.now() + 20
    const dueAt = (nth: number) => from + (nth * 1000) / order.rate

    const finish = () => {
      ended++
      if (ended < total) return
      clearInterval(timer)
      agent.destroy()
      const { system, user } = process.cpuUsage(cpu)
      resolve({ latencies, late, bytes, wrong, cpu: (user + system) / 1000 / (performance.now() - from) })
    }
    const send = (nth: number) => {
      const path = order.paths[nth % order.paths.length]!
      const failed = (why: string) => {
        if (wrong.length < 5) wrong.push(`${path}: ${why}`)
        finish()
      }
      Http.get({ host: "127.0.0.1", port: order.port, path, agent }, (response) => {
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length
        })
        response.on("end", () => {
          if (response.statusCode !== 200) return failed(`status ${response.statusCode}`)
          latencies[nth] = performance.now() - dueAt(nth)
          finish()
        })
      }).on("error", ({ message }) => failed(message))
    }
    const timer = setInterval(() => {
      const now = performance.now()
      if (sent < total && dueAt(sent) <= now) late = Math.max(late, now - dueAt(sent))
      while (sent < total && dueAt(sent) <= now) send(sent++)
    }, 1)
  })

process.on("message", (order: Order) => {
  void measure(order).then((outcome) => process.send!(outcome))
})
