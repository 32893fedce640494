/** A signal that comes before the service is ready: the port must not open any more, and the process must end by itself. */
import type { Scenario, Stop } from "../Scenario.js"
import { after, ending, expectGone, later } from "./Clients.js"

/** When the signal comes, as parts of the time that the service usually takes to be ready; and that time while it is not known, in milliseconds. */
const moments = [0.02, 0.3, 0.6, 0.9]
const unknown = 500

/** A port that opens this soon after the signal was being opened already, in milliseconds. */
const crossing = 50

/** How long a service may take to end that has nothing to finish, in milliseconds: what is being acquired may be let come to its end. */
const limit = 10_000

/** Looks at the port until `done`; the first time of `performance.now()` at which it was open, if it ever was. */
const watch = async (stop: Stop, done: () => boolean): Promise<number | undefined> => {
  while (!done()) {
    const connection = await stop.connect()
    if (connection !== undefined) {
      connection.giveUp()
      return performance.now()
    }
    await stop.pause(10)
  }
  return undefined
}

const at = (part: number): Scenario => ({
  id: `signal-during-start-${Math.round(part * 100)}`,
  title: `a signal after ${Math.round(part * 100)} % of the time that a start takes`,
  scenarios: [10, 20],
  needs: [],
  begins: "started",
  exits: "any",
  run: async (stop) => {
    let gone = false
    void stop.exited.then(() => (gone = true))
    stop.ready.catch(() => {})
    const seen = later(watch(stop, () => gone))
    const millis = Math.round(part * (stop.usualReadyMillis ?? unknown))
    stop.notes["signal after the start"] = millis
    await Promise.race([stop.pause(millis), stop.exited])
    stop.terminate()
    const opened = await seen
    const opens = opened === undefined ? undefined : after(stop, opened)
    stop.notes["port at the start"] =
      opens === undefined ? "never opened" : opens <= crossing ? "open before the signal" : "opened after it"
    stop.expect(
      "the port does not open after a signal during the start",
      opens === undefined || opens <= crossing,
      opens === undefined ? "" : `open ${opens} ms after the signal`
    )
    await expectGone(stop, "a signal during the start ends the process", limit)
    stop.notes["exit during the start"] = await ending(stop)
  }
})

/** One for each moment. A process that has not yet asked for signals dies of one, which is right: there is nothing to release. */
export const signalDuringStart: ReadonlyArray<Scenario> = moments.map(at)
