/**
 * The connection over which events come, and its story in a line: what the service says when it stops, how long it was away, how many events were caught up afterwards, and
 * whether any is missing.
 */
import {
  connect,
  type Client,
  type Event,
  type Gap,
  type ServerMessage,
  type State
} from "../client/index.js"
import * as Format from "./Format.js"
import * as Time from "./Time.js"

/** How things are, for the mark beside the line. */
export type Kind = "connecting" | "live" | "stopping" | "away" | "closed"

/** The line. */
export interface Line {
  readonly kind: Kind
  readonly text: string
  /** When the next attempt is due, in milliseconds since 1970; none when none is. */
  readonly nextAt: number | undefined
}

/** What a line is for a journal: another entry, a better text of the last one, or nothing to remember. */
export type Weight = "news" | "amends" | "passing"

/** How an event came: as it happened, or afterwards since the connection was away when it did. */
export type Came = "live" | "caught"

/** What is called. */
export interface Handlers {
  readonly onEvent: (event: Event, came: Came) => void
  /** Events may be missing. */
  readonly onGap: (gap: Gap) => void
  /** There is a connection; `awayMs` since the last one ended, none for the first. */
  readonly onOpen: (awayMs: number | undefined) => void
  /** The line is another one. */
  readonly onLine: (line: Line, weight: Weight) => void
  /** The service is about to stop. */
  readonly onStopping: () => void
  /** An attempt to connect has come to nothing. */
  readonly onRefused: () => void
}

/** Channels that the page shows. */
const channels = ["ledgers", "payments", "tasks", "notices"]

/** A short first wait: people are looking. */
const backoff = { baseMs: 500, capMs: 5000 }

/** Codes after which the service did not just go away. */
const reasons: Readonly<Record<number, string>> = {
  1008: "the service does not want this connection",
  1009: "a message was too long",
  4001: "another page goes on with this session"
}

const secondsOf = (millis: number) => `${(millis / 1000).toFixed(1)} s`

/** Connects, and tells. */
export const open = (handlers: Handlers, token: string | undefined): Client => {
  let lostAt: number | undefined
  let wasOpen = false
  let isGreeted = false
  /** Where the service was when it greeted us: what comes up to there is caught up. */
  let head = 0
  let returned: { readonly awayMs: number; caught: number; missing: boolean } | undefined

  const tell = (kind: Kind, text: string, options: { nextAt?: number; weight?: Weight } = {}) =>
    handlers.onLine({ kind, text, nextAt: options.nextAt }, options.weight ?? "news")

  const tellReturn = (weight: Weight) => {
    if (returned === undefined) return
    const { awayMs, caught, missing } = returned
    const lost = missing ? "some are not kept any more" : "none lost"
    tell(
      "live",
      `Reconnected after ${secondsOf(awayMs)}, ${Format.plural(caught, "event")} caught up, ${lost}.`,
      {
        weight
      }
    )
  }

  const onMessage = (message: ServerMessage) => {
    if (message.op === "server_shutdown") {
      handlers.onStopping()
      tell(
        "stopping",
        `The service is stopping. It asks to come back ${secondsOf(message.reconnectAfterMs)} later.`
      )
    }
    if (message.op === "connected" && !isGreeted) {
      isGreeted = true
      head = message.lastEventId
    }
  }

  const onState = (state: State) => {
    switch (state.status) {
      case "connecting":
        return tell(
          wasOpen ? "away" : "connecting",
          wasOpen ? "Connecting again." : "Connecting to the live events.",
          {
            weight: "passing"
          }
        )
      case "open": {
        const awayMs = wasOpen && lostAt !== undefined ? Time.now() - lostAt : undefined
        wasOpen = true
        lostAt = undefined
        returned = awayMs === undefined ? undefined : { awayMs, caught: 0, missing: false }
        handlers.onOpen(awayMs)
        if (returned === undefined) tell("live", "Live: events come as they happen.")
        else tellReturn("news")
        return
      }
      case "waiting": {
        isGreeted = false
        const isFirst = lostAt === undefined
        lostAt ??= Time.now()
        const nextAt = Time.now() + state.delayMs
        if (state.close.code === 1001)
          return tell("stopping", "The service has stopped, and said when to come back.", { nextAt })
        handlers.onRefused()
        const text = wasOpen ? "The connection is lost." : "There is no connection."
        return tell("away", text, { nextAt, weight: isFirst ? "news" : "passing" })
      }
      case "closed": {
        const why = reasons[state.close?.code ?? 0] ?? "the service has closed it"
        return tell("closed", `No live events: ${why}.`)
      }
    }
  }

  return connect({
    url: "/ws",
    token,
    channels,
    backoff,
    onMessage,
    onState,
    onEvent: (event) => {
      const came = returned !== undefined && event.id <= head ? "caught" : "live"
      if (came === "caught" && returned !== undefined) {
        returned.caught += 1
        tellReturn("amends")
      }
      handlers.onEvent(event, came)
    },
    onGap: (gap) => {
      if (returned !== undefined) returned.missing = true
      tellReturn("amends")
      handlers.onGap(gap)
    }
  })
}
