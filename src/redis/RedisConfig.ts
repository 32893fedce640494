/**
 * Where Redis is, and how long it is waited for.
 *
 * | key | default | allowed |
 * |---|---|---|
 * | `REDIS_URL` | none: no Redis | `redis://` or `rediss://` (TLS) with `[user:password@]host[:port][/db]`, or `unix:` and the path of a socket |
 * | `REDIS_REQUIRED` | `false` | `true`, `false` |
 * | `REDIS_PREFIX` | `stellar-insights:` | 1 to 64 letters, digits and `:` `.` `_` `-` |
 * | `REDIS_CONNECT_TIMEOUT` | 5 s | 100 ms to 1 min |
 * | `REDIS_COMMAND_TIMEOUT` | 500 ms | 10 ms to 1 min |
 *
 * @module
 */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as DurationConfig from "../lifecycle/DurationConfig.js"

/** What a connection needs, in the words of ioredis. */
export interface Address {
  /** Path of a socket; then there is no host. */
  readonly path?: string
  /** Name or address of the server. */
  readonly host?: string
  /** Its port. */
  readonly port?: number
  /** Number of the database. */
  readonly db?: number
  /** Who to log in as. */
  readonly username?: string
  /** With what. */
  readonly password?: string
  /** There when the connection is encrypted. */
  readonly tls?: { readonly servername?: string }
}

/** A server. */
export interface Endpoint {
  /** For logs and health: host, port and database, or the socket; nothing of it is secret. */
  readonly where: string
  /** All of it. */
  readonly address: Redacted.Redacted<Address>
}

/** The settings. */
export interface RedisConfig {
  /** The server; none is a service without Redis. `REDIS_URL`. */
  readonly endpoint: Option.Option<Endpoint>
  /** Whether the service is not ready, and does not start, without it. `REDIS_REQUIRED`, false. */
  readonly required: boolean
  /** What all keys and channels begin with: services that share a server need different ones. `REDIS_PREFIX`, `stellar-insights:`. */
  readonly prefix: string
  /**
   * How long a connection may take until it can be used, and how long one that owes answers may be silent before it is replaced.
   * `REDIS_CONNECT_TIMEOUT`, 5 s.
   */
  readonly connectTimeout: Duration.Duration
  /** How long a command may take. `REDIS_COMMAND_TIMEOUT`, 500 ms. */
  readonly commandTimeout: Duration.Duration
}

/** Everything at its default. */
export const defaults: RedisConfig = {
  endpoint: Option.none(),
  required: false,
  prefix: "stellar-insights:",
  connectTimeout: Duration.seconds(5),
  commandTimeout: Duration.millis(500)
}

const allowed =
  "it must be redis:// or rediss:// with [user:password@]host[:port][/db], such as redis://127.0.0.1:6379/0, or unix: and the path of a socket"

const databaseOf = (path: string): number | undefined =>
  path === "" || path === "/" ? 0 : /^\/\d{1,4}$/.test(path) ? Number(path.slice(1)) : undefined

const ofUrl = (text: string): Endpoint | undefined => {
  if (!URL.canParse(text)) return undefined
  const { hash, hostname, password, pathname, port, protocol, search, username } = new URL(text)
  const db = databaseOf(pathname)
  const isRedis = protocol === "redis:" || protocol === "rediss:"
  if (!isRedis || db === undefined || hostname === "" || hash !== "" || search !== "") return undefined
  const host = hostname.replace(/^\[(.*)\]$/, "$1")
  const secret = { username: decodeURIComponent(username), password: decodeURIComponent(password) }
  return {
    where: `${protocol}//${hostname}:${port === "" ? 6379 : port}/${db}`,
    address: Redacted.make<Address>({
      host,
      port: port === "" ? 6379 : Number(port),
      db,
      ...(secret.username === "" ? {} : { username: secret.username }),
      ...(secret.password === "" ? {} : { password: secret.password }),
      ...(protocol === "rediss:" ? { tls: { servername: host } } : {})
    })
  }
}

/** Reads what `REDIS_URL` may be, or says what is allowed; what was given is not repeated, since it may hold a password. */
export const parse = (text: string): Either.Either<Endpoint, string> => {
  const socket = /^unix:(?:\/\/(?=\/))?(\/[^?#]+)$/.exec(text)?.[1]
  try {
    const endpoint =
      socket === undefined
        ? ofUrl(text)
        : { where: `unix:${socket}`, address: Redacted.make<Address>({ path: socket }) }
    return Either.fromNullable(endpoint, () => `its value is not an address of Redis; ${allowed}`)
  } catch {
    // A user or password with a percent sign that begins no code.
    return Either.left(`its user or password is not encoded as in a URL; ${allowed}`)
  }
}

const read = <A>(key: string, parse: (text: string) => Either.Either<A, string>): Config.Config<A> =>
  Config.string(key).pipe(
    Config.mapOrFail((text) =>
      Either.mapLeft(parse(text.trim()), (message) => ConfigError.InvalidData([], message))
    )
  )

const flag = (text: string): Either.Either<boolean, string> =>
  text === "true" || text === "false"
    ? Either.right(text === "true")
    : Either.left(`"${text}" is neither; allowed are true, false`)

const prefix = (text: string): Either.Either<string, string> =>
  /^[\w:.-]{1,64}$/.test(text)
    ? Either.right(text)
    : Either.left(`"${text}" is not a prefix; allowed are 1 to 64 letters, digits and : . _ -`)

/** The keys, read from the environment. */
export const config: Config.Config<RedisConfig> = Config.all({
  endpoint: Config.option(read("REDIS_URL", parse)),
  required: Config.withDefault(read("REDIS_REQUIRED", flag), defaults.required),
  prefix: Config.withDefault(read("REDIS_PREFIX", prefix), defaults.prefix),
  connectTimeout: DurationConfig.duration("REDIS_CONNECT_TIMEOUT", {
    min: Duration.millis(100),
    max: Duration.minutes(1)
  }).pipe(Config.withDefault(defaults.connectTimeout)),
  commandTimeout: DurationConfig.duration("REDIS_COMMAND_TIMEOUT", {
    min: Duration.millis(10),
    max: Duration.minutes(1)
  }).pipe(Config.withDefault(defaults.commandTimeout))
}).pipe(
  Config.mapOrFail((config) =>
    config.required && Option.isNone(config.endpoint)
      ? Either.left(ConfigError.InvalidData(["REDIS_REQUIRED"], `"true" needs REDIS_URL`))
      : Either.right(config)
  )
)
