/**
 * What clients and the hub say to each other: one JSON object per text message, told apart by `op`.
 *
 * This module needs nothing but `effect`, so clients, also in browsers, import it as it is. What a client sends is read strictly: a field
 * that is missing, too many, or of another kind is refused in one sentence. What the server sends may grow: clients ignore fields that they do
 * not know.
 *
 * @module
 */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

/** A channel's name: 1 to 200 printable ASCII characters without spaces. Which names exist is for the service to say. */
export const Channel = Schema.String.pipe(
  Schema.pattern(/^[\x21-\x7e]{1,200}$/, {
    message: () => "a channel's name has 1 to 200 printable ASCII characters, without spaces"
  })
)

/** An event's place in the order of all events: a whole number, strictly rising, the same on every instance. */
export const EventId = Schema.Int.pipe(
  Schema.between(0, Number.MAX_SAFE_INTEGER, {
    message: () => "an event's id is a whole number from 0 to 2^53 - 1"
  })
)

/** Names of channels in a request: at least one. */
const Channels = Schema.Array(Channel).pipe(Schema.minItems(1), Schema.maxItems(1000))

/** Asks for the events of some channels from now on, besides those that it has. Answered with {@link SubscriptionConfirm}. */
export const Subscribe = Schema.Struct({ op: Schema.Literal("subscribe"), channels: Channels })

/** Asks for no more events of some channels; those that it does not have are ignored. Answered with {@link SubscriptionConfirm}. */
export const Unsubscribe = Schema.Struct({ op: Schema.Literal("unsubscribe"), channels: Channels })

/** Asks for a {@link Pong}; `nonce` comes back with it. WebSocket's own pings are answered as well. */
export const Ping = Schema.Struct({
  op: Schema.Literal("ping"),
  nonce: Schema.optional(Schema.String.pipe(Schema.maxLength(100)))
})

/**
 * Goes on with an earlier session: answered with {@link Connected}, then everything after `lastEventId`, then live events. `lastEventId` is
 * the highest id that the client has dealt with: of an event or a `pong`, of the first `connected`, or of a `subscription_confirm` while nothing is being resumed. The
 * greeting of a later connection does not count: what came between is still to be resumed.
 *
 * `channels`, when given, are those that the client wants, whatever the session says. With them events are resumed even when the session is not
 * known any more, in the session of this connection.
 */
export const Resume = Schema.Struct({
  op: Schema.Literal("resume"),
  token: Schema.String.pipe(Schema.minLength(1), Schema.maxLength(200)),
  lastEventId: EventId,
  channels: Schema.optional(Channels)
})

/** Everything that a client says. */
export const ClientMessage = Schema.Union(Subscribe, Unsubscribe, Ping, Resume)

/** Everything that a client says. */
export type ClientMessage = typeof ClientMessage.Type

/** The first word, and the answer to {@link Resume}. */
export const Connected = Schema.Struct({
  op: Schema.Literal("connected"),
  /** Which session this is: for logs and questions, no secret. */
  session: Schema.String,
  /** What {@link Resume} takes: whoever has it can go on with the session. */
  token: Schema.String,
  /** Whether it is an earlier session. */
  resumed: Schema.Boolean,
  /** The channels of the session. */
  channels: Schema.Array(Schema.String),
  /** Client messages handled in the session so far, over all its connections. */
  total: Schema.Int,
  /** Events after this one follow. */
  lastEventId: EventId
})

/** The channels that a session has now, all of them. Events after `lastEventId` follow. */
export const SubscriptionConfirm = Schema.Struct({
  op: Schema.Literal("subscription_confirm"),
  channels: Schema.Array(Schema.String),
  lastEventId: EventId
})

/** Something that happened. It comes once, also when several of the session's channels carry it: `channel` is the first of them. */
export const Event = Schema.Struct({
  op: Schema.Literal("event"),
  id: EventId,
  channel: Schema.String,
  /** What kind of event it is, in the service's words. */
  type: Schema.String,
  payload: Schema.Unknown
})

/** Why events are missing. */
export const GapReason = Schema.Literal(
  /** The log does not keep them any more. */
  "retention",
  /** The client did not read fast enough, and the hub keeps only so much for it. */
  "slow",
  /** The client asked for what comes after an event that has not happened here: another database. Nothing can be said of what it missed. */
  "ahead"
)

/** Events with `from < id <= to` may be missing; those after it follow. */
export const Gap = Schema.Struct({
  op: Schema.Literal("gap"),
  from: EventId,
  to: EventId,
  reason: GapReason,
  message: Schema.String
})

