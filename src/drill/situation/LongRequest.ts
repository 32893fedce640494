/** A request that takes longer than the service is given: it is cut, at the limit and not before, and the exit code says that something was. */
import type { Scenario } from "../Scenario.js"
import { after, ending, expectGone, warm, word } from "./Clients.js"

/** A request that is cut earlier than this part of the grace was not waited for. */
const early = 0.2

/** One request that would outlast the grace by far. */
export const longRequest: Scenario = {
  id: "long-request",
  title: "a request that takes longer than the grace",
  scenarios: [20],
  needs: ["long"],
  shortGrace: true,
  exits: "any",
  lossesCount: false,
  run: async (stop) => {
    const [one] = await warm(stop, 1)
    const long = stop.ask(one!, stop.exchange("long"))
    await stop.pause(100)
    stop.terminate()
    const sent = await long
    const cut = after(stop, sent.doneAt)
    stop.notes["cut after"] = cut
    stop.notes["cut as"] = word(sent)
    stop.expect(
      "a request in flight is waited for as long as the grace allows",
      cut >= stop.graceMillis * early,
      `${word(sent)} ${cut} ms after the signal`
    )
    await expectGone(stop, "a request longer than the grace does not outlast it", stop.graceMillis)
    const { code } = await stop.exited
    stop.notes["exit after a cut"] = await ending(stop)
    stop.expect("a stop that cut a request does not end with code 0", code !== 0, await ending(stop))
  }
}
