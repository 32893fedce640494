/**
 * What the hub puts up with, and how it treats its clients.
 *
 * | key | default | allowed |
 * |---|---|---|
 * | `WS_AUTH_TOKEN` | none: anyone may connect | 16 to 256 printable ASCII characters without comma or space |
 * | `WS_ORIGINS` | `*` | origins that pages may connect from, separated by commas; `*` is any |
 * | `WS_HEARTBEAT` | 30 s | 100 ms to 10 min |
 * | `WS_MAX_MESSAGE` | 64 KiB | 1 KiB to 16 MiB |
 * | `WS_MESSAGE_RATE` | 50 a second | 1 to 10000 |
 * | `WS_MAX_CONNECTIONS` | 20000 | 1 to 1000000 |
 * | `WS_MAX_PER_ADDRESS` | 2000 | 1 to 1000000 |
 * | `WS_MAX_CHANNELS` | 100 a client | 1 to 10000 |
 * | `WS_QUEUE` | 1 MiB a client | 16 KiB to 64 MiB |
 * | `WS_SLOW_CLIENTS` | `drop-oldest` | `drop-oldest`, `close` |
 * | `WS_SESSION_INTERVAL` | 10 s | 100 ms to 10 min |
 * | `WS_SESSION_TTL` | 1 h | 1 min to 7 days |
 * | `WS_RECONNECT_SPREAD` | 5 s | 0 to 10 min |
 *
 * @module
 */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as HttpServerConfig from "../http/HttpServerConfig.js"
import * as ConfigText from "../lifecycle/ConfigText.js"
import * as DurationConfig from "../lifecycle/DurationConfig.js"

/** What becomes of a client that reads more slowly than events come. */
export type SlowClients =
  /** The oldest events that wait for it are dropped, and a `gap` says so. */
  | "drop-oldest"
  /** It is closed with 1013; when it resumes it gets everything from the log. */
  | "close"

/** The settings of a hub. */
export interface HubConfig {
  /** What a client must bring, as `Authorization: Bearer` or `?token=`. `WS_AUTH_TOKEN`; none lets anyone in. */
  readonly authToken: Option.Option<Redacted.Redacted>
  /** Origins that pages may connect from, lower case; none is any. Who sends no `Origin` is no page, and let in. `WS_ORIGINS`. */
  readonly origins: Option.Option<ReadonlySet<string>>
  /** Time between two pings; a client that has left two unanswered is dead at the next. `WS_HEARTBEAT`, 30 s. */
  readonly heartbeat: Duration.Duration
  /** The longest message of a client, in bytes; beyond it the connection closes with 1009. `WS_MAX_MESSAGE`, 64 KiB. */
  readonly maxMessage: number
  /** Messages a second that a client may send, twice that at once. `WS_MESSAGE_RATE`, 50. */
  readonly messageRate: number
  /** Connections at once; beyond them 503. `WS_MAX_CONNECTIONS`, 20000. */
  readonly maxConnections: number
  /** Connections at once from one address; beyond them 429. `WS_MAX_PER_ADDRESS`, 2000. What is an address is for the hub's `addressOf` to say. */
  readonly maxPerAddress: number
  /** Channels that a client may have. `WS_MAX_CHANNELS`, 100. */
  readonly maxChannels: number
  /** Bytes that may wait for a client that does not read. `WS_QUEUE`, 1 MiB. */
  readonly queue: number
  /** What becomes of a client whose queue is full. `WS_SLOW_CLIENTS`, `drop-oldest`. */
  readonly slowClients: SlowClients
  /** How often sessions that have changed are saved, besides at the end of their connection. `WS_SESSION_INTERVAL`, 10 s. */
  readonly sessionInterval: Duration.Duration
  /** How long a session is kept after its connection has ended. `WS_SESSION_TTL`, 1 h. */
  readonly sessionTtl: Duration.Duration
  /** Over what time clients are asked to come back when the service stops. `WS_RECONNECT_SPREAD`, 5 s. */
  readonly reconnectSpread: Duration.Duration
}

/** Everything at its default. */
export const defaults: HubConfig = {
  authToken: Option.none(),
  origins: Option.none(),
  heartbeat: Duration.seconds(30),
  maxMessage: 64 * 1024,
  messageRate: 50,
  maxConnections: 20_000,
  maxPerAddress: 2000,
  maxChannels: 100,
  queue: 1024 * 1024,
  slowClients: "drop-oldest",
  sessionInterval: Duration.seconds(10),
  sessionTtl: Duration.hours(1),
  reconnectSpread: Duration.seconds(5)
}