/** The answer to {@link Ping}. */
export const Pong = Schema.Struct({
  op: Schema.Literal("pong"),
  nonce: Schema.optional(Schema.String),
  /**
   * Whoever has channels has got everything up to this one: what to resume from, also where the last event was long ago. Absent without channels.
   */
  lastEventId: Schema.optional(EventId)
})

/** How much a notice matters. */
export const NoticeLevel = Schema.Literal("info", "warning", "error", "success")

/** What a broadcast says. */
export const NoticeContent = Schema.Struct({
  title: Schema.String,
  message: Schema.String,
  level: NoticeLevel
})

/** Somebody speaks to all clients. */
export const Notice = Schema.Struct({ op: Schema.Literal("notice"), ...NoticeContent.fields })

/** The server will close soon. Events go on until {@link Bye}. */
export const ServerShutdown = Schema.Struct({
  op: Schema.Literal("server_shutdown"),
  message: Schema.String,
  /** How long to wait after the close before connecting again, in milliseconds: every client has another time. */
  reconnectAfterMs: Schema.Int
})

/** The last word: what is sent after it is not handled. The close with code 1001 follows. */
export const Bye = Schema.Struct({
  op: Schema.Literal("bye"),
  bye: Schema.Literal(true),
  /** Client messages handled in the session, over all its connections. */
  total: Schema.Int,
  message: Schema.String
})

/** What was wrong. */
export const ErrorCode = Schema.Literal(
  /** It could not be read. The third refusal in a row closes with 1008. */
  "malformed",
  /** There is no such channel. Counts as a refusal. */
  "unknown_channel",
  /** More channels than a session may have. Counts as a refusal. */
  "too_many_channels",
  /** Faster than allowed: it was not handled. Whoever goes on is closed with 1008. */
  "too_many_messages",
  /** No session has this token: it has expired, or was never saved. */
  "unknown_session",
  /** It cannot be done now; the connection closes with 1013, and the client may try again. */
  "unavailable"
)

/** Something was not done. */
export const Refused = Schema.Struct({
  op: Schema.Literal("error"),
  code: ErrorCode,
  message: Schema.String,
  /** With `unknown_channel`, which one it is; the others of the request were not looked at. */
  channel: Schema.optional(Schema.String)
})

/** Everything that the server says. */
export const ServerMessage = Schema.Union(
  Connected,
  SubscriptionConfirm,
  Event,
  Gap,
  Pong,
  Notice,
  ServerShutdown,
  Bye,
  Refused
)

/** Everything that the server says. */
export type ServerMessage = typeof ServerMessage.Type

/** Codes that the hub closes with. */
export const CloseCode = {
  /** The server is stopping: come back after the time that `server_shutdown` said. */
  goingAway: 1001,
  /** Three refusals in a row, or a flood. */
  policy: 1008,
  /** The client reads too slowly, or something is missing here: try again later. */
  tryAgainLater: 1013,
  /** The session was resumed on another connection. */
  resumedElsewhere: 4001
} as const

const decoders = {
  subscribe: Schema.decodeUnknownEither(Subscribe),
  unsubscribe: Schema.decodeUnknownEither(Unsubscribe),
  ping: Schema.decodeUnknownEither(Ping),
  resume: Schema.decodeUnknownEither(Resume)
} as const

const known = Object.keys(decoders).join(", ")

const short = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most)}…` : text)

/** Reads what a client sent, or says in a sentence what is wrong with it. */
export const decodeClient = (text: string): Either.Either<ClientMessage, string> => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return Either.left("this is not JSON")
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    return Either.left(`a message is an object with "op", which is one of ${known}`)
  }
  const { op } = json as { readonly op?: unknown }
  if (typeof op !== "string" || !Object.hasOwn(decoders, op)) {
    const said = op === undefined ? "there is no op" : `op ${short(JSON.stringify(op), 50)} is not known`
    return Either.left(`${said}; it is one of ${known}`)
  }
  const decode: (input: unknown, options: object) => Either.Either<ClientMessage, ParseResult.ParseError> =
    decoders[op as keyof typeof decoders]
  return Either.mapLeft(decode(json, { onExcessProperty: "error" }), (error) => {
    const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
    const path = issue === undefined ? "" : short(issue.path.map(String).join("."), 80)
    const what = issue === undefined ? error.message : issue.message
    return `${op}: ${path === "" ? "" : `${path}: `}${short(what, 200)}`
  })
}

/** Reads what a server sent; fields that are not known are left out. For clients. */
export const decodeServer: (text: string) => Either.Either<ServerMessage, ParseResult.ParseError> =
  Schema.decodeUnknownEither(Schema.parseJson(ServerMessage))
