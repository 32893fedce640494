/** Upgrades to a WebSocket that race the stop: nobody must be let in whom nobody will tell. */
import type { Scenario, Stop } from "../Scenario.js"
import type { Connection } from "../wire/Connection.js"
import type { Sent } from "../wire/Outcome.js"
import { WebSocketWire, upgrade } from "../wire/WebSocketWire.js"
import { warm, word } from "./Clients.js"

/** When they are asked for, in milliseconds after the signal. */
const moments = [0, 20, 150, 150]

/** What became of one: `refused` in a way that the client knows of, `told` after it was let in, `raced` perhaps; anything else is wrong. */
const attempt = async (
  stop: Stop,
  connection: Connection,
  millis: number
): Promise<{ readonly is: "refused" | "told" | "raced" | "wrong"; readonly word: string }> => {
  if (millis > 0) await stop.pause(millis)
  const sent: Sent = await stop.ask(connection, upgrade(stop.targets.ws!))
  if (sent.outcome === "declined" || sent.outcome === "refused") return { is: "refused", word: word(sent) }
  if (sent.outcome === "late") return { is: "raced", word: word(sent) }
  if (sent.outcome !== "complete") return { is: "wrong", word: word(sent) }
  const closing = await new WebSocketWire(connection).closing
  const code = closing === undefined ? "ended without a close" : `told ${closing.code}`
  return { is: closing?.code === 1001 ? "told" : "wrong", word: `let in, ${code}` }
}

/** Four kept-alive connections ask to be upgraded at the signal and soon after it. */
export const lateUpgrade: Scenario = {
  id: "late-upgrade",
  title: "upgrades to a WebSocket at the signal, and 20 and 150 ms after it",
  scenarios: [16],
  needs: ["ws"],
  run: async (stop) => {
    const [holder, ...connections] = await warm(stop, moments.length + 1)
    // Keeps the drain going where there is something that can.
    if (stop.targets.slow !== undefined && holder !== undefined)
      void stop.ask(holder, stop.exchange("slow", { millis: 600 }))
    await stop.pause(100)
    stop.terminate()
    const found = await Promise.all(
      connections.map((connection, i) => attempt(stop, connection, moments[i]!))
    )
    stop.notes["late upgrades"] = found.map((one) => one.word).join("; ")
    // One may meet the FIN on its way; several do not do so by chance.
    const raced = found.filter((one) => one.is === "raced").length
    stop.expect(
      "an upgrade during the stop is refused with 503, or let in and told 1001",
      raced <= 1 && found.every((one) => one.is !== "wrong"),
      found.map((one) => one.word).join("; ")
    )
  }
}
