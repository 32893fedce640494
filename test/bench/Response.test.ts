import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { MalformedResponse, ResponseReader } from "../../bench/drain/Response.js"

const withLength = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
const chunked =
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nhel\r\n2;x=1\r\nlo\r\n0\r\n\r\n"
const interim = "HTTP/1.1 100 Continue\r\n\r\n" + withLength
const untilClose = "HTTP/1.1 200 OK\r\n\r\nhello"

/** Feeds the text in pieces that end at the given places. */
const read = (text: string, cuts: ReadonlyArray<number>) => {
  const reader = new ResponseReader()
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

describe("ResponseReader", () => {
  it("reads a response however its bytes arrive, and never before the last one", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(withLength, chunked, interim),
        fc.array(fc.nat({ max: 200 }), { maxLength: 12 }),
        (text, cuts) => {
          const { early, whole } = read(text, cuts)
          assert.strictEqual(early, 0)
          assert.strictEqual(whole?.body.toString(), "hello")
          assert.strictEqual(whole?.status, 200)
          assert.strictEqual(whole?.close, text === chunked)
        }
      )
    )
  })

  it("takes FIN for the end of a response only where nothing else marks it", () => {
    const open = read(untilClose, []).reader
    assert.strictEqual(open.end()?.body.toString(), "hello")
    for (const text of [withLength, chunked]) {
      const reader = new ResponseReader()
      assert.isUndefined(reader.push(Buffer.from(text.slice(0, -1))))
      assert.isUndefined(reader.end())
      assert.strictEqual(reader.received, text.length - 1)
    }
  })

  it("needs no body after 204", () => {
    assert.strictEqual(read("HTTP/1.1 204 No Content\r\n\r\n", []).whole?.status, 204)
  })

  it("refuses what is no response, and bytes that follow one", () => {
    for (const text of ["SMTP ready\r\n\r\n", withLength + "!", chunked.replace("\r\n3\r\n", "\r\nz\r\n")]) {
      assert.throws(() => read(text, []), MalformedResponse)
    }
  })
})
