/** A second signal while the first one's stop is waiting: whoever sends it has lost patience. */
import type { Scenario } from "../Scenario.js"
import { ending, warm, word } from "./Clients.js"

/** When it is sent, in milliseconds after the first. */
const secondMillis = 400

/** How long the rest may take then, in milliseconds: a second for what must be released, and time to go. */
const hurry = 2500

/** A request that would outlast the grace is in flight. The second signal cuts the waiting short, and the exit code says that it was forced. */
export const secondSignal: Scenario = {
  id: "second-signal",
  title: "a second signal 400 ms after the first, with a request in flight that takes longer than the grace",
  scenarios: [8, 20],
  needs: ["long"],
  exits: "any",
  lossesCount: false,
  run: async (stop) => {
    const [one] = await warm(stop, 1)
    const long = stop.ask(one!, stop.exchange("long"))
    await stop.pause(100)
    stop.terminate()
    const early = await Promise.race([stop.exited, stop.pause(secondMillis)])
    stop.expect(
      "the first signal alone waits for what is in flight",
      early === undefined,
      early === undefined ? "" : `gone with ${await ending(stop)} before the second signal`
    )
    const second = performance.now()
    stop.signal("SIGTERM")
    const { at } = await stop.exited
    const took = Math.max(0, Math.round(at - second))
    stop.notes["gone after the second signal"] = took
    stop.notes["forced exit"] = await ending(stop)
    stop.expect(
      "a second signal cuts the waiting short",
      took <= hurry,
      `gone ${took} ms after it; right is at most ${hurry} ms`
    )
    const { code } = await stop.exited
    stop.expect("a stop that was forced does not end with code 0", code !== 0, await ending(stop))
    stop.notes["request when forced"] = word(await long)
  }
}
