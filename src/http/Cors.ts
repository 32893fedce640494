/**
 * Which pages of other origins may read answers (the Fetch standard's CORS protocol).
 *
 * | key | default | allowed |
 * |---|---|---|
 * | `CORS_ORIGINS` | `*`: pages of any origin may read | `*`, `none`, or origins such as `https://example.org`, separated by commas |
 *
 * With `*` pages may read what is public, and nothing else: neither change anything nor send a key. Pages of origins that are named may also do that. Cookies and other
 * credentials of the browser are never asked for, so a page can do no more than anybody who can reach the service and knows a key. That is why reading is open by
 * default; where only the network keeps others out, a page in a browser inside it is a way in, and `none` shuts it.
 *
 * @module
 */
import type * as Config from "effect/Config"
import * as Either from "effect/Either"
import type * as Http from "node:http"
import * as ConfigText from "../lifecycle/ConfigText.js"

/** Pages of any origin, of none, or of these. */
export type Origins = "*" | "none" | ReadonlyArray<string>

/** The settings. */
export interface CorsConfig {
  /** Whose pages may read. `CORS_ORIGINS`, `*`. */
  readonly origins: Origins
}

/** Everything at its default. */
export const defaults: CorsConfig = { origins: "*" }

const isOrigin = (text: string): boolean =>
  /^https?:\/\/[^/?#@*\s]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text

const parse = (text: string): Either.Either<Origins, string> => {
  if (text === "*" || text === "none") return Either.right(text)
  const origins = text.split(",").map((one) => one.trim())
  const wrong = origins.find((one) => !isOrigin(one))
  return wrong === undefined
    ? Either.right(origins)
    : Either.left(
        `"${wrong}" is no origin; allowed are *, none, or origins such as https://example.org in lower case without a path, separated by commas`
      )
}

/** `CORS_ORIGINS`. */
export const config: Config.Config<Origins> = ConfigText.parsed("CORS_ORIGINS", parse, defaults.origins)

/** The same as it is written in settings. */
export const shown = (origins: Origins): string => (typeof origins === "string" ? origins : origins.join(","))

/** Answers' headers that pages may see beyond those that they always may. */
const exposed = "etag, ratelimit, ratelimit-policy, retry-after, x-request-id"

/** How long a browser need not ask again, in seconds. Browsers have bounds of their own, of two hours or a day. */
const maxAge = "7200"

/** The header by which an answer says who may read it; one that says so itself has rules of its own. */
export const header = "access-control-allow-origin"

/** The rules. What they give are lines of a head as they are sent, or nothing. */
export interface Cors {
  /** What a request of this origin, undefined when it names none, gets in its answer. */
  readonly answer: (origin: string | undefined) => string
  /** What a preflight gets besides, for a path with these methods; nothing when it is none, or its page may not do what it asks for. */
  readonly preflight: (request: Http.IncomingMessage, methods: ReadonlyArray<string>) => string
}

const reading = new Set(["GET", "HEAD"])

const head = (headers: Readonly<Record<string, string>>): string =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("")

const allow = (origin: string) => head({ [header]: origin, "access-control-expose-headers": exposed })

/** Rules for these origins. */
export const make = (origins: Origins): Cors => {
  const isAny = origins === "*"
  const anyone = allow("*")
  const named = new Map(typeof origins === "string" ? [] : origins.map((one) => [one, allow(one)]))
  // What depends on the origin says so to caches, also when there was none.
  const varies = named.size > 0 ? head({ vary: "Origin" }) : ""
  return {
    answer: (origin) => {
      if (origin === undefined) return varies
      return isAny ? anyone : varies + (named.get(origin) ?? "")
    },
    preflight: ({ headers: { "access-control-request-method": method, origin } }, methods) => {
      if (origin === undefined || method === undefined || !(isAny || named.has(origin))) return ""
      const allowed = isAny ? methods.filter((one) => reading.has(one)) : methods
      const besides = isAny ? "" : "authorization, content-type, "
      return head({
        "access-control-allow-methods": allowed.join(", "),
        "access-control-allow-headers": `${besides}last-event-id, x-request-id`,
        "access-control-max-age": maxAge
      })
    }
  }
}
