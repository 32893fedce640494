/** Answers that are given before the body was read, as a 413 is: the sender must get through before it reads, or it sees a broken pipe in place of the answer. */
import type { Scenario, Stop } from "../Scenario.js"
import type { Connection } from "../wire/Connection.js"
import type { Sent } from "../wire/Outcome.js"
import { byStatus, counted, later, warm, word } from "./Clients.js"

/** More than a service is likely to take. */
const body = Buffer.alloc(4 * 1024 * 1024, "x")

/** How long sending takes, in milliseconds. */
const sendMillis = 600

/** A client that reads when it has sent everything, as most do. A 2xx is as right as a refusal; a service may take such a body. */
const send = async (stop: Stop, connection: Connection): Promise<Sent> => {
  const exchange = byStatus(stop.exchange("upload", { sendMillis, accept: [200, 201, 202, 204, 413] }))
  const sent = stop.ask(connection, { ...exchange, body })
  connection.stopReading()
  await stop.pause(sendMillis + 100)
  connection.startReading()
  return sent
}

const upload = (stop: Stop, connection: Connection): Promise<Sent> => later(send(stop, connection))

/** Two bodies are on their way at the signal, and one begins 100 ms after it. */
export const earlyRefusal: Scenario = {
  id: "early-refusal",
  title: "bodies of 4 MiB that are still being sent when the service refuses them, read afterwards",
  scenarios: [],
  needs: ["upload"],
  run: async (stop) => {
    const [one, two, three] = (await warm(stop, 3)) as [Connection, Connection, Connection]
    const uploads = [upload(stop, one)]
    await stop.pause(200)
    uploads.push(upload(stop, two))
    await stop.pause(100)
    stop.terminate()
    await stop.pause(100, three)
    if (three.usable) uploads.push(upload(stop, three))
    const sent = await Promise.all(uploads)
    stop.expect(
      "an answer that came before the body was read reaches its client",
      sent.every((one) => one.status !== undefined || one.outcome === "refused" || one.outcome === "late"),
      counted(sent.map(word))
    )
  }
}
