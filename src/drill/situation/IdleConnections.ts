/** Connections of a pool that nobody uses at the signal. */
import type { Scenario } from "../Scenario.js"
import { after, counted, expectGone, patience, warm } from "./Clients.js"

/** Eight kept-alive connections that are idle. They are closed, by FIN, and keep nobody for the length of a keep-alive timeout. */
export const idleConnections: Scenario = {
  id: "idle-connections",
  title: "eight idle kept-alive connections and nothing else",
  scenarios: [],
  needs: [],
  run: async (stop) => {
    const connections = await warm(stop, 8)
    await stop.pause(100)
    stop.terminate()
    await expectGone(stop, "idle connections do not keep the service", patience)
    const ends = await Promise.all(connections.map((connection) => connection.closed))
    stop.notes["idle closed after"] = after(stop, Math.max(...ends.map((end) => end.at)))
    stop.expect(
      "idle connections are closed without a reset",
      ends.every((end) => end.ending !== "reset"),
      counted(ends.map((end) => end.ending))
    )
  }
}
