/** The service comes back: the port is free again at once, whatever was connected, and nothing is left that stands in the way. */
import type { Scenario } from "../Scenario.js"
import { warm } from "./Clients.js"

/** Clients are connected and one is being answered at the signal; when the process is gone it is started again with the same port. */
export const restart: Scenario = {
  id: "restart",
  title: "a stop with clients connected, and a start right after it",
  scenarios: [],
  needs: [],
  run: async (stop) => {
    await warm(stop, 8)
    await stop.pause(100)
    stop.terminate()
    await stop.exited
    try {
      const millis = Math.round(await stop.restart())
      stop.notes["ready again in"] = millis
      stop.expect("the service starts again after its stop", true, `ready in ${millis} ms`)
    } catch (error) {
      stop.expect("the service starts again after its stop", false, String(error))
    }
  }
}
