/** New connections around the moment at which the listener closes: each is served or refused, none is let in and thrown out. */
import type { Scenario, Stop } from "../Scenario.js"
import type { Connection } from "../wire/Connection.js"
import { counted, later, warm, word } from "./Clients.js"
import { isLost } from "../wire/Outcome.js"

/** The pause of a client between connecting and asking, in milliseconds, in which being thrown out shows. */
const breath = 5

const visit = async (stop: Stop): Promise<string> => {
  const connection: Connection | undefined = await stop.connect("connect")
  if (connection === undefined) return "refused"
  await stop.pause(breath, connection)
  if (!connection.usable) return `thrown out (${connection.end?.ending ?? "bytes that nobody asked for"})`
  const sent = await stop.ask(connection, stop.exchange("fast"))
  connection.giveUp()
  return isLost(sent.outcome) || sent.outcome === "refused" ? `let in, then ${word(sent)}` : "served"
}

/** A connection every 5 ms, from 100 ms before the signal to 600 ms after it, which asks 5 ms after it was let in. */
export const acceptedConnections: Scenario = {
  id: "accepted-connections",
  title: "a new connection every 5 ms around the signal, asking 5 ms after it was accepted",
  scenarios: [12],
  needs: [],
  run: async (stop) => {
    const [holder] = await warm(stop, 1)
    if (stop.targets.slow !== undefined && holder !== undefined)
      void stop.ask(holder, stop.exchange("slow", { millis: 800 }))
    const visits: Array<Promise<string>> = []
    const from = performance.now()
    while (stop.sinceSignal() < 600) {
      const elapsed = performance.now() - from
      while (visits.length < elapsed / 5) visits.push(later(visit(stop)))
      if (elapsed >= 100) stop.terminate()
      await stop.pause(1)
    }
    const words = await Promise.all(visits)
    const wrong = words.filter((one) => one !== "served" && one !== "refused")
    stop.expect(
      "a connection is served or refused, never let in and thrown out",
      wrong.length === 0,
      counted(words)
    )
  }
}
