/** Connections that were opened ahead of need, as browsers and pools do, and on which nothing was ever sent. */
import type { Scenario } from "../Scenario.js"
import { after, expectGone, open, patience } from "./Clients.js"

/** Five connections without a byte. A server that waits for requests on them, or for a timeout of minutes, does not stop. */
export const unusedConnections: Scenario = {
  id: "unused-connections",
  title: "five TCP connections that never sent a byte",
  scenarios: [1],
  needs: [],
  run: async (stop) => {
    const connections = await open(stop, 5)
    await stop.pause(100)
    stop.terminate()
    await expectGone(stop, "connections that were never used do not keep the service", patience)
    const ends = await Promise.all(connections.map((connection) => connection.closed))
    stop.notes["unused closed after"] = after(stop, Math.max(...ends.map((end) => end.at)))
  }
}
