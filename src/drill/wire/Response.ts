/**
 * Reads HTTP/1.1 responses from the bytes of a socket, one at a time.
 *
 * It is deliberately not `node:http`: a client library hides what the drill is about, namely how far a response got before the connection went away.
 *
 * @module
 */

/** One whole response. */
export interface Whole {
  /** Status code of the final response; interim ones (1xx) are passed over, except 101, which ends HTTP on the connection. */
  readonly status: number
  /** The server forbids another request on this connection (`Connection: close`, or HTTP/1.0). */
  readonly close: boolean
  /** Header fields by lower-case name; of repeated ones the last. */
  readonly headers: ReadonlyMap<string, string>
  /** The body with its transfer coding taken off. */
  readonly body: Buffer
}

interface Head extends Omit<Whole, "body"> {
  readonly framing: "length" | "chunked" | "until-close"
}

const empty = Buffer.alloc(0)

/** A head, a chunk's size or a trailer longer than this is no response. */
const longestLine = 64 * 1024

/** Bytes that are no HTTP/1.1 response. */
export class MalformedResponse extends Error {
  override readonly name = "MalformedResponse"
}

/** State of one expected response; make a new one for each request. */
export class ResponseReader {
  /** Bytes received so far, of head and body. */
  received = 0
  #pending: Buffer = empty
  #head: Head | undefined
  readonly #body: Array<Buffer> = []
  readonly #onBody: ((piece: Buffer) => void) | undefined
  /** Bytes of the body, or of the chunk, that are still to come. */
  #left = 0
  #place: "size" | "data" | "data end" | "trailer" | "done" = "size"

  /** `onBody` is told the pieces of the body as they come. */
  constructor(onBody?: (piece: Buffer) => void) {
    this.#onBody = onBody
  }

  /** What arrived after the response, once that is whole: of the next one, or none of HTTP. */
  get rest(): Buffer {
    return this.#pending
  }

  /** Status of the response that has begun; undefined before its head is whole. */
  get status(): number | undefined {
    return this.#head?.status
  }

  /** Takes what a read yielded. Returns the response once it is whole; throws {@link MalformedResponse}. */
  push(chunk: Buffer): Whole | undefined {
    this.received += chunk.length
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    while (this.#head === undefined) {
      const end = this.#pending.indexOf("\r\n\r\n")
      if (end < 0) {
        checkStart(this.#pending)
        return undefined
      }
      const { head, length } = parseHead(this.#pending.toString("latin1", 0, end))
      this.#pending = this.#pending.subarray(end + 4)
      if (head.status < 200 && head.status !== 101) continue
      this.#head = head
      this.#left = length
    }
    if (this.#head.framing === "chunked") this.#readChunks()
    else this.#take(this.#head.framing === "length" ? this.#left : this.#pending.length)
    const whole = this.#head.framing === "length" ? this.#left === 0 : this.#place === "done"
    if (!whole) return undefined
    // What came with the last piece of the response is none of it.
    this.received -= this.#pending.length
    return this.#whole(this.#head)
  }

  /** The server's FIN: only a response that has no other end is whole now. */
  end(): Whole | undefined {
    const head = this.#head
    return head?.framing === "until-close" ? this.#whole({ ...head, close: true }) : undefined
  }

  #whole({ close, headers, status }: Head): Whole {
    return { status, close, headers, body: Buffer.concat(this.#body) }
  }

  /** Moves up to `count` pending bytes to the body. */
  #take(count: number): void {
    const piece = this.#pending.subarray(0, count)
    if (piece.length === 0) return
    this.#pending = this.#pending.subarray(piece.length)
    this.#left -= piece.length
    // A response without an end of its own is watched, not kept.
    if (this.#onBody === undefined) this.#body.push(piece)
    else this.#onBody(piece)
  }

  #readChunks(): void {
    while (this.#place !== "done") {
      if (this.#place === "data") {
        this.#take(this.#left)
        if (this.#left > 0) return
        this.#place = "data end"
      }
      const end = this.#pending.indexOf("\r\n")
      if (end < 0) {
        if (this.#pending.length > (this.#place === "data end" ? 1 : longestLine))
          throw new MalformedResponse("chunk without its end")
        return
      }
      const line = this.#pending.toString("latin1", 0, end)
      this.#pending = this.#pending.subarray(end + 2)
      if (this.#place === "data end") {
        if (line !== "") throw new MalformedResponse("chunk without its end")
        this.#place = "size"
      } else if (this.#place === "size") {
        if (!/^[0-9a-fA-F]{1,12}[ \t]*(;.*)?$/.test(line))
          throw new MalformedResponse(`chunk size ${JSON.stringify(line.slice(0, 40))}`)
        this.#left = Number.parseInt(line, 16)
        this.#place = this.#left === 0 ? "trailer" : "data"
      } else if (line === "") this.#place = "done"
    }
  }
}

/** Refuses what cannot become a head before waiting for its end. */
const checkStart = (bytes: Buffer): void => {
  const start = "HTTP/1."
  const begun = bytes.toString("latin1", 0, Math.min(start.length, bytes.length))
  if (!start.startsWith(begun)) throw new MalformedResponse(`status line ${JSON.stringify(begun)}`)
  if (bytes.length > longestLine) throw new MalformedResponse("head without an end")
}

const tokens = (value: string): ReadonlyArray<string> =>
  value.split(",").map((token) => token.trim().toLowerCase())

const parseHead = (text: string): { readonly head: Head; readonly length: number } => {
  const lines = text.split("\r\n")
  const first = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(lines[0]!)
  if (first === null) throw new MalformedResponse(`status line ${JSON.stringify(lines[0]!.slice(0, 40))}`)
  const headers = new Map<string, string>()
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(":")
    if (colon < 1) throw new MalformedResponse(`header field ${JSON.stringify(line.slice(0, 40))}`)
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
  }
  const status = Number(first[2])
  const connection = tokens(headers.get("connection") ?? "")
  const close = connection.includes("close") || (first[1] === "0" && !connection.includes("keep-alive"))
  const bodiless = status === 204 || status === 304 || status < 200
  const chunked = tokens(headers.get("transfer-encoding") ?? "").at(-1) === "chunked"
  const length = headers.get("content-length")
  if (length !== undefined && !/^\d+$/.test(length)) throw new MalformedResponse(`content-length ${length}`)
  const framing = bodiless ? "length" : chunked ? "chunked" : length === undefined ? "until-close" : "length"
  const bytes = bodiless || length === undefined ? 0 : Number(length)
  return { head: { status, close, headers, framing }, length: bytes }
}
