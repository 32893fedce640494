/**
 * What the clients of several situations have in common.
 *
 * @module
 */
import type { Stop } from "../Scenario.js"
import type { Connection } from "../wire/Connection.js"
import type { Exchange } from "../wire/Exchange.js"
import type { Sent } from "../wire/Outcome.js"
import { type Manner, WebSocketWire, upgrade } from "../wire/WebSocketWire.js"

/** How long a service may stay when nobody but idle clients could still want something of it, in milliseconds: a grace of two seconds, and time to go. */
export const patience = 3000

/** Opens connections that send nothing yet; those that are refused are left out. */
export const open = async (stop: Stop, count: number): Promise<ReadonlyArray<Connection>> => {
  const connections = await Promise.all(Array.from({ length: count }, () => stop.connect("connect")))
  return connections.filter((connection) => connection !== undefined)
}

/** Opens connections that have had an answer each, as those in a pool have. */
export const warm = async (stop: Stop, count: number): Promise<ReadonlyArray<Connection>> => {
  const connections = await open(stop, count)
  await Promise.all(connections.map((connection) => stop.ask(connection, stop.exchange("fast"))))
  return connections
}

/** What is begun now and awaited later: that it fails meanwhile, as when the drill is interrupted, is no failure that nobody handles. */
export const later = <A>(promise: Promise<A>): Promise<A> => {
  promise.catch(() => undefined)
  return promise
}

/** A WebSocket client, and what is under it. */
export interface Member {
  /** The connection. */
  readonly connection: Connection
  /** What is spoken on it. */
  readonly wire: WebSocketWire
}

/** Opens WebSockets; those that do not open are recorded as any request is, and left out. */
export const join = async (
  stop: Stop,
  count: number,
  manner: Manner = "polite"
): Promise<ReadonlyArray<Member>> => {
  const connections = await open(stop, count)
  const members = await Promise.all(
    connections.map(async (connection) => {
      const sent = await stop.ask(connection, upgrade(stop.targets.ws!))
      return sent.outcome === "complete"
        ? { connection, wire: new WebSocketWire(connection, manner) }
        : undefined
    })
  )
  return members.filter((member) => member !== undefined)
}

/** The exchange with nothing but its status judged: what the caller knows of a body holds for the answer that is usual. */
export const byStatus = (exchange: Exchange): Exchange => {
  const { check: _, ...rest } = exchange
  return rest
}

/** Milliseconds from the first signal to `at`, for people. */
export const after = (stop: Stop, at: number): number => Math.round((at - stop.signalledAt()!) * 10) / 10

/** What became of a request, in a word or two. */
export const word = (sent: Sent): string => {
  if (sent.status !== undefined) return `${sent.status}${sent.close === true ? ", close" : ""}`
  if (sent.outcome === "refused") return "closed before"
  return sent.ending === undefined || sent.outcome === "hung"
    ? sent.outcome
    : `${sent.outcome} (${sent.ending})`
}

/** Equal words counted: `1001 x8`, `1005 x2, none x1`. */
export const counted = (words: ReadonlyArray<string>): string => {
  const counts = new Map<string, number>()
  for (const one of words) counts.set(one, (counts.get(one) ?? 0) + 1)
  return [...counts].map(([one, count]) => `${one} x${count}`).join(", ") || "none"
}

/** Whether a whole answer came, be it that the service is going. */
export const isAnswered = (sent: Sent): boolean => sent.outcome === "complete" || sent.outcome === "declined"

/** Waits for the exit and expects it at most `millis` after the first signal (and within the grace). */
export const expectGone = async (stop: Stop, name: string, millis: number): Promise<void> => {
  const { at } = await stop.exited
  const limit = Math.min(millis, stop.graceMillis)
  const gone = after(stop, at)
  stop.expect(name, gone <= limit, `gone ${gone} ms after the signal; right is at most ${limit} ms`)
}

/** How the process ended, in a word. */
export const ending = async (stop: Stop): Promise<string> => {
  const { code, signal } = await stop.exited
  return code === null ? String(signal) : `code ${code}`
}
