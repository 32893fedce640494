/**
 * Where the server listens and what it puts up with: every limit has a bound, and what is out of bounds is refused in one line.
 *
 * @module
 */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as DurationConfig from "../lifecycle/DurationConfig.js"

/** The settings of an HTTP server. */
export interface HttpServerConfig {
  /** `SERVER_PORT`, 8080; 0 takes any free port. */
  readonly port: number
  /** The address or host name to listen on. `SERVER_HOST`, 0.0.0.0. */
  readonly host: string
  /** How long a connection may stay idle between requests. `SERVER_KEEP_ALIVE_TIMEOUT`, 65 s: longer than a balancer's usual 60 s, so that it closes first. */
  readonly keepAliveTimeout: Duration.Duration
  /** Time for a whole request, head and body, to arrive. `SERVER_REQUEST_TIMEOUT`, 60 s; then 408. */
  readonly requestTimeout: Duration.Duration
  /** Time for the head of a request to arrive, also on a connection that never sent a byte. `SERVER_HEADERS_TIMEOUT`, 10 s; then 408. */
  readonly headersTimeout: Duration.Duration
  /** The longest request body, in bytes. `SERVER_MAX_BODY`, 1 MiB; beyond it 413. */
  readonly maxBody: number
  /** The port of the health listener. `HEALTH_PORT`; when missing, health lives on the main port only. */
  readonly healthPort: Option.Option<number>
}

/** Everything at its default. */
export const defaults: HttpServerConfig = {
  port: 8080,
  host: "0.0.0.0",
  keepAliveTimeout: Duration.seconds(65),
  requestTimeout: Duration.seconds(60),
  headersTimeout: Duration.seconds(10),
  maxBody: 1024 * 1024,
  healthPort: Option.none()
}

const upToTenMinutes: DurationConfig.Bounds = { min: Duration.millis(100), max: Duration.minutes(10) }

const invalid = (key: string, message: string) => ConfigError.InvalidData([key], message)

const port = (key: string): Config.Config<number> =>
  Config.string(key).pipe(
    Config.mapOrFail((text) => {
      const value = /^\d{1,5}$/.test(text.trim()) ? Number(text) : Number.NaN
      return value <= 65535
        ? Either.right(value)
        : Either.left(
            ConfigError.InvalidData([], `"${text}" is not a port; allowed is 0 (any free one) to 65535`)
          )
    })
  )

const units: Record<string, number> = {
  "": 1,
  b: 1,
  kb: 1024,
  kib: 1024,
  mb: 1024 ** 2,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  gb: 1024 ** 3
}

/** The least and the most that {@link HttpServerConfig.maxBody} may be, in bytes. */
export const maxBodyBounds: {
  /** 1 KiB. */
  readonly min: number
  /** 1 GiB. */
  readonly max: number
} = { min: 1024, max: 1024 ** 3 }

/** Reads a number of bytes, plain or with a unit (`64kb`, `1 MiB`; both count in 1024s), or says in half a sentence what is wrong. */
export const parseBytes = (text: string): Either.Either<number, string> => {
  const allowed = "allowed is 1024 (1kb) to 1073741824 (1gb), as bytes or with kb, mb or gb"
  const match = /^(\d+)\s*([kmg]?i?b?)$/i.exec(text.trim())
  const bytes =
    match === null ? Number.NaN : Number(match[1]) * (units[match[2]!.toLowerCase()] ?? Number.NaN)
  if (Number.isNaN(bytes)) return Either.left(`"${text}" is not a number of bytes; ${allowed}`)
  return bytes >= maxBodyBounds.min && bytes <= maxBodyBounds.max
    ? Either.right(bytes)
    : Either.left(`"${text}" is out of range; ${allowed}`)
}

const bytes = (key: string): Config.Config<number> =>
  Config.string(key).pipe(
    Config.mapOrFail((text) =>
      Either.mapLeft(parseBytes(text), (message) => ConfigError.InvalidData([], message))
    )
  )

const host = Config.string("SERVER_HOST").pipe(
  Config.mapOrFail((text) =>
    /^[\w.:%-]+$/.test(text.trim())
      ? Either.right(text.trim())
      : Either.left(
          ConfigError.InvalidData(
            [],
            `"${text}" is not a host; allowed is an IP address or a host name, as 0.0.0.0`
          )
        )
  )
)

/** What only shows when the values are seen together. */
const agree = (config: HttpServerConfig): Either.Either<HttpServerConfig, ConfigError.ConfigError> => {
  if (Duration.greaterThan(config.headersTimeout, config.requestTimeout)) {
    return Either.left(
      invalid(
        "SERVER_HEADERS_TIMEOUT",
        `"${DurationConfig.format(config.headersTimeout)}" is longer than SERVER_REQUEST_TIMEOUT (${DurationConfig.format(config.requestTimeout)}), of which it is a part`
      )
    )
  }
  if (Option.isSome(config.healthPort) && config.healthPort.value === config.port && config.port !== 0) {
    return Either.left(
      invalid(
        "HEALTH_PORT",
        `"${config.port}" is SERVER_PORT; allowed is another port, 0 for any, or none at all`
      )
    )
  }
  return Either.right(config)
}

/** The keys, read from the environment. */
export const config: Config.Config<HttpServerConfig> = Config.all({
  port: port("SERVER_PORT").pipe(Config.withDefault(defaults.port)),
  host: host.pipe(Config.withDefault(defaults.host)),
  keepAliveTimeout: DurationConfig.duration("SERVER_KEEP_ALIVE_TIMEOUT", upToTenMinutes).pipe(
    Config.withDefault(defaults.keepAliveTimeout)
  ),
  requestTimeout: DurationConfig.duration("SERVER_REQUEST_TIMEOUT", upToTenMinutes).pipe(
    Config.withDefault(defaults.requestTimeout)
  ),
  headersTimeout: DurationConfig.duration("SERVER_HEADERS_TIMEOUT", upToTenMinutes).pipe(
    Config.withDefault(defaults.headersTimeout)
  ),
  maxBody: bytes("SERVER_MAX_BODY").pipe(Config.withDefault(defaults.maxBody)),
  healthPort: Config.option(port("HEALTH_PORT"))
}).pipe(Config.mapOrFail(agree))
