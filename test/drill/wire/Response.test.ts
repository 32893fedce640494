import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { MalformedResponse, ResponseReader } from "../../../src/drill/wire/Response.js"

const withLength = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
const chunked =
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nhel\r\n2;x=1\r\nlo\r\n0\r\n\r\n"
const trailed = chunked.replace("0\r\n\r\n", "0\r\nDigest: x\r\nMore: y\r\n\r\n")
const interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + withLength
const untilClose = "HTTP/1.1 200 OK\r\n\r\nhello"

/** Feeds the text in pieces that end at the given places. */
const read = (text: string, cuts: ReadonlyArray<number>, onBody?: (piece: Buffer) => void) => {
  const reader = new ResponseReader(onBody)
  const bytes = Buffer.from(text)
  const ends = [...new Set([...cuts.map((cut) => cut % bytes.length), bytes.length])].sort((a, b) => a - b)
  let from = 0
  let early = 0
  let whole
  for (const end of ends) {
    if (whole !== undefined) early++
    if (end > from) whole = reader.push(bytes.subarray(from, end))
    from = end
  }
  return { reader, whole, early }
}

const everyByte = (text: string) => Array.from(text, (_, i) => i)

describe("ResponseReader", () => {
  it.each([
    ["with a length", withLength],
    ["in chunks", chunked],
    ["with trailers", trailed],
    ["after interim ones", interim]
  ])("reads a response %s byte by byte", (_, text) => {
    const { early, reader, whole } = read(text, everyByte(text))
    assert.strictEqual(early, 0)
    assert.strictEqual(whole?.body.toString(), "hello")
    assert.strictEqual(reader.received, text.length)
  })

  it("reads a response however its bytes arrive, and never before the last one", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(withLength, chunked, trailed, interim),
        fc.array(fc.nat({ max: 300 }), { maxLength: 12 }),
        (text, cuts) => {
          const { early, whole } = read(text, cuts)
          assert.strictEqual(early, 0)
          assert.strictEqual(whole?.body.toString(), "hello")
          assert.strictEqual(whole?.status, 200)
          assert.strictEqual(whole?.close, text === chunked || text === trailed)
        }
      )
    )
  })

  it("keeps what follows a response for the next one, and counts it for that", () => {
    for (const text of [withLength, chunked, trailed]) {
      const { reader, whole } = read(text + "HTTP/1.1 2", [])
      assert.strictEqual(whole?.body.toString(), "hello")
      assert.strictEqual(reader.rest.toString(), "HTTP/1.1 2")
      assert.strictEqual(reader.received, text.length)
    }
  })

  it("takes FIN for the end of a response only where nothing else marks it", () => {
    const open = read(untilClose, everyByte(untilClose)).reader
    assert.strictEqual(open.end()?.body.toString(), "hello")
    assert.isTrue(open.end()?.close)
    for (const text of [withLength, chunked, trailed]) {
      for (let length = 0; length < text.length; length++) {
        const reader = new ResponseReader()
        assert.isUndefined(reader.push(Buffer.from(text.slice(0, length))))
        assert.isUndefined(reader.end())
        assert.strictEqual(reader.received, length)
      }
    }
  })

  it("tells the pieces of a body as they come", () => {
    for (const text of [withLength, chunked, untilClose]) {
      const pieces: Array<Buffer> = []
      read(text, everyByte(text), (piece) => pieces.push(piece))
      assert.lengthOf(pieces, 5)
      assert.strictEqual(Buffer.concat(pieces).toString(), "hello")
    }
  })

  it("needs no body after 204, 304 and 101, and leaves to 101 what follows it", () => {
    for (const status of [204, 304]) {
      const { whole } = read(`HTTP/1.1 ${status} X\r\nContent-Length: 5\r\n\r\n`, [])
      assert.strictEqual(whole?.status, status)
    }
    const upgraded = read("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n!!", [])
    assert.strictEqual(upgraded.whole?.status, 101)
    assert.strictEqual(upgraded.whole?.headers.get("upgrade"), "websocket")
    assert.lengthOf(upgraded.reader.rest, 2)
  })

  it("knows who may send another request", () => {
    const closes = (head: string) => read(`${head}\r\nContent-Length: 0\r\n\r\n`, []).whole?.close
    assert.isTrue(closes("HTTP/1.0 200 OK"))
    assert.isFalse(closes("HTTP/1.0 200 OK\r\nConnection: Keep-Alive"))
    assert.isTrue(closes("HTTP/1.1 200 OK\r\nconnection: foo, Close"))
    assert.isFalse(closes("HTTP/1.1 200 OK"))
    assert.isFalse(closes("HTTP/1.1 200"))
  })

  it.each([
    ["another protocol", "SMTP ready"],
    ["zeros", "\u0000\u0001\u0002"],
    ["HTTP/2", "HTTP/2 200 OK\r\n\r\n"],
    ["no status", "HTTP/1.1 OK\r\n\r\n"],
    ["a field without a colon", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n"],
    ["a length in words", withLength.replace("5", "five")],
    ["a negative length", withLength.replace("5", "-5")],
    ["a chunk without a number", chunked.replace("\r\n3\r\n", "\r\nz\r\n")],
    ["a chunk longer than it says", chunked.replace("hel\r\n", "hello\r\n")],
    ["an empty chunk size", chunked.replace("\r\n3\r\n", "\r\n\r\n")],
    ["a head without an end", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(70_000)}`]
  ])("refuses %s", (_, text) => {
    assert.throws(() => read(text, []), MalformedResponse)
    assert.throws(() => read(text, text.length > 1000 ? [900] : everyByte(text)), MalformedResponse)
  })

  it("never takes noise for a whole response with another status than it has", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        const reader = new ResponseReader()
        try {
          const whole = reader.push(Buffer.from(noise))
          assert.isUndefined(whole)
        } catch (error) {
          assert.instanceOf(error, MalformedResponse)
        }
      })
    )
  })
})
