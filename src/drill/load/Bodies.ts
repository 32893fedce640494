/**
 * Bodies that are under way at the signal, in both directions, and everything at once.
 *
 * @module
 */
import type { Scenario, Stop } from "../Scenario.js"
import { times } from "../Scenario.js"
import type { Exchange } from "../wire/Exchange.js"
import { openRate } from "./Arrivals.js"
import { client, mixed, terminateAt } from "./KeptAlive.js"

const untilSignal = (stop: Stop, opensAt: number, next: () => Exchange, leaves: boolean) =>
  client(stop, {
    opensAt,
    leaves,
    first: 0,
    think: () => 0,
    next,
    more: () => stop.signalledAt() === undefined
  })

const upload = (stop: Stop, i: number, millis: number) =>
  untilSignal(stop, i * 40, () => stop.exchange("upload", { sendMillis: millis }), false)

// Their heads were out before the signal, so nothing can tell these clients to close; they do so by themselves, as downloads do.
const download = (stop: Stop, i: number, millis: number) =>
  untilSignal(stop, i * 40 + 20, () => stop.exchange("stream", { millis }), true)

/** Request bodies that are being sent. */
export const uploads: Scenario = {
  id: "slow-uploads",
  title: "16 uploads of 800 ms in flight at the signal",
  scenarios: [],
  needs: ["upload"],
  run: async (stop) => {
    await Promise.all([terminateAt(stop, 700), ...times(16, (i) => upload(stop, i, 800))])
  }
}

/** Responses that are being sent. */
export const streams: Scenario = {
  id: "streams",
  title: "16 streamed responses in flight at the signal",
  scenarios: [],
  needs: ["stream"],
  run: async (stop) => {
    await Promise.all([terminateAt(stop, 700), ...times(16, (i) => download(stop, i, 800))])
  }
}

/** All that the given paths allow, side by side. */
export const everything: Scenario = {
  id: "everything",
  title: "kept-alive and new connections, slow requests, uploads, streams and pipelines at once",
  scenarios: [2, 3, 12, 13],
  needs: ["fast"],
  run: async (stop) => {
    const { slow, stream, upload: uploaded } = stop.targets
    const pipeline = async () => {
      const connection = await stop.connect("connect")
      while (connection?.usable === true && stop.sinceSignal() < 300) {
        await stop.pipeline(connection, [stop.exchange("fast"), mixed(stop, 0), stop.exchange("fast")])
        await stop.pause(stop.random() * 30, connection)
      }
      connection?.giveUp()
    }
    await Promise.all([
      terminateAt(stop, 1000),
      openRate(stop, 150, 300),
      ...times(stop.connections, (i) =>
        client(stop, {
          opensAt: i * 2,
          first: 0,
          think: () => stop.random() * (i % 2 === 0 ? 40 : 1500),
          next: () => mixed(stop, i),
          more: () => stop.sinceSignal() < 1500
        })
      ),
      ...times(4, pipeline),
      ...(slow === undefined
        ? []
        : times(8, (i) => untilSignal(stop, i * 30, () => stop.exchange("slow", { millis: 400 }), false))),
      ...(uploaded === undefined ? [] : times(8, (i) => upload(stop, i, 800))),
      ...(stream === undefined ? [] : times(8, (i) => download(stop, i, 800)))
    ])
  }
}
