/** WebSocket clients that behave: all they need is to be told. */
import type { Scenario, Stop } from "../Scenario.js"
import type { Member } from "./Clients.js"
import { after, counted, expectGone, join } from "./Clients.js"

/** How soon "at once" is, in milliseconds. */
const atOnce = 1000

/** How long the service may take when every client answers its close, in milliseconds. */
const handshakes = 5000

/** Says what `members` were told, and expects it to be code 1001 (going away), at once. Ends when their connections have, or were left by the service. */
export const expectTold = async (stop: Stop, members: ReadonlyArray<Member>): Promise<void> => {
  const closings = await Promise.all(
    members.map(({ wire }) => Promise.race([wire.closing, stop.exited.then(() => wire.closing)]))
  )
  const codes = counted(
    closings.map((closing) => (closing === undefined ? "no close" : String(closing.code)))
  )
  stop.notes["close codes"] = codes
  stop.expect(
    "WebSocket clients are told with code 1001",
    members.length > 0 && closings.every((closing) => closing?.code === 1001),
    codes
  )
  const told = closings.flatMap((closing) => (closing === undefined ? [] : [after(stop, closing.at)]))
  if (told.length > 0) {
    const last = Math.max(...told)
    stop.notes["told after"] = last
    stop.expect("WebSocket clients are told at once", last <= atOnce, `the last ${last} ms after the signal`)
  }
  const signalledAt = stop.signalledAt()!
  const noticed = members.filter(({ wire }) => wire.said.some((said) => said.at >= signalledAt))
  stop.notes["notice before the close"] = `${noticed.length} of ${members.length}`
  const faults = members.flatMap(({ wire }) => wire.fault ?? [])
  stop.expect(
    "WebSocket clients are told in the protocol's own frames",
    faults.length === 0,
    faults.join(", ")
  )
}

/** Eight clients, half of which talk. Each is told with 1001, and the service need not wait for anybody. */
export const webSocketClients: Scenario = {
  id: "web-sockets",
  title: "eight WebSocket clients that answer the close",
  scenarios: [6],
  needs: ["ws"],
  settings: { SHUTDOWN_ANNOUNCE_DELAY: "0" },
  run: async (stop) => {
    const members = await join(stop, 8)
    for (const { wire } of members.slice(0, 4)) wire.send("hello")
    await stop.pause(200)
    stop.terminate()
    await expectTold(stop, members)
    await expectGone(stop, "WebSocket clients that answer do not keep the service", handshakes)
    const ends = await Promise.all(members.map(({ connection }) => connection.closed))
    stop.expect(
      "WebSocket connections end without a reset",
      ends.every((end) => end.ending !== "reset"),
      counted(ends.map((end) => end.ending))
    )
  }
}
