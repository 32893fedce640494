/** WebSocket peers that do not answer the close: the service ends them at a limit of its own, since a library's may be half a minute. */
import type { Scenario } from "../Scenario.js"
import { after, expectGone, join } from "./Clients.js"
import { expectTold } from "./WebSocketClients.js"

/** How long a service with WebSockets may take, in milliseconds. */
const limit = 10_000

/** One client answers, one is silent, and one is gone from the network without a word. */
export const silentWebSocket: Scenario = {
  id: "silent-web-socket",
  title: "a WebSocket client that does not answer the close, and one that is gone",
  scenarios: [7],
  needs: ["ws"],
  settings: { SHUTDOWN_ANNOUNCE_DELAY: "0" },
  run: async (stop) => {
    const polite = await join(stop, 1)
    const silent = await join(stop, 1, "silent")
    const dead = await join(stop, 1, "dead")
    await stop.pause(100)
    stop.terminate()
    await expectTold(stop, [...polite, ...silent, ...dead])
    await expectGone(stop, "WebSocket clients that do not answer are given up at a limit", limit)
    for (const { connection } of silent)
      stop.notes["silent client ended after"] = after(stop, (await connection.closed).at)
    for (const { connection } of dead) connection.giveUp()
  }
}
