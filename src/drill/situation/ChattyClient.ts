/** Clients that ask again sooner than any timeout of idle connections: only being told ends them. */
import type { Scenario, Stop } from "../Scenario.js"
import type { Connection } from "../wire/Connection.js"
import type { Exchange } from "../wire/Exchange.js"
import type { Sent } from "../wire/Outcome.js"
import { expectGone, isAnswered, later, patience, warm } from "./Clients.js"

/** The pause between an answer and the next request, in milliseconds. */
const every = 50

/** A request that is sent this soon after the signal may have crossed it, in milliseconds. */
const crossing = 50

/** Every other client asks for something slow where there is such a thing, so that some are being answered at the signal and some are not. */
const choose = (stop: Stop, nth: number): Exchange =>
  nth % 2 === 1 && stop.targets.slow !== undefined
    ? stop.exchange("slow", { millis: 150 })
    : stop.exchange("fast")

const poll = async (stop: Stop, connection: Connection, nth: number): Promise<ReadonlyArray<Sent>> => {
  const all: Array<Sent> = []
  // A server that answers for ever has been found out by then.
  while (connection.usable && stop.sinceSignal() < patience + 500) {
    all.push(await stop.ask(connection, choose(stop, nth)))
    await stop.pause(every, connection)
  }
  return all
}

/** Four clients poll until they are told to stop. Right is one more answer, which says so. */
export const chattyClient: Scenario = {
  id: "chatty-client",
  title: "four clients that poll every 50 ms on their connections",
  scenarios: [4],
  needs: [],
  run: async (stop) => {
    const polls = (await warm(stop, 4)).map((connection, nth) => later(poll(stop, connection, nth)))
    await stop.pause(300)
    stop.terminate()
    const sent = await Promise.all(polls)
    const from = stop.signalledAt()! + crossing
    const answers = sent.map((all) => all.filter((one) => one.sentAt > from && isAnswered(one)).length)
    stop.expect(
      "a client that keeps asking gets at most one more answer",
      answers.every((count) => count <= 1),
      `answers to requests from ${crossing} ms after the signal on: ${answers.join(", ")}`
    )
    await expectGone(stop, "a client that keeps asking does not keep the service", patience)
  }
}
