import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as RpcBody from "../../../src/stellar/source/RpcBody.js"

const parse = (text: string) => RpcBody.parse(Buffer.from(text))
const read = (text: string) => {
  const { base64, json } = parse(text)
  return base64((json as { readonly xdr: unknown }).xdr)
}

/** Bytes around the length from which on strings are not made, and beyond. */
const bytes = fc.uint8Array({ minLength: 0, maxLength: 3000 })

describe("RpcBody", () => {
  it("finds the bytes of every base64 string, short or long, wherever it stands", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string(), bytes)),
        fc.json(),
        fc.boolean(),
        (entries, beside, spaced) => {
          const text = JSON.stringify(
            {
              entries: entries.map(([key, value]) => ({ key, xdr: Buffer.from(value).toString("base64") })),
              beside: JSON.parse(beside) as unknown
            },
            null,
            spaced ? 2 : 0
          )
          const { base64, json } = parse(text)
          const found = json as { entries: ReadonlyArray<{ key: string; xdr: unknown }>; beside: unknown }
          assert.deepStrictEqual(found.beside, JSON.parse(beside))
          for (const [i, [key, value]] of entries.entries()) {
            assert.strictEqual(found.entries[i]!.key, key)
            assert.isTrue(Buffer.from(base64(found.entries[i]!.xdr)!).equals(value))
          }
        }
      ),
      { numRuns: 200 }
    )
  })

  it("reads what JSON.parse reads where no string is long", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        assert.deepStrictEqual(parse(text).json, JSON.parse(text))
      }),
      { numRuns: 300 }
    )
  })

  it("throws wherever a body is cut off", () => {
    const whole = JSON.stringify({ a: 'quo"ted\\', xdr: "A".repeat(1500), n: [1, { b: null }] })
    for (let length = 0; length < whole.length; length++) {
      assert.throws(() => parse(whole.slice(0, length)), SyntaxError)
    }
    parse(whole)
  })

  it("reads escapes, which some servers write in base64", () => {
    const slashes = Buffer.alloc(1200, 0xff)
    const text = JSON.stringify({ xdr: slashes.toString("base64") })
    assert.isTrue(Buffer.from(read(text.replaceAll("/", "\\/"))!).equals(slashes))
    assert.isTrue(Buffer.from(read(text.replaceAll("/", "\\u002f"))!).equals(slashes))
  })

  it("does not take for base64 what is none", () => {
    for (const long of ["", "A".repeat(2000)]) {
      for (const text of [
        "A",
        "AB=",
        "AB===",
        "A B=",
        "AAAA*AAA",
        "AA\\nAA",
        "AAA\\",
        "@0",
        "@7",
        "@",
        "=AAA"
      ]) {
        const xdr = long === "" ? text : long + text
        assert.isUndefined(read(JSON.stringify({ xdr })), xdr)
      }
    }
    for (const xdr of [null, 1, {}, ["AAAA"], true]) assert.isUndefined(read(JSON.stringify({ xdr })))
    assert.isUndefined(read("{}"))
  })
})
