import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import {
  BadFrame,
  FrameReader,
  type Message,
  closePayload,
  encode
} from "../../../src/drill/wire/WebSocketFrames.js"

/** A frame as servers send it: not masked. */
const frame = (first: number, payload: Buffer | string = ""): Buffer => {
  const body = Buffer.from(payload)
  if (body.length < 126) return Buffer.concat([Buffer.from([first, body.length]), body])
  if (body.length < 65_536) {
    const head = Buffer.from([first, 126, 0, 0])
    head.writeUInt16BE(body.length, 2)
    return Buffer.concat([head, body])
  }
  const head = Buffer.alloc(10)
  head[0] = first
  head[1] = 127
  head.writeBigUInt64BE(BigInt(body.length), 2)
  return Buffer.concat([head, body])
}

const close = (code: number, reason = ""): Buffer =>
  frame(0x88, Buffer.concat([closePayload(code), Buffer.from(reason)]))

const readAll = (...chunks: ReadonlyArray<Buffer>): ReadonlyArray<Message> => {
  const reader = new FrameReader()
  return chunks.flatMap((chunk) => reader.push(chunk))
}

describe("WebSocketFrames", () => {
  it("masks what a client sends, with the lengths of the protocol", () => {
    // The example of RFC 6455, 5.7: "Hello", masked.
    assert.strictEqual(
      encode(0x1, Buffer.from("Hello"), Buffer.from([0x37, 0xfa, 0x21, 0x3d])).toString("hex"),
      "818537fa213d7f9f4d5158"
    )
    const heads = [125, 126, 65_535, 65_536].map((length) =>
      encode(0x2, Buffer.alloc(length), Buffer.alloc(4)).subarray(0, 10).toString("hex")
    )
    assert.deepStrictEqual(heads, [
      "82fd0000000000000000",
      "82fe007e000000000000",
      "82feffff000000000000",
      "82ff0000000000010000"
    ])
  })

  it("reads the same however the network cut it up", () => {
    const payload = FastCheck.oneof(
      FastCheck.string({ maxLength: 20 }),
      FastCheck.constantFrom("x".repeat(126), "y".repeat(70_000), "naïve ☃")
    )
    const message = FastCheck.oneof(
      payload.map((text) => ({ bytes: frame(0x81, text), is: { kind: "text", text } })),
      payload.map((text) => ({
        bytes: Buffer.concat([
          frame(0x01, Buffer.from(text).subarray(0, 3)),
          frame(0x89, "p"),
          frame(0x80, Buffer.from(text).subarray(3))
        ]),
        is: { kind: "text", text }
      })),
      payload.map((text) => ({ bytes: frame(0x82, text), is: { kind: "binary", data: Buffer.from(text) } }))
    )
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(message, { maxLength: 4 }),
        FastCheck.array(FastCheck.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 8 }),
        (messages, cuts) => {
          const bytes = Buffer.concat([...messages.map((one) => one.bytes), close(1001, "bye")])
          const chunks: Array<Buffer> = []
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const size = bytes.length > 1000 ? cuts[i % cuts.length]! : (cuts[i % cuts.length]! % 7) + 1
            chunks.push(bytes.subarray(at, at + size))
            at += size
          }
          const read = readAll(...chunks).filter((one) => one.kind !== "ping")
          assert.deepStrictEqual<unknown>(read, [
            ...messages.map((one) => one.is),
            { kind: "close", code: 1001, reason: "bye" }
          ])
        }
      ),
      { numRuns: 60 }
    )
  })

  it("a close frame without a code is 1005, and what follows one is passed over", () => {
    assert.deepStrictEqual(readAll(frame(0x88)), [{ kind: "close", code: 1005, reason: "" }])
    assert.deepStrictEqual(readAll(close(1001), frame(0x81, "late")), [
      { kind: "close", code: 1001, reason: "" }
    ])
  })

  it.each([
    ["reserved bits", Buffer.from([0xc1, 0])],
    ["a masked frame", Buffer.from([0x81, 0x80, 0, 0, 0, 0])],
    ["a control frame in pieces", Buffer.from([0x08, 0])],
    ["a long control frame", Buffer.from([0x89, 126, 0, 200])],
    ["an unknown opcode", Buffer.from([0x83, 0])],
    ["a continuation of nothing", frame(0x80, "x")],
    ["a message inside another", Buffer.concat([frame(0x01, "x"), frame(0x81, "y")])],
    ["half a close code", frame(0x88, "x")],
    ["a code that may not be sent", close(1005)],
    ["a code of nobody", close(2999)],
    ["text that is none", frame(0x81, Buffer.from([0xff]))],
    ["a reason that is no text", frame(0x88, Buffer.from([0x03, 0xe9, 0xff]))],
    ["a frame that is too long", Buffer.concat([Buffer.from([0x82, 127]), Buffer.alloc(8, 1)])]
  ])("refuses %s", (_, bytes) => {
    assert.throws(() => readAll(bytes), BadFrame)
  })

  it("never throws anything else, whatever the bytes", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(FastCheck.uint8Array({ maxLength: 40 }), { maxLength: 5 }),
        (chunks) => {
          try {
            readAll(...chunks.map((chunk) => Buffer.from(chunk)))
          } catch (error) {
            assert.instanceOf(error, BadFrame)
          }
        }
      ),
      { numRuns: 500 }
    )
  })
})
