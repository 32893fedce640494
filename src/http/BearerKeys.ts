/**
 * Keys that give access, sent as `Authorization: Bearer` (RFC 6750). Several may be valid at once, so that they can be changed without a gap.
 *
 * | key | default | allowed |
 * |---|---|---|
 * | `ADMIN_KEYS` | none: nobody has access | keys of 16 to 256 printable ASCII characters without comma or space, separated by commas |
 *
 * @module
 */
import type * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { createHash, timingSafeEqual } from "node:crypto"
import * as Problem from "./Problem.js"

/** Keys that are valid, none or more. Kept as digests: what was configured cannot be printed from here. */
export interface BearerKeys {
  /** How many there are. */
  readonly count: number
  /** Whether it is one of them. Takes as long whichever it is, and whether it is. */
  readonly has: (key: Redacted.Redacted) => boolean
  /** Which one it is, as its place among them, which tells nothing of it; undefined when it is none. Takes as long as {@link has}. */
  readonly nameOf: (key: Redacted.Redacted) => string | undefined
}

const digest = (text: string) => createHash("sha256").update(text, "utf8").digest()

/** Makes them out of the keys themselves. */
export const make = (keys: Iterable<string>): BearerKeys => {
  const digests = Array.from(new Set(keys), digest)
  const placeOf = (key: Redacted.Redacted): number => {
    const candidate = digest(Redacted.value(key))
    let place = 0
    // Not `findIndex`: it would end at the first that fits, and tell by that which one it was.
    digests.forEach((each, index) => (place += timingSafeEqual(each, candidate) ? index + 1 : 0))
    return place
  }
  return {
    count: digests.length,
    has: (key) => placeOf(key) > 0,
    nameOf: (key) => {
      const place = placeOf(key)
      return place > 0 ? String(place) : undefined
    }
  }
}

const form = /^[\x21-\x2b\x2d-\x7e]{16,256}$/

/** `ADMIN_KEYS`. What is wrong with a key is said without the key. */
export const config: Config.Config<BearerKeys> = Config.string("ADMIN_KEYS").pipe(
  Config.mapOrFail((text) => {
    const keys = text
      .split(",")
      .map((key) => key.trim())
      .filter((key) => key !== "")
    const wrong = keys.findIndex((key) => !form.test(key))
    return wrong < 0
      ? Either.right(make(keys))
      : Either.left(
          ConfigError.InvalidData(
            [],
            `key ${wrong + 1} of ${keys.length} has ${keys[wrong]!.length} characters or ones that a header cannot carry; allowed are ` +
              "16 to 256 printable ASCII characters without comma or space, keys separated by commas"
          )
        )
  }),
  Config.withDefault(make([]))
)

const bearer = /^Bearer +(\S+) *$/i

/** The token of an `Authorization` header; undefined where there is none, or credentials of another kind. */
export const tokenOf = (authorization: string | undefined): string | undefined =>
  authorization === undefined ? undefined : bearer.exec(authorization)?.[1]

/**
 * Why a request is refused, none when it is not: 403 when there are no keys at all (nobody can have access), else 401.
 * `key` is what was sent as bearer token, empty when nothing was.
 */
export const refuse = (
  keys: BearerKeys,
  key: Redacted.Redacted
): Option.Option<HttpServerResponse.HttpServerResponse> => {
  if (keys.count === 0) {
    const detail = "changes are switched off here: set ADMIN_KEYS to allow them"
    return Option.some(Problem.toResponse(Problem.make(403, detail)))
  }
  if (keys.has(key)) return Option.none()
  const nothing = Redacted.value(key) === ""
  const detail = nothing
    ? "this needs a key, as Authorization: Bearer"
    : "the key in Authorization is not valid here"
  const challenge = nothing ? "Bearer" : 'Bearer error="invalid_token"'
  return Option.some(Problem.toResponse(Problem.make(401, detail), { "www-authenticate": challenge }))
}
