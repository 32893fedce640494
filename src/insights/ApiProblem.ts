/**
 * What the API answers when it cannot give what was asked for, as its contract describes it. The answers themselves are made by
 * `http/Problem`, the same as everywhere in the service.
 */
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Schema from "effect/Schema"
import * as Problem from "../http/Problem.js"

const problem = <Fields extends Schema.Struct.Fields>(
  identifier: string,
  status: number,
  description: string,
  extensions: Fields
) =>
  HttpApiSchema.withEncoding(
    Schema.Struct({
      type: Schema.String.annotations({
        description: "What kind of problem; about:blank says no more than the status"
      }),
      title: Schema.String.annotations({ description: "The status in words" }),
      status: Schema.Literal(status).annotations({ description: "The status of the response" }),
      detail: Schema.String.annotations({ description: "What is wrong with this request, in a sentence" }),
      ...extensions
    }).annotations(HttpApiSchema.annotations({ status })),
    { kind: "Json", contentType: Problem.contentType }
    // Last, because any annotation that is added later takes the name away.
  ).annotations({ identifier, description })

/** 400, with every parameter at fault. */
export const BadRequest = problem("BadRequest", 400, "A parameter is missing or not valid", {
  errors: Schema.Array(
    Schema.Struct({
      parameter: Schema.String,
      value: Schema.NullOr(Schema.String),
      allowed: Schema.String
    })
  )
})

/** 404, with the stretch of ledgers that there is, both ends included; null when there are none. */
export const NotFound = problem("NotFound", 404, "There is no such ledger here, or not yet", {
  range: Schema.NullOr(Schema.Struct({ first: Schema.Number, last: Schema.Number }))
})

/** 503, with `Retry-After`. */
export const Unavailable = problem("Unavailable", 503, "The database did not answer", {})

/** 401, with `WWW-Authenticate`. */
export const Unauthorized = problem("Unauthorized", 401, "The key is missing or not valid", {})

/** 403: there is no key that would do. */
export const Forbidden = problem("Forbidden", 403, "Changes are switched off here", {})

/** 404, of whatever is no ledger. */
export const Missing = problem("Missing", 404, "There is no such thing here", {})

/** 409: it cannot be done as things stand. */
export const Conflict = problem("Conflict", 409, "It cannot be done as things stand", {})

/** 413: the body is longer than `SERVER_MAX_BODY`. */
export const TooLarge = problem("TooLarge", 413, "The body is too long", { maxBytes: Schema.Number })

/** 415: the body is not JSON. */
export const NotJson = problem("NotJson", 415, "The body is not application/json", {})

/** 429, with `Retry-After`: there is a limit, and it is reached. */
export const TooMany = problem("TooMany", 429, "More came from this address, or with this key, than may", {})
