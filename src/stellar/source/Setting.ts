/**
 * Settings read from text with bounds, so that what cannot be right is refused in one line that names key, value and what is allowed.
 *
 * Effect's own readers accept too much for an operator's file: an empty text is the integer 0, and a negative duration becomes 0.
 * A key that stands there without a value is therefore an error here, never a default.
 */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"

/** User name and password of a URL, which whoever reads the log has no need of. */
const credentials = /(:\/\/)[^/?#@\s]*@/

/** What a key's text must be, in the words of its error message. */
const refuse = (key: string, text: string, allowed: string) =>
  ConfigError.InvalidData(
    [],
    `${key}=${JSON.stringify(text.replace(credentials, "$1<redacted>@"))} is not valid: it must be ${allowed}`
  )

/**
 * A text that `parse` understands. Ends in `InvalidData` naming the key, the text and what is allowed when it is empty or `parse` gives
 * undefined; in `MissingData` when the key is not set (put `Config.withDefault` or `Config.option` around it).
 */
export const parsed = <A>(
  key: string,
  allowed: string,
  parse: (text: string) => A | undefined
): Config.Config<A> =>
  Config.string(key).pipe(
    Config.mapOrFail((raw) => {
      const text = raw.trim()
      const value = text === "" ? undefined : parse(text)
      return value === undefined ? Either.left(refuse(key, text, allowed)) : Either.right(value)
    })
  )

/** Any text that is not empty. */
export const text = (key: string, allowed: string): Config.Config<string> =>
  parsed(key, allowed, (value) => value)

/** A decimal integer from `min` to `max`, both included. */
export const integer = (key: string, min: number, max: number): Config.Config<number> =>
  parsed(key, `an integer from ${min} to ${max}`, (value) => {
    const number = /^-?\d{1,15}$/.test(value) ? Number(value) : NaN
    return number >= min && number <= max ? number : undefined
  })

/** One of the given words, as they are written. */
export const oneOf = <const Words extends ReadonlyArray<string>>(
  key: string,
  words: Words
): Config.Config<Words[number]> =>
  parsed(key, `one of ${words.join(", ")}`, (value) => words.find((word) => word === value))

/** A length of time from `min` (default 0) to `max`: a plain number is seconds, `500 millis` and `2 minutes` are what they say. */
export const duration = (
  key: string,
  max: Duration.DurationInput,
  min: Duration.DurationInput = Duration.zero
): Config.Config<Duration.Duration> => {
  const least = Duration.toMillis(min) === 0 ? "0" : Duration.format(min)
  const allowed = `a time from ${least} to ${Duration.format(max)}: seconds as a number, or a number and its unit such as "500 millis"`
  return parsed(key, allowed, (value) => {
    const read = /^\d+(\.\d+)?$/.test(value)
      ? Duration.seconds(Number(value))
      : /^\d+(\.\d+)? (milli|second|minute|hour)s?$/.test(value)
        ? Duration.decode(value as Duration.DurationInput)
        : undefined
    return read !== undefined && Duration.between(read, { minimum: min, maximum: max }) ? read : undefined
  })
}
