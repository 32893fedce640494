/**
 * Settings that are read from text: what a component allows becomes a parser, and what is wrong a `ConfigError` that names the key, its value and what is allowed.
 *
 * @module
 */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Either from "effect/Either"

/** Reads a text, or says in half a sentence what is wrong with it. */
export type Parse<A> = (text: string) => Either.Either<A, string>

/** A key whose text `parse` reads, without the spaces around it; `standard` where it is not set. */
export const parsed = <A>(key: string, parse: Parse<A>, standard: A): Config.Config<A> =>
  Config.string(key).pipe(
    Config.mapOrFail((text) =>
      Either.mapLeft(parse(text.trim()), (message) => ConfigError.InvalidData([], message))
    ),
    Config.withDefault(standard)
  )

/** A whole number from `min` to `max`, at most 999999999, in decimal digits. */
export const integer =
  (min: number, max: number): Parse<number> =>
  (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    return value >= min && value <= max
      ? Either.right(value)
      : Either.left(`"${text}" is not a whole number from ${min} to ${max}`)
  }

/** `true` or `false`. */
export const truth: Parse<boolean> = (text) =>
  text === "true" || text === "false"
    ? Either.right(text === "true")
    : Either.left(`"${text}" is neither; allowed are true, false`)
