/** Clients on a thread of their own, so that they go on while the event loop under test is busy. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Worker } from "node:worker_threads"

const code = `
const { parentPort, workerData } = require("node:worker_threads")
const net = require("node:net")
const { port, clients, connected } = workerData
parentPort.on("message", () => {
  let open = clients
  let whole = 0
  const errors = []
  for (let i = 0; i < clients; i++) {
    let text = ""
    const socket = net.connect({ port, host: "127.0.0.1" })
    socket.on("connect", () => {
      socket.write("GET / HTTP/1.1\\r\\nhost: test\\r\\n\\r\\n")
      Atomics.add(connected, 0, 1)
    })
    socket.on("data", (chunk) => (text += chunk))
    socket.on("error", (error) => errors.push(error.code))
    socket.on("close", () => {
      if (text.startsWith("HTTP/1.1 200") && text.endsWith("hello")) whole++
      if (--open === 0) parentPort.postMessage({ whole, errors })
    })
  }
})
`

/** What became of a crowd. */
export interface Outcome {
  /** How many got a whole answer. */
  readonly whole: number
  /** How the others ended. */
  readonly errors: ReadonlyArray<string>
}

/** Clients that are ready to connect all at once, each with one request. */
export const make = (
  port: number,
  clients: number
): Effect.Effect<
  {
    /** Has all of them connect, and returns when they have; meanwhile the event loop is kept busy, for `millis` at least. */
    readonly connectWhileBusy: (millis: number) => void
    readonly outcome: Effect.Effect<Outcome>
  },
  never,
  Scope.Scope
> =>
  Effect.gen(function* () {
    const connected = new Int32Array(new SharedArrayBuffer(4))
    const worker = yield* Effect.acquireRelease(
      Effect.async<Worker>((resume) => {
        const worker = new Worker(code, { eval: true, workerData: { port, clients, connected } })
        worker.once("online", () => resume(Effect.succeed(worker)))
      }),
      (worker) => Effect.promise(() => worker.terminate())
    )
    const outcome = new Promise<Outcome>((resolve) => worker.once("message", resolve))
    return {
      connectWhileBusy: (millis) => {
        worker.postMessage("go")
        const begun = performance.now()
        while (performance.now() - begun < millis || Atomics.load(connected, 0) < clients) {
          if (performance.now() - begun > 5000) throw new Error("the crowd did not connect")
        }
      },
      outcome: Effect.promise(() => outcome)
    }
  })
