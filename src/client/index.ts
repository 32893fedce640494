/**
 * `stellar-insights/client`: a client of the hub of `stellar-insights/realtime`, for browsers and for Node. It needs nothing: a page can load this module as it
 * is. {@link connect} is all there is to call.
 *
 * ```ts
 * const client = connect({
 *   url: "/ws",
 *   channels: ["ledgers", "payments"],
 *   session: JSON.parse(sessionStorage.getItem("session") ?? "null"),
 *   onEvent: ({ channel, payload }) => show(channel, payload),
 *   onGap: () => readEverythingAgain()
 * })
 * addEventListener("pagehide", () => sessionStorage.setItem("session", JSON.stringify(client.resumeState())))
 * ```
 *
 * @module
 */
export { connect } from "./Client.js"
export type { Backoff } from "./Backoff.js"
export type { Patience } from "./Link.js"
export type {
  Client,
  Event,
  Gap,
  Handlers,
  Item,
  Notice,
  Options,
  Refusal,
  ResumeState,
  ServerMessage,
  State
} from "./Options.js"
export type { Close, Socket, SocketConstructor } from "./Socket.js"
export type { Schedule } from "./Timers.js"
