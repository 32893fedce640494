import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Arbitrary from "effect/Arbitrary"
import * as Frame from "../../src/realtime/Frame.js"
import * as Protocol from "../../src/realtime/Protocol.js"

const wrong = (text: string) =>
  Either.match(Protocol.decodeClient(text), {
    onLeft: (message) => message,
    onRight: (message) => assert.fail(`it was read: ${JSON.stringify(message)}`)
  })

describe("Protocol", () => {
  it("says in a sentence what is wrong with a message", () => {
    assert.strictEqual(wrong("{"), "this is not JSON")
    for (const text of ["[]", "null", "1", '"ping"'])
      assert.strictEqual(
        wrong(text),
        'a message is an object with "op", which is one of subscribe, unsubscribe, ping, resume'
      )
    assert.strictEqual(
      wrong('{"channels":[]}'),
      "there is no op; it is one of subscribe, unsubscribe, ping, resume"
    )
    assert.match(wrong('{"op":"toString"}'), /^op "toString" is not known; it is one of/)
    assert.match(wrong('{"op":"__proto__"}'), /is not known/)
    assert.match(wrong('{"op":"ping","extra":1}'), /^ping: extra: is unexpected/)
    assert.match(wrong('{"op":"subscribe"}'), /^subscribe: channels: is missing/)
    assert.match(wrong('{"op":"subscribe","channels":[]}'), /^subscribe: channels: /)
    assert.strictEqual(
      wrong('{"op":"subscribe","channels":["a b"]}'),
      "subscribe: channels.0: a channel's name has 1 to 200 printable ASCII characters, without spaces"
    )
    assert.match(wrong('{"op":"resume","token":"x","lastEventId":-1}'), /^resume: lastEventId: an event's id/)
    assert.match(wrong('{"op":"resume","token":"x","lastEventId":"1"}'), /^resume: lastEventId: /)
    assert.match(wrong('{"op":"resume","token":"x","lastEventId":1.5}'), /^resume: lastEventId: /)
  })

  it("keeps what it says of a message short, however long that is", () => {
    const long = "x".repeat(50_000)
    for (const text of [
      JSON.stringify({ op: long }),
      JSON.stringify({ op: "ping", [long]: 1 }),
      JSON.stringify({ op: "subscribe", channels: { [long]: long } }),
      JSON.stringify({ op: "resume", token: long, lastEventId: long })
    ]) {
      assert.isBelow(wrong(text).length, 350)
    }
  })

  it("reads every message that a client can say", () => {
    FastCheck.assert(
      FastCheck.property(Arbitrary.make(Protocol.ClientMessage), (message) => {
        assert.deepStrictEqual(
          Either.getOrThrow(Protocol.decodeClient(JSON.stringify(message))),
          JSON.parse(JSON.stringify(message))
        )
      }),
      { numRuns: 200 }
    )
  })

  it("never throws, whatever it reads", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.oneof(FastCheck.string(), FastCheck.json()), (text) => {
        Protocol.decodeClient(text)
      }),
      { numRuns: 500 }
    )
  })

  it("frames text of any length as RFC 6455 says", () => {
    const head = (length: number) => [...Frame.text("é".repeat(length / 2)).subarray(0, 10)]
    assert.deepStrictEqual(head(124).slice(0, 2), [0x81, 124])
    assert.deepStrictEqual(head(126).slice(0, 4), [0x81, 126, 0, 126])
    assert.deepStrictEqual(head(65_534).slice(0, 4), [0x81, 126, 255, 254])
    assert.deepStrictEqual(head(65_536), [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0])
    assert.strictEqual(Frame.text("é").subarray(2).toString(), "é")
  })
})
