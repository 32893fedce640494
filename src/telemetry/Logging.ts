/**
 * Log lines: JSON for machines, one compact line for people.
 *
 * A JSON line has `timestamp` (ISO 8601), `level`, `message` and every annotation beside them, `event_type` among these. It is one object on one
 * line, whatever it contains.
 */
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"

/** How lines look. */
export type Format = "json" | "pretty"

/** What is logged, and how. */
export interface LoggingConfig {
  /** `LOG_LEVEL`: what is less important is left out. info. */
  readonly level: LogLevel.LogLevel
  /** `LOG_FORMAT`: `pretty` on a terminal, else `json`. */
  readonly format: Format
}

const levels: Readonly<Record<string, LogLevel.LogLevel>> = {
  trace: LogLevel.Trace,
  debug: LogLevel.Debug,
  info: LogLevel.Info,
  warning: LogLevel.Warning,
  error: LogLevel.Error,
  none: LogLevel.None
}

/** The keys, read from the environment. The format's default depends on where the lines go. */
export const config = (isTerminal: boolean): Config.Config<LoggingConfig> =>
  Config.all({
    level: Config.string("LOG_LEVEL").pipe(
      Config.mapOrFail((text) =>
        Either.fromNullable(levels[text.toLowerCase()], () =>
          ConfigError.InvalidData(
            [],
            `"${text}" is not a level; allowed are ${Object.keys(levels).join(", ")}`
          )
        )
      ),
      Config.withDefault(LogLevel.Info)
    ),
    format: Config.string("LOG_FORMAT").pipe(
      Config.mapOrFail((text) =>
        text === "json" || text === "pretty"
          ? Either.right<Format>(text)
          : Either.left(ConfigError.InvalidData([], `"${text}" is not a format; allowed are json, pretty`))
      ),
      Config.withDefault<Format>(isTerminal ? "pretty" : "json")
    )
  })

const plain = (value: unknown): unknown =>
  typeof value === "bigint" ? String(value) : value instanceof Error ? value.message : value

const text = (value: unknown): string =>
  typeof value === "string" ? value : JSON.stringify(value, (_, inner) => plain(inner))

interface Line {
  readonly at: Date
  readonly level: LogLevel.LogLevel
  readonly message: string
  readonly annotations: Record<string, unknown>
}

const lineOf = (options: Logger.Logger.Options<unknown>): Line => {
  const annotations: Record<string, unknown> = {}
  HashMap.forEach(options.annotations, (value, key) => {
    annotations[key] = value
  })
  const parts: Array<string> = []
  for (const part of Array.isArray(options.message) ? options.message : [options.message]) {
    if (Cause.isCause(part)) annotations.cause = Cause.pretty(part, { renderErrorCause: true })
    else parts.push(text(plain(part)))
  }
  if (!Cause.isEmpty(options.cause))
    annotations.cause = Cause.pretty(options.cause, { renderErrorCause: true })
  return { at: options.date, level: options.logLevel, message: parts.join(" "), annotations }
}

/** One JSON object. */
export const json: Logger.Logger<unknown, string> = Logger.make((options) => {
  const { annotations, at, level, message } = lineOf(options)
  return JSON.stringify(
    { timestamp: at.toISOString(), level: level.label.toLowerCase(), message, ...annotations },
    (_, value) => plain(value)
  )
})

/** `12:30:00.000 INFO  message  key=value`; a cause follows on lines of its own. */
export const pretty: Logger.Logger<unknown, string> = Logger.make((options) => {
  const { annotations, at, level, message } = lineOf(options)
  const { cause, component, event_type: _, ...rest } = annotations
  const data = Object.entries(rest).map(([key, value]) => `${key}=${text(value)}`)
  const head = `${at.toISOString().slice(11, 23)} ${level.label.padEnd(7)} ${component === undefined ? "" : `${text(component)}: `}${message}`
  return [head, ...data].join("  ") + (cause === undefined ? "" : `\n${text(cause)}`)
})

/** Puts the lines out as configured, in place of Effect's default logger. */
export const layer = (options: LoggingConfig): Layer.Layer<never> =>
  Layer.merge(
    Logger.replace(Logger.defaultLogger, Logger.withConsoleLog(options.format === "json" ? json : pretty)),
    Logger.minimumLogLevel(options.level)
  )

/** As {@link layer}, from the environment. Fails with `ConfigError`. */
export const layerConfig = (isTerminal: boolean): Layer.Layer<never, ConfigError.ConfigError> =>
  Layer.unwrapEffect(Effect.map(config(isTerminal), layer))
