/**
 * Requests that arrive when the service closes something: its listener, its idle connections, its eyes.
 *
 * @module
 */
import type { Scenario, Stop } from "../Scenario.js"
import { times } from "../Scenario.js"
import type { Connection } from "../wire/Connection.js"
import { terminateAt } from "./KeptAlive.js"

const askAndLeave = async (stop: Stop, connection: Connection | undefined): Promise<void> => {
  if (connection === undefined) return
  await stop.ask(connection, stop.exchange("fast"))
  connection.giveUp()
}

/** A connection for each request, at a rate that does not wait for answers. */
export const openRate = async (stop: Stop, perSecond: number, beyond: number): Promise<void> => {
  const visits: Array<Promise<void>> = []
  const from = performance.now()
  const visit = async () => askAndLeave(stop, await stop.connect("GET on a new connection"))
  while (stop.sinceSignal() < beyond) {
    // Open loop: what is due by the clock is sent, however slow the answers are.
    while (visits.length < ((performance.now() - from) * perSecond) / 1000) visits.push(visit())
    await stop.pause(1)
  }
  await Promise.all(visits)
}

/** New connections up to the closing of the listener and beyond. */
export const newConnections: Scenario = {
  id: "new-connections",
  title: "500 new connections a second, up to the signal and 400 ms beyond",
  scenarios: [12],
  needs: ["fast"],
  run: async (stop) => {
    await Promise.all([terminateAt(stop, 600), openRate(stop, 500, 400)])
  }
}

/** POSTs at the moment at which idle connections are closed, whenever that is. */
export const postAtClosing: Scenario = {
  id: "post-at-closing",
  title:
    "kept-alive connections that were idle send one POST each, from 20 ms before the signal to 2.5 s after it",
  scenarios: [3],
  needs: ["fast", "echo"],
  run: async (stop) => {
    const begun = performance.now()
    const signalAt = 400
    const one = async (i: number) => {
      const connection = await stop.connect("connect")
      if (connection === undefined) return
      await stop.ask(connection, stop.exchange("fast"))
      // Most of them close to the signal, where most services close; the others where one waits before it does.
      const after = i % 4 === 0 ? stop.random() * 2500 : stop.random() * 140 - 20
      await stop.pause(signalAt + after - (performance.now() - begun), connection)
      if (connection.usable) await stop.ask(connection, stop.exchange("echo"))
    }
    await Promise.all([terminateAt(stop, signalAt), ...times(2 * stop.connections, one)])
  }
}

/** The service looks at no socket while everything arrives. */
export const blocked: Scenario = {
  id: "blocked",
  title: "the service is blocked at the signal, 160 new and 32 kept-alive requests meanwhile",
  scenarios: [12],
  needs: ["fast", "block"],
  run: async (stop) => {
    const asker = await stop.connect("connect")
    const kept = await Promise.all(times(32, () => stop.connect("connect")))
    const open = [asker, ...kept].filter((connection) => connection !== undefined)
    for (let i = 0; i < 10; i++) {
      await Promise.all(open.map((connection) => stop.ask(connection, stop.exchange("fast"))))
    }
    if (asker !== undefined) {
      await stop.ask(asker, stop.exchange("block", { millis: 30 }))
      asker.giveUp()
    }
    // The block begins soon after the answer; all of what follows falls into it.
    await stop.pause(5)
    const from = performance.now()
    stop.terminate()
    // Everybody leaves when answered: how long idle connections are kept is the subject of others.
    const visits: Array<Promise<unknown>> = []
    for (let i = 0; i < 160; i++) {
      while (performance.now() - from < i / 8) await stop.pause(1)
      visits.push(stop.connect("GET on a new connection").then((one) => askAndLeave(stop, one)))
      const neighbour = i % 5 === 0 ? kept[i / 5] : undefined
      if (neighbour !== undefined) visits.push(askAndLeave(stop, neighbour))
    }
    stop.notes["sent within (ms)"] = performance.now() - from
    await Promise.all(visits)
  }
}
