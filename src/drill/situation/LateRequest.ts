/** Requests that come on kept-alive connections when the stop is under way, while another one is still being answered. */
import type { Scenario, Stop } from "../Scenario.js"
import type { Connection } from "../wire/Connection.js"
import type { Sent } from "../wire/Outcome.js"
import { isAnswered, later, warm, word } from "./Clients.js"

/** How long after the signal they come, in milliseconds. */
const lateMillis = 300

const judge = (stop: Stop, where: string, sent: Sent): void => {
  const name = `late on ${where}`
  stop.notes[name] = word(sent)
  stop.expect(
    `a late request on ${where} is answered, or closed before it was sent`,
    isAnswered(sent) || sent.outcome === "refused" || sent.outcome === "late",
    `${word(sent)}, ${Math.round(sent.doneAt - sent.sentAt)} ms after it was sent`
  )
  if (isAnswered(sent))
    stop.expect(
      `the answer to a late request on ${where} says that it is the last`,
      sent.close === true,
      word(sent)
    )
}

/** An idle connection and one that was busy at the signal are used again 300 ms later; a request that takes longer keeps the drain going. */
export const lateRequest: Scenario = {
  id: "late-request",
  title: "requests on kept-alive connections 300 ms after the signal, while a slow one is answered",
  scenarios: [2, 13],
  needs: ["slow"],
  run: async (stop) => {
    const [one, idle, busy] = (await warm(stop, 3)) as [Connection, Connection, Connection]
    const slowest = stop.ask(one, stop.exchange("slow", { millis: 1000 }))
    const earlier = stop.ask(busy, stop.exchange("slow", { millis: 250 }))
    await stop.pause(100)
    stop.terminate()
    const askLate = async (connection: Connection): Promise<Sent> => {
      await stop.pause(lateMillis - stop.sinceSignal())
      return stop.ask(connection, stop.exchange("fast"))
    }
    const onIdle = later(askLate(idle))
    const before = await earlier
    // A client that was told to close does not ask again.
    if (isAnswered(before) && before.close !== true)
      judge(stop, "a connection that was busy", await askLate(busy))
    judge(stop, "an idle connection", await onIdle)
    const accepted = await Promise.all([slowest, earlier])
    stop.expect(
      "what was in flight at the signal gets its own answer",
      accepted.every((sent) => sent.outcome === "complete"),
      accepted.map(word).join("; ")
    )
  }
}
