/**
 * Reads HTTP/1.1 responses from the bytes of a socket, one at a time.
 *
 * It is deliberately not `node:http`: a client library hides what the bench is about, namely how far a response got
 * before the connection went away.
 */

/** One whole response. */
export interface Whole {
  /** Status code of the final response; interim ones (1xx) are passed over. */
  readonly status: number
  /** The server forbids another request on this connection (`Connection: close`, or HTTP/1.0). */
  readonly close: boolean
  /** The body with its transfer coding taken off. */
  readonly body: Buffer
}

interface Head {
  readonly status: number
  readonly close: boolean
  readonly framing: "length" | "chunked" | "until-close"
  readonly length: number
}

const empty = Buffer.alloc(0)

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
  #chunks: Array<Buffer> = []
  #chunksDone = false

  /** Takes what a read yielded. Returns the response once it is whole; throws `MalformedResponse`. */
  push(chunk: Buffer): Whole | undefined {
    this.received += chunk.length
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    while (this.#head === undefined) {
      const end = this.#pending.indexOf("\r\n\r\n")
      if (end < 0) return undefined
      const head = parseHead(this.#pending.toString("latin1", 0, end))
      this.#pending = this.#pending.subarray(end + 4)
      if (head.status >= 200) this.#head = head
    }
    const head = this.#head
    if (head.framing === "until-close") return undefined
    if (head.framing === "length") {
      if (this.#pending.length < head.length) return undefined
      if (this.#pending.length > head.length) throw new MalformedResponse("bytes after the response")
      return { status: head.status, close: head.close, body: this.#pending }
    }
    this.#readChunks()
    if (!this.#chunksDone) return undefined
    if (this.#pending.length > 0) throw new MalformedResponse("bytes after the response")
    return { status: head.status, close: head.close, body: Buffer.concat(this.#chunks) }
  }

  /** The server's FIN: only a response that has no other end is whole now. */
  end(): Whole | undefined {
    const head = this.#head
    if (head === undefined || head.framing !== "until-close") return undefined
    return { status: head.status, close: true, body: this.#pending }
  }

  #readChunks(): void {
    while (!this.#chunksDone) {
      const line = this.#pending.indexOf("\r\n")
      if (line < 0) return
      const text = this.#pending.toString("latin1", 0, line)
      if (!/^[0-9a-fA-F]+(;.*)?$/.test(text))
        throw new MalformedResponse(`chunk size ${JSON.stringify(text)}`)
      const size = Number.parseInt(text, 16)
      const next = line + 2 + size + 2
      if (this.#pending.length < next) return
      // The bench's servers send no trailers, so the last chunk is followed by an empty line only.
      if (this.#pending.toString("latin1", next - 2, next) !== "\r\n") {
        throw new MalformedResponse("chunk without its end")
      }
      if (size === 0) this.#chunksDone = true
      else this.#chunks.push(this.#pending.subarray(line + 2, next - 2))
      this.#pending = this.#pending.subarray(next)
    }
  }
}

const parseHead = (text: string): Head => {
  const lines = text.split("\r\n")
  const status = /^HTTP\/1\.([01]) (\d{3})/.exec(lines[0] ?? "")
  if (status === null) throw new MalformedResponse(`status line ${JSON.stringify(lines[0])}`)
  let close = status[1] === "0"
  let length: number | undefined
  let chunked = false
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]!
    const colon = line.indexOf(":")
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (name === "content-length") length = Number(value)
    else if (name === "transfer-encoding") chunked = value.toLowerCase() === "chunked"
    else if (name === "connection" && value.toLowerCase() === "close") close = true
  }
  const code = Number(status[2])
  const bodiless = code === 204 || code === 304 || code < 200
  return {
    status: code,
    close,
    framing: chunked ? "chunked" : bodiless || length !== undefined ? "length" : "until-close",
    length: bodiless ? 0 : (length ?? 0)
  }
}
