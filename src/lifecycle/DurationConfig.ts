/**
 * Durations as operators write them: a plain number is seconds; `500 millis` and `2 minutes` work too.
 *
 * Effect's own duration parser turns what is negative into nothing and its integer parser reads an empty text as 0. Neither may
 * happen to a limit, so the text is checked here, and refused in one sentence that names key, value and range.
 *
 * @module
 */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"

/** What a duration may be, inclusive. */
export interface Bounds {
  /** The least. */
  readonly min: Duration.Duration
  /** The most. */
  readonly max: Duration.Duration
}

/** From nothing to an hour: what a limit of a stop can sensibly be. */
export const upToAnHour: Bounds = { min: Duration.zero, max: Duration.hours(1) }

/** As {@link upToAnHour}, but not nothing: a limit of 0 would cut everything at once. */
export const positive: Bounds = { min: Duration.millis(1), max: Duration.hours(1) }

/** `30 s`, `500 ms`, `2 min`: a duration for people. */
export const format = (duration: Duration.Duration): string => {
  const millis = Duration.toMillis(duration)
  if (millis >= 60_000 && millis % 60_000 === 0) return `${millis / 60_000} min`
  return millis >= 1000 || millis === 0 ? `${Number((millis / 1000).toFixed(3))} s` : `${millis} ms`
}

/** Reads `text`, or says in half a sentence what is wrong with it. */
export const parse = (text: string, bounds: Bounds): Either.Either<Duration.Duration, string> => {
  const allowed = `allowed is ${format(bounds.min)} to ${format(bounds.max)}, as seconds (30) or with a unit (500 millis, 2 minutes)`
  const trimmed = text.trim()
  const decoded = /^\d+(\.\d+)?$/.test(trimmed)
    ? Option.some(Duration.millis(Number(trimmed) * 1000))
    : /^\d+(\.\d+)? [a-z]+$/.test(trimmed)
      ? Duration.decodeUnknown(trimmed)
      : Option.none()
  return Option.match(decoded, {
    onNone: () => Either.left(`"${text}" is not a duration; ${allowed}`),
    onSome: (duration) =>
      Duration.between(duration, { minimum: bounds.min, maximum: bounds.max })
        ? Either.right(duration)
        : Either.left(`"${text}" is out of range; ${allowed}`)
  })
}

/**
 * A duration under `key`. Missing is missing (give it a default with `Config.withDefault` or `Config.option`); what is there and wrong
 * is a `ConfigError` that says so.
 */
export const duration = (key: string, bounds: Bounds): Config.Config<Duration.Duration> =>
  Config.string(key).pipe(
    Config.mapOrFail((text) =>
      Either.mapLeft(parse(text, bounds), (message) => ConfigError.InvalidData([], message))
    )
  )
