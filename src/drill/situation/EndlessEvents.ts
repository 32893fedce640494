/** Responses without an end, as Server-Sent Events are: nobody waits for them, yet they are not torn off without a word either. */
import type { Scenario } from "../Scenario.js"
import { after, counted, expectGone, open } from "./Clients.js"

/** A stream that is cut earlier than this part of the grace was not given the chance to end. */
const early = 0.2

/** How long a stream may take to begin, in milliseconds. */
const patience = 5000

/** Four subscribers. Right is that the stream ends itself when it is told of the stop, or is cut at the limit. */
export const endlessEvents: Scenario = {
  id: "endless-events",
  title: "four subscribers of a stream without an end",
  scenarios: [15],
  needs: ["sse"],
  shortGrace: true,
  exits: "any",
  lossesCount: false,
  run: async (stop) => {
    const connections = await open(stop, 4)
    const pieces: Array<number> = connections.map(() => 0)
    let last = ""
    const answers = connections.map((connection, i) =>
      stop.ask(
        connection,
        stop.exchange("sse", {
          onBody: (piece) => {
            pieces[i]!++
            last = piece.toString("utf8").slice(-200)
          }
        })
      )
    )
    const flows = () => pieces.every((count) => count > 0)
    for (let waited = 0; waited < patience && !flows(); waited += 20) await stop.pause(20)
    await stop.pause(200)
    stop.expect("the stream flows before the signal", flows(), `pieces: ${pieces.join(", ")}`)
    stop.terminate()
    const sent = await Promise.all(answers)
    const ends = sent.map((one) => after(stop, one.doneAt))
    stop.notes["streams ended"] = counted(
      sent.map((one) => (one.outcome === "complete" ? "whole" : one.outcome))
    )
    stop.notes["streams ended after"] = Math.max(...ends)
    stop.notes["last of a stream"] = last.trim()
    stop.expect(
      "a stream without an end is ended whole, or cut at the limit",
      sent.every((one, i) => one.outcome === "complete" || ends[i]! >= stop.graceMillis * early),
      sent.map((one, i) => `${one.outcome} after ${ends[i]} ms`).join("; ")
    )
    await expectGone(stop, "streams without an end do not keep the service", stop.graceMillis)
  }
}
