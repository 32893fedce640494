/** Parameters of requests, read from text with bounds; what is not valid is refused in words that say what is allowed. */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

/** The highest sequence that a ledger can have. */
export const lastSequence = 2 ** 32 - 1

/** What a parameter may be. */
export interface Integer {
  /** The lowest value. */
  readonly min: number
  /** The highest value. */
  readonly max: number
  /** What it means, for the documentation. */
  readonly description: string
}

/** What is allowed, in words. */
export const allowed = ({ max, min }: Integer): string => `must be an integer from ${min} to ${max}`

/** The value as it was sent. It comes back to whoever sent it, so not at any length. */
const shown = (value: unknown): string => {
  const text = JSON.stringify(value)
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}

/** A decimal integer within bounds. What is wrong becomes a `ParseError` that says what is allowed, and what was given. */
export const integer = (options: Integer) => {
  const refusal = (value: unknown) => `${allowed(options)}, not ${shown(value)}`
  return Schema.transformOrFail(
    Schema.String.annotations({ message: ({ actual }) => refusal(actual) }),
    Schema.Number,
    {
      strict: true,
      decode: (text, _, ast) => {
        const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN
        return value >= options.min && value <= options.max
          ? Either.right(value)
          : Either.left(new ParseResult.Type(ast, text, refusal(text)))
      },
      encode: (value) => Either.right(String(value))
    }
  ).annotations({
    jsonSchema: {
      type: "integer",
      minimum: options.min,
      maximum: options.max,
      description: options.description
    }
  })
}
