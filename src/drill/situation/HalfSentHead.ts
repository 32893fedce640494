/** Requests of which only a part of the head has arrived at the signal. */
import type { Scenario, Stop } from "../Scenario.js"
import type { Connection } from "../wire/Connection.js"
import type { Sent } from "../wire/Outcome.js"
import { counted, expectGone, isAnswered, open, patience, word } from "./Clients.js"

/** How long after the signal the rest of a head is sent, in milliseconds. */
const pauseMillis = 100

/** The head of a whole request is the value of a field here, so that what completes this one is judged as any request is. */
const begin = (stop: Stop, connection: Connection): void =>
  connection.write(`GET ${stop.targets.fast} HTTP/1.1\r\nx-rest: `)

const complete = async (stop: Stop, connection: Connection): Promise<Sent> => {
  await stop.pause(pauseMillis)
  return stop.ask(connection, stop.exchange("fast"))
}

/** Two heads are completed soon after the signal, and must be answered; three never are, and must keep nobody. */
export const halfSentHead: Scenario = {
  id: "half-sent-head",
  title: "heads that are half sent at the signal: two are completed 100 ms later, three never",
  scenarios: [1],
  needs: [],
  run: async (stop) => {
    const connections = await open(stop, 5)
    for (const connection of connections) begin(stop, connection)
    await stop.pause(100)
    stop.terminate()
    const sent = await Promise.all(connections.slice(0, 2).map((connection) => complete(stop, connection)))
    stop.expect(
      "a request whose head was begun before the signal is answered",
      sent.every(isAnswered),
      `completed ${pauseMillis} ms after the signal: ${counted(sent.map(word))}`
    )
    await expectGone(stop, "heads that never end do not keep the service", patience)
  }
}
