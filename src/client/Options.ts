/**
 * What an application says to the client, and what the client says to it.
 *
 * @module
 */
import type * as Protocol from "../realtime/Protocol.js"
import type { Backoff } from "./Backoff.js"
import type { Patience } from "./Link.js"
import type { Close, SocketConstructor } from "./Socket.js"
import type { Schedule } from "./Timers.js"

/** Something that happened, once and in order. `channel` is the first of the session's channels that carry it. */
export type Event = typeof Protocol.Event.Type

/**
 * Events with `from < id <= to` may be missing, which cannot be helped: the server does not keep them any more (`retention`), or it has never had them (`ahead`): another
 * database, whose ids begin anew after `from`. What an application has learnt from events it should now read afresh.
 */
export type Gap = typeof Protocol.Gap.Type

/** Somebody speaks to all clients. */
export type Notice = typeof Protocol.Notice.Type

/** Everything that a server says. */
export type ServerMessage = Protocol.ServerMessage

/** What a page keeps to go on after it was loaded again: plain data, fit for JSON. Whoever has the token can take over the session. */
export interface ResumeState {
  /** Proves whose session it is. Without one a session begins, at the same event. */
  readonly token?: string
  /** The last event that was dealt with. */
  readonly lastEventId: number
  /** The channels that are wanted. */
  readonly channels: ReadonlyArray<string>
}

/** How things are. */
export type State =
  | {
      /** An attempt to connect is under way. */
      readonly status: "connecting"
      /** Connections and attempts in a row that have ended, since there was a connection that lasted. */
      readonly failures: number
    }
  | {
      /** There is a connection, and events come. */
      readonly status: "open"
      /** Which session it is: for logs and questions, no secret. */
      readonly session: string
      /** Whether the server has gone on with an earlier session. Events are complete either way. */
      readonly resumed: boolean
    }
  | {
      /** The connection has ended, or there was none; another attempt follows. */
      readonly status: "waiting"
      /** As above. 0 when the server has said when to come back. */
      readonly failures: number
      /** When it follows, in milliseconds from now. */
      readonly delayMs: number
      /** How the connection has ended. */
      readonly close: Close
    }
  | {
      /** There is no connection, and there will be none unless {@link Client.reconnect} is called. */
      readonly status: "closed"
      /** How the server has ended it; absent after {@link Client.close}. */
      readonly close?: Close
    }

/** Something that was asked for was not done. */
export interface Refusal {
  /** As the protocol has it; `unreadable` for a message of the server that the client could not read. */
  readonly code: typeof Protocol.ErrorCode.Type | "unreadable"
  /** Why, in a sentence. */
  readonly message: string
  /** The channels that are not wanted any more because of it. */
  readonly channels: ReadonlyArray<string>
}

/**
 * What is called. Never from within a call of the application, so there is a client to call when it happens. What a handler throws is thrown again on its own, as in any
 * listener, and holds up nothing.
 */
export interface Handlers {
  /** Something has happened on a channel. Within the call, and after it, {@link Client.resumeState} counts the event as dealt with. */
  readonly onEvent?: (event: Event) => void
  /** Events are missing. */
  readonly onGap?: (gap: Gap) => void
  /** Somebody speaks to all clients. A notice is not kept: who is away misses it. */
  readonly onNotice?: (notice: Notice) => void
  /** Things have changed. */
  readonly onState?: (state: State) => void
  /** Something that was asked for was not done. */
  readonly onRefusal?: (refusal: Refusal) => void
  /** Everything that a server says, as it comes, also what comes twice or is not handed out: for logs. */
  readonly onMessage?: (message: ServerMessage) => void
}

/** What a client is made of. */
export interface Options extends Handlers {
  /** Where the server is: `wss://host/ws`; `https` is understood as well, and in pages a path is. */
  readonly url: string
  /**
   * What a server with `WS_AUTH_TOKEN` asks for. It goes into the query, where logs of proxies may see it: pages cannot send headers. In Node a {@link WebSocket} that sends it as
   * `Authorization` can be given in its place.
   */
  readonly token?: string | undefined
  /** Channels that are wanted from the beginning. Those of {@link session} when absent, else none. */
  readonly channels?: Iterable<string> | undefined
  /** What an earlier client has kept: it goes on there. */
  readonly session?: ResumeState | null | undefined
  /** The last event that was dealt with: it goes on after it, whatever {@link session} says. Events from now on when neither is there. */
  readonly lastEventId?: number | undefined
  /** The class of WebSockets. The global one; Node has none before version 22. */
  readonly WebSocket?: SocketConstructor | undefined
  /** How to back off between attempts. */
  readonly backoff?: Backoff
  /** How long to put up with silence. */
  readonly patience?: Patience
  /** Whether to connect again after an end. By default after all but 1008 (policy), 1009 (too big) and 4001 (the session was resumed elsewhere). */
  readonly reconnects?: (close: Close) => boolean
  /** Items that may wait for a loop over the client before it asks the server to wait. 10000. */
  readonly buffer?: number
  /** Numbers from 0 to 1, without 1. `Math.random`. */
  readonly random?: () => number
  /** Timers; those of the platform. */
  readonly schedule?: Schedule
}

/** What a loop over a client gets. */
export type Item = Event | Gap

/**
 * A client. As an `AsyncIterable` it gives what comes from the moment that a loop begins, at the pace of the loop: an item counts as dealt with when the next one is asked for. The loop ends
 * with {@link close}, and with an error when the server has ended it for good.
 */
export interface Client extends AsyncIterable<Item> {
  /** How things are. */
  readonly state: State
  /** The channels that are wanted; those that were refused are not among them. */
  readonly channels: ReadonlyArray<string>
  /**
   * Wants channels besides those that it has. Without a connection they are asked for with the next one, and their events begin with what that one begins with. Throws a `RangeError` for what
   * cannot be the name of a channel (1 to 200 printable ASCII characters without spaces) and for more than 1000 channels.
   */
  readonly subscribe: (...channels: ReadonlyArray<string>) => void
  /** Does not want these channels any more. What is on its way still comes. */
  readonly unsubscribe: (...channels: ReadonlyArray<string>) => void
  /** What to keep for {@link Options.session}; none as long as nothing is known of the server. */
  readonly resumeState: () => ResumeState | undefined
  /**
   * Connects now, without waiting any longer, or again after the end. Does nothing while there is a connection or an attempt. A session that somebody else has taken over is left to them:
   * another one begins at the same event. Throws as `connect` does.
   */
  readonly reconnect: () => void
  /** Ends it, with 1000. Nothing is called any more. */
  readonly close: () => void
}
