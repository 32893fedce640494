/**
 * Reads what a server says. The protocol's own decoder would bring all of `Schema` into the page, so what matters is checked here by hand; fields that
 * are not known stay, and messages that are not known are none.
 *
 * @module
 */
import type * as Protocol from "../realtime/Protocol.js"

type Fields = Readonly<Record<string, unknown>>

const isText = (value: unknown): value is string => typeof value === "string"
/** Whether this can be the id of an event. */
export const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const areChannels = (value: unknown): boolean => Array.isArray(value) && value.every(isText)

const checks: Record<Protocol.ServerMessage["op"], (fields: Fields) => boolean> = {
  connected: ({ channels, lastEventId, resumed, session, token }) =>
    isText(session) &&
    isText(token) &&
    typeof resumed === "boolean" &&
    areChannels(channels) &&
    isId(lastEventId),
  subscription_confirm: ({ channels, lastEventId }) => areChannels(channels) && isId(lastEventId),
  event: ({ channel, id, type }) => isId(id) && isText(channel) && isText(type),
  gap: ({ from, reason, to }) => isId(from) && isId(to) && isText(reason),
  pong: ({ lastEventId }) => lastEventId === undefined || isId(lastEventId),
  notice: ({ level, message, title }) => isText(title) && isText(message) && isText(level),
  server_shutdown: ({ reconnectAfterMs }) => Number.isFinite(reconnectAfterMs),
  bye: () => true,
  error: ({ code, message }) => isText(code) && isText(message)
}

/** What a message can be read as. */
export type Incoming =
  | Protocol.ServerMessage
  /** Of a newer server. */
  | "unknown"
  /** Not what the protocol says. */
  | "unreadable"

/** Reads one. Never throws. */
export const read = (data: unknown): Incoming => {
  if (!isText(data)) return "unreadable"
  let json: unknown
  try {
    json = JSON.parse(data)
  } catch {
    return "unreadable"
  }
  if (typeof json !== "object" || json === null) return "unreadable"
  const { op } = json as Fields
  if (!isText(op)) return "unreadable"
  if (!Object.hasOwn(checks, op)) return "unknown"
  return checks[op as keyof typeof checks](json as Fields) ? (json as Protocol.ServerMessage) : "unreadable"
}
