/** What probes are told while a slow request is being finished: send no more, but do not kill. */
import type { Scenario, Stop } from "../Scenario.js"
import type { Connection } from "../wire/Connection.js"
import type { Sent } from "../wire/Outcome.js"
import { byStatus, counted, isAnswered, warm, word } from "./Clients.js"

/** When the probes are sent, in milliseconds after the signal. */
const moments = [100, 200, 350]

/** Every status is an answer here; which ones are right is the question. */
const anyStatus = Array.from({ length: 400 }, (_, i) => 200 + i)

const isOk = (sent: Sent): boolean => sent.status !== undefined && sent.status >= 200 && sent.status <= 299

const probe = (stop: Stop, connection: Connection, target: "ready" | "live"): Promise<Sent> =>
  stop.ask(connection, byStatus(stop.exchange(target, { accept: anyStatus })))

/**
 * Probes on connections that are open already: new ones may be refused, which orchestrators read in the right way for readiness, and which no server can help
 * that has one port.
 */
export const healthWhileDraining: Scenario = {
  id: "health-while-draining",
  title: "readiness and liveness on open connections while a slow request is answered",
  scenarios: [22],
  needs: ["ready", "live", "slow"],
  run: async (stop) => {
    const [holder, ...rest] = await warm(stop, 1 + 2 * moments.length)
    const before = { ready: await probe(stop, rest[0]!, "ready"), live: await probe(stop, rest[1]!, "live") }
    stop.expect(
      "both probes are 2xx before the signal",
      isOk(before.ready) && isOk(before.live),
      `ready ${word(before.ready)}, live ${word(before.live)}`
    )
    const slow = stop.ask(holder!, stop.exchange("slow", { millis: 700 }))
    await stop.pause(50)
    stop.terminate()
    const ready: Array<Sent> = []
    const live: Array<Sent> = []
    for (const [i, millis] of moments.entries()) {
      await stop.pause(millis - stop.sinceSignal())
      const [first, second] = [rest[2 * i]!, rest[2 * i + 1]!]
      await Promise.all([
        probe(stop, first, "ready").then((sent) => ready.push(sent)),
        probe(stop, second, "live").then((sent) => live.push(sent))
      ])
    }
    stop.expect("readiness is not 2xx while draining", !ready.some(isOk), counted(ready.map(word)))
    stop.expect(
      "liveness stays 2xx while draining",
      live.filter(isAnswered).every(isOk),
      counted(live.map(word))
    )
    await slow
  }
}
