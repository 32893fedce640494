// Servers that are wrong on purpose, each in one way: `node wrong.mjs <which>`.
import { setTimeout as sleep } from "node:timers/promises"
import { existsSync, writeFileSync } from "node:fs"
import { serve } from "./base.mjs"

const nothing = () => {}
let pinned = false

const faults = {
  none: {},
  // Waits for whoever is connected, as server.close() does.
  "waits-for-idle": { idle: nothing },
  "resets-idle": { idle: (socket) => socket.resetAndDestroy() },
  // Closes everything that is not being answered in the instant of the signal.
  "closes-at-once": { idleGrace: 0, idle: (socket) => socket.destroy() },
  // No request listener any more: what comes late is never answered.
  "ignores-late": { late: () => true },
  "drops-late": { late: (req) => req.socket.destroy() !== undefined },
  "keeps-late-alive": { late: nothing },
  "cuts-busy": {
    first: (drain, pending) => {
      for (const res of pending) res.socket.destroy()
      void drain()
    }
  },
  // Never says that it is enough.
  "answers-for-ever": { late: nothing, idle: nothing },
  // Goes on accepting, and throws out whom it accepted.
  "listens-on": { accepted: (socket) => socket.destroy(), close: nothing, done: nothing },
  "breaks-pipes": { lingering: false },
  "tells-1005": { tell: (client) => client.close() },
  "tells-nothing": { tell: (client) => client.terminate() },
  "tells-late": { tell: (client) => setTimeout(() => client.close(1001), 1200), giveUp: nothing },
  "tells-nonsense": { tell: (client) => client._socket.end(Buffer.from([0xf8, 0x00])) },
  "resets-sockets": {
    tell: (client) => {
      client.close(1001)
      setTimeout(() => client._socket.resetAndDestroy(), 1)
    }
  },
  "waits-for-silent": { giveUp: nothing },
  "only-ends-silent": { giveUp: (client) => client._socket.end() },
  "drops-upgrades": { upgrade: (_, socket) => socket.destroy() !== undefined },
  "lets-in-untold": { upgrade: nothing },
  "ignores-second": { second: nothing },
  "second-is-clean": { second: () => process.exit(0) },
  "exits-at-once": { first: () => process.exit(0) },
  "opens-after-signal": { start: () => sleep(1200), early: nothing },
  "pinned-in-start": {
    start: async () => {
      await sleep(1200)
      if (pinned) await new Promise(() => setInterval(nothing, 1000))
    },
    early: () => {
      pinned = true
    }
  },
  "cuts-streams": { events: (res) => res.destroy() },
  "waits-for-streams": { events: nothing, cut: nothing },
  "never-cuts": { cut: nothing },
  "cut-is-clean": { cut: () => process.exit(0) },
  "stays-ready": { ready: () => 200 },
  "dies-while-draining": { live: (draining) => (draining ? 500 : 200) },
  "starts-once": {
    start: () => {
      if (existsSync(process.env.LOCK)) process.exit(1)
      writeFileSync(process.env.LOCK, "")
    }
  },
  dawdles: { done: () => setTimeout(() => process.exit(0), 2500) }
}

await serve(faults[process.argv[2]])
