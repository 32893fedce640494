/** What the endpoints' contracts have in common: fields of answers, and parameters. */
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as AccountAddress from "../../stellar/AccountAddress.js"
import * as Window from "../analytics/Window.js"
import * as AssetName from "../AssetName.js"
import * as Parameter from "../Parameter.js"

/** An amount or a sum of amounts, which no JavaScript number holds. `what` is its description. */
export const amount = (what: string) =>
  Schema.String.annotations({
    jsonSchema: {
      type: "string",
      pattern: "^-?\\d+$",
      description: `${what}, in stroops (1e-7), as decimal text`
    }
  })

/** A number of things. */
export const count = (what: string) =>
  Schema.Number.annotations({ jsonSchema: { type: "integer", description: what } })

/** A number with a fraction; null where there is none to say. */
export const ratio = (what: string) =>
  Schema.NullOr(Schema.Number).annotations({ jsonSchema: { type: ["number", "null"], description: what } })

/** Any text. */
export const text = (what: string) => Schema.String.annotations({ description: what })

/** An asset in an answer. */
export const asset = (what: string) => text(`${what}: native, or CODE:ISSUER`)

/** A point in time, in seconds since 1970. */
export const seconds = (what: string) => count(`${what}, in seconds since 1970, UTC`)

/** What to give as `cursor` for the next page. */
export const next = Schema.NullOr(
  text("What to give as `cursor` for the page after this one; null at the end")
)

const shown = (value: unknown): string => {
  const json = JSON.stringify(value) ?? "nothing"
  return json.length > 80 ? `${json.slice(0, 80)}…` : json
}

/** A text parameter of a form. Whatever else is given, a parameter that is there twice for one, is refused in the same words. */
const form = (description: string, allowed: string, fits: (text: string) => boolean, format?: object) => {
  const message = ({ actual }: { readonly actual: unknown }) => `must be ${allowed}, not ${shown(actual)}`
  return Schema.String.annotations({ message }).pipe(
    Schema.filter(fits),
    Schema.annotations({ message, jsonSchema: { type: "string", description, ...format } })
  )
}

/** An asset as a parameter. */
export const assetParameter = (description: string) =>
  form(description, "an asset, native or CODE:ISSUER", AssetName.isValid, {
    pattern: "^(native|[A-Za-z0-9]{1,12}:G[A-Z2-7]{55})$"
  })

/** An account as a parameter. */
export const accountParameter = (description: string) =>
  form(description, "the address of an account, G and 55 more characters", AccountAddress.isValid, {
    pattern: "^G[A-Z2-7]{55}$"
  })

/** A corridor as a parameter: `<source>~<destination>`. */
export const corridorParameter = (description: string) =>
  form(description, "two assets, <source>~<destination>, each native or CODE:ISSUER", AssetName.isCorridor)

/** A pool as a parameter. */
export const poolParameter = form("The pool's id", "64 hexadecimal digits in lower case", AssetName.isPool, {
  pattern: "^[0-9a-f]{64}$"
})

/** One of some words. */
export const oneOf = <const A extends ReadonlyArray<string>>(words: A, description: string) =>
  // A filter keeps the type that it filters; that only the words pass it is for us to say.
  form(description, `one of ${words.join(", ")}`, (value) => words.includes(value), {
    enum: [...words]
  }) as unknown as Schema.Schema<A[number], string>

/** `true` or `false` in a body. */
export const truth = (description: string) =>
  Schema.Boolean.annotations({
    message: ({ actual }) => `must be true or false, not ${shown(actual)}`,
    jsonSchema: { type: "boolean", description }
  })

/** The parameters of a request: all that are wrong are named, not just the first. */
export const parameters = <A extends Schema.Struct.Fields>(fields: A) =>
  Schema.Struct(fields).annotations({ parseOptions: { errors: "all" } })

/** How far to look back. */
export const window = Schema.optionalWith(
  oneOf(Window.all, "How far to look back from the last ledger; 24h by default"),
  { exact: true, default: () => "24h" as const }
)

/** How many rows of a page. */
export const limit = Schema.optionalWith(
  Parameter.integer({ min: 1, max: 200, description: "How many at most; 20 by default" }),
  { exact: true, default: () => 20 }
)

/** A parameter that may be left out. */
export const optional = <A, I, R>(schema: Schema.Schema<A, I, R>) =>
  Schema.optionalWith(schema, { exact: true })

const textOr = (refusal: (value: unknown) => string) =>
  Schema.String.annotations({ message: ({ actual }) => refusal(actual) })

/** A share, 0 to 1. */
export const share = (description: string) => {
  const wrong = (value: unknown) => `must be a number from 0 to 1, not ${shown(value)}`
  return Schema.transformOrFail(textOr(wrong), Schema.Number, {
    strict: true,
    decode: (value, _, ast) =>
      /^(0(\.\d{1,10})?|1(\.0{1,10})?)$/.test(value)
        ? Either.right(Number(value))
        : Either.left(new ParseResult.Type(ast, value, wrong(value))),
    encode: (value) => Either.right(String(value))
  }).annotations({ jsonSchema: { type: "number", minimum: 0, maximum: 1, description } })
}

/**
 * Where a page begins: what the page before gave as `next`. It holds the values that the rows are ordered by, those of the last row that was given; it says so
 * only in its own form, so that nobody builds on it.
 */
export const cursor = <A, I extends ReadonlyArray<unknown>>(values: Schema.Schema<A, I>) => {
  const wrong = (value: unknown) => `must be what a page gave as next, not ${shown(value)}`
  return Schema.transformOrFail(textOr(wrong), Schema.typeSchema(values), {
    strict: true,
    decode: (value, _, ast) =>
      Encoding.decodeBase64UrlString(value).pipe(
        Either.flatMap((json) => Schema.decodeUnknownEither(Schema.parseJson(values))(json)),
        Either.mapLeft(() => new ParseResult.Type(ast, value, wrong(value)))
      ),
    encode: (value) => Either.right(encodeCursor(values, value))
  }).annotations({ jsonSchema: { type: "string", description: "What the page before gave as `next`" } })
}

/** The cursor behind a row. */
export const encodeCursor = <A, I>(values: Schema.Schema<A, I>, value: A): string =>
  Encoding.encodeBase64Url(JSON.stringify(Schema.encodeSync(values)(value)))