const bytes =
  (min: number, max: number) =>
  (text: string): Either.Either<number, string> =>
    Option.match(Either.getRight(HttpServerConfig.parseBytes(text)), {
      onSome: (value) => value >= min && value <= max,
      onNone: () => false
    })
      ? HttpServerConfig.parseBytes(text)
      : Either.left(
          `"${text}" is not a number of bytes from ${min} to ${max}, plain or with kb or mb (both count in 1024s)`
        )

const millisToTenMinutes: DurationConfig.Bounds = { min: Duration.millis(100), max: Duration.minutes(10) }

const form = /^[\x21-\x2b\x2d-\x7e]{16,256}$/

// Not Config.redacted: what is refused after it has lost the name of its key.
const authToken = Config.string("WS_AUTH_TOKEN").pipe(
  Config.mapOrFail((text) => {
    if (text === "") return Either.right(Option.none<Redacted.Redacted>())
    // The token itself is not repeated: the message goes to logs.
    return form.test(text)
      ? Either.right(Option.some(Redacted.make(text)))
      : Either.left(
          ConfigError.InvalidData(
            [],
            `it has ${text.length} characters or ones that a header cannot carry; allowed are 16 to 256 printable ASCII characters without comma or space`
          )
        )
  }),
  Config.withDefault(Option.none<Redacted.Redacted>())
)

const origins = (text: string): Either.Either<Option.Option<ReadonlySet<string>>, string> => {
  if (text === "*") return Either.right(Option.none())
  const all = text.split(",").map((origin) => origin.trim().toLowerCase())
  const wrong = all.find((origin) => !/^[a-z][a-z0-9+.-]*:\/\/[^\s/]+$/.test(origin))
  return wrong === undefined
    ? Either.right(Option.some(new Set(all)))
    : Either.left(
        `"${wrong}" is not an origin; allowed are * or origins such as https://example.org, separated by commas`
      )
}

const slow = (text: string): Either.Either<SlowClients, string> =>
  text === "drop-oldest" || text === "close"
    ? Either.right(text)
    : Either.left(`"${text}" is neither; allowed are drop-oldest, close`)

const million = 1_000_000

/** The keys, read from the environment. */
export const config: Config.Config<HubConfig> = Config.all({
  authToken,
  origins: ConfigText.parsed("WS_ORIGINS", origins, defaults.origins),
  heartbeat: DurationConfig.duration("WS_HEARTBEAT", millisToTenMinutes).pipe(
    Config.withDefault(defaults.heartbeat)
  ),
  maxMessage: ConfigText.parsed("WS_MAX_MESSAGE", bytes(1024, 16 * 1024 ** 2), defaults.maxMessage),
  messageRate: ConfigText.parsed("WS_MESSAGE_RATE", ConfigText.integer(1, 10_000), defaults.messageRate),
  maxConnections: ConfigText.parsed(
    "WS_MAX_CONNECTIONS",
    ConfigText.integer(1, million),
    defaults.maxConnections
  ),
  maxPerAddress: ConfigText.parsed(
    "WS_MAX_PER_ADDRESS",
    ConfigText.integer(1, million),
    defaults.maxPerAddress
  ),
  maxChannels: ConfigText.parsed("WS_MAX_CHANNELS", ConfigText.integer(1, 10_000), defaults.maxChannels),
  queue: ConfigText.parsed("WS_QUEUE", bytes(16 * 1024, 64 * 1024 ** 2), defaults.queue),
  slowClients: ConfigText.parsed("WS_SLOW_CLIENTS", slow, defaults.slowClients),
  sessionInterval: DurationConfig.duration("WS_SESSION_INTERVAL", millisToTenMinutes).pipe(
    Config.withDefault(defaults.sessionInterval)
  ),
  sessionTtl: DurationConfig.duration("WS_SESSION_TTL", {
    min: Duration.minutes(1),
    max: Duration.days(7)
  }).pipe(Config.withDefault(defaults.sessionTtl)),
  reconnectSpread: DurationConfig.duration("WS_RECONNECT_SPREAD", {
    min: Duration.zero,
    max: Duration.minutes(10)
  }).pipe(Config.withDefault(defaults.reconnectSpread))
})
