/** What a server under test has to be able to do, and what is measured inside its process. */
import { setImmediate as turn } from "node:timers/promises"
import { cpu, micros, obey } from "./Control.js"

/** The channel of all clients. */
export const channel = "ledgers"

/** What servers say when they stop. */
export const telling =
  "the server is shutting down; this connection will be closed, reconnect after reconnectAfterMs"
export const parting = "Server is shutting down gracefully"

/** Something that happened. */
export interface Event {
  readonly id: number
  readonly channels: ReadonlyArray<string>
  readonly type: string
  readonly payload: unknown
}

/** A server. */
export interface Server {
  readonly port: number
  readonly connections: () => number
  /** Sends each of these to every client. */
  readonly publish: (events: ReadonlyArray<Event>) => void
  /** Tells everybody, says goodbye, closes with 1001, and ends when all sockets are closed. */
  readonly stop: () => Promise<void>
}

let id = 0
/** A payment, as large as those of the service are. */
const event = (): Event => ({
  id: ++id,
  channels: [channel],
  type: "new_payment",
  payload: {
    ledger: 58_000_000 + id,
    transaction: "b9d0b2292c4e09e8eb22d036171491e87b8d2086bf8b265874c8d182cb9c9020",
    from: "GA5ZSEJYB37JRC5AVCIA5MOP4RHTM335X2KGX3IHOJAPP5RE34K4KZVN",
    to: "GAHK7EEG2WWHVKDNT4CEQFZGKF2LGDSW2IVM4S5DP42RBW3K6BTODB4A",
    asset: "USDC:GA5ZSEJYB37JRC5AVCIA5MOP4RHTM335X2KGX3IHOJAPP5RE34K4KZVN",
    amount: "125.0000000"
  }
})

/** No garbage of what went before is left, and the event loop has had its turns. */
const tidy = async (times = 1): Promise<void> => {
  for (let i = 0; i < times; i++) {
    globalThis.gc!()
    await turn()
  }
}

/** What a server does on request. */
export const deeds = (server: Server) => {
  let cpuBefore = 0
  return {
    port: () => server.port,
    connections: () => server.connections(),
    /** Bytes: resident, and of them those that V8 knows of. */
    memory: async () => {
      await tidy(3)
      const { external, heapUsed, rss } = process.memoryUsage()
      return { resident: rss, known: heapUsed + external }
    },
    /** Publishes `count` events together. Gives when it began. */
    publish: async (count: number) => {
      const events = Array.from({ length: count }, event)
      await tidy()
      cpuBefore = cpu()
      const at = micros()
      server.publish(events)
      return at
    },
    /** CPU time since the last publication began, in microseconds. */
    spent: () => cpu() - cpuBefore,
    /** Stops. Gives microseconds: what passed until the last socket was closed, and what was spent of the CPU. */
    stop: async () => {
      await tidy()
      const before = cpu()
      const at = micros()
      await server.stop()
      return { wall: micros() - at, cpu: cpu() - before }
    }
  }
}

/** See {@link deeds}. */
export type Deeds = ReturnType<typeof deeds>

/** Waits for orders. */
export const run = (server: Server): void => obey(deeds(server))
