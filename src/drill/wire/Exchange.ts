/**
 * A request, and how to tell that its answer is the right one.
 *
 * @module
 */
import type { Whole } from "./Response.js"

/** One request. */
export interface Exchange {
  /** Method and path without the query, for the records. */
  readonly kind: string
  /** The method, in capitals. */
  readonly method: string
  /** Path with query. */
  readonly path: string
  /** Header fields beside `host` and `content-length`, which are added. */
  readonly headers?: Readonly<Record<string, string>>
  /** The body; none when absent. */
  readonly body?: Buffer
  /** Sends the body in this many pieces, this many milliseconds apart; at once with the head when absent. */
  readonly pieces?: { readonly count: number; readonly every: number }
  /** Statuses that are right; 200 to 299 when absent. A 503 that is not among them is `declined`, anything else `wrong`. */
  readonly accept?: ReadonlyArray<number>
  /** Judges the body and the header fields (by lower-case name) of a response whose status is right; every one is when absent. */
  readonly check?: (body: Buffer, headers: ReadonlyMap<string, string>) => boolean
  /** Told the pieces of the response's body as they arrive, with the transfer coding taken off; for responses without an end of their own. */
  readonly onBody?: (piece: Buffer) => void
}

/** Method and path without the query. */
export const kindOf = (method: string, path: string): string => `${method} ${path.split("?")[0]}`

/** A GET whose every 2xx is right. */
export const get = (path: string, more: Partial<Exchange> = {}): Exchange => ({
  kind: kindOf("GET", path),
  method: "GET",
  path,
  ...more
})

/** A POST whose every 2xx is right. */
export const post = (path: string, body: Buffer, more: Partial<Exchange> = {}): Exchange => ({
  kind: kindOf("POST", path),
  method: "POST",
  path,
  body,
  ...more
})

/** Whether a whole response is the right one for the exchange. */
export const isRight = (exchange: Exchange, { body, headers, status }: Omit<Whole, "close">): boolean => {
  const accepted = exchange.accept?.includes(status) ?? (status >= 200 && status <= 299)
  return accepted && (exchange.check === undefined || exchange.check(body, headers))
}

/** The bytes of the head, with the empty line at its end. */
export const headOf = (exchange: Exchange, host: string): Buffer => {
  const fields = { host, ...exchange.headers }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  if (exchange.body !== undefined) lines.push(`content-length: ${exchange.body.length}\r\n`)
  return Buffer.from(`${exchange.method} ${exchange.path} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1")
}
