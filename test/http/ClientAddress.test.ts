/** Whose request it is: who is believed about it, and who is not. */
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Http from "node:http"
import * as ClientAddress from "../../src/http/ClientAddress.js"

const request = (remoteAddress: string | undefined, forwarded?: string | ReadonlyArray<string>) => {
  const headers = forwarded === undefined ? {} : { "x-forwarded-for": forwarded }
  return { socket: { remoteAddress }, headers } as unknown as Http.IncomingMessage
}

const of = (
  trusted: string,
  remoteAddress: string | undefined,
  forwarded?: string | ReadonlyArray<string>
): string =>
  ClientAddress.make(Either.getOrThrowWith(ClientAddress.parseTrusted(trusted), Error)).of(
    request(remoteAddress, forwarded)
  )

describe("the address of a client", () => {
  it.each([
    // trusted, peer, header, client
    ["", "10.0.0.1", "1.2.3.4", "10.0.0.1"],
    ["", "::ffff:10.0.0.1", undefined, "10.0.0.1"],
    ["", "fe80::1%eth0", undefined, "fe80::1"],
    ["", undefined, undefined, ""],
    ["10.0.0.0/8", "10.0.0.1", undefined, "10.0.0.1"],
    ["10.0.0.0/8", "10.0.0.1", "1.2.3.4", "1.2.3.4"],
    ["10.0.0.0/8", "::ffff:10.0.0.1", "1.2.3.4", "1.2.3.4"],
    ["10.0.0.0/8", "11.0.0.1", "1.2.3.4", "11.0.0.1"],
    ["10.0.0.0/8", "10.0.0.1", "9.9.9.9, 1.2.3.4", "1.2.3.4"],
    ["10.0.0.0/8", "10.0.0.1", "9.9.9.9, 1.2.3.4,10.0.0.2 , 10.0.0.3", "1.2.3.4"],
    ["10.0.0.0/8", "10.0.0.1", "10.0.0.4, 10.0.0.3", "10.0.0.4"],
    ["10.0.0.0/8", "10.0.0.1", "1.2.3.4, unknown, 10.0.0.3", "10.0.0.3"],
    ["10.0.0.0/8", "10.0.0.1", "1.2.3.4,", "10.0.0.1"],
    ["10.0.0.0/8", "10.0.0.1", "", "10.0.0.1"],
    ["10.0.0.0/8", "10.0.0.1", "1.2.3.4:5678", "1.2.3.4"],
    ["10.0.0.0/8", "10.0.0.1", "[2001:DB8:0::1]:443", "2001:db8::1"],
    ["10.0.0.0/8", "10.0.0.1", "2001:0db8::0001", "2001:db8::1"],
    ["10.0.0.0/8", "10.0.0.1", "::ffff:1.2.3.4", "1.2.3.4"],
    ["10.0.0.0/8", "10.0.0.1", "::FFFF:102:304", "1.2.3.4"],
    ["10.0.0.0/8", "10.0.0.1", ["9.9.9.9", "1.2.3.4"], "1.2.3.4"],
    ["10.0.0.1", "10.0.0.2", "1.2.3.4", "10.0.0.2"],
    ["loopback", "127.0.0.1", "1.2.3.4", "1.2.3.4"],
    ["loopback", "::1", "1.2.3.4, 127.0.0.9", "1.2.3.4"],
    ["private", "fd12::1", "1.2.3.4, 192.168.1.1, 172.20.0.1", "1.2.3.4"],
    ["private", "127.0.0.1", "1.2.3.4", "127.0.0.1"]
  ])("with %j trusted, from %j with %j, is %j", (trusted, peer, forwarded, client) => {
    assert.strictEqual(of(trusted, peer, forwarded), client)
  })

  it("is not looked for without end", () => {
    const many = Array.from({ length: 2000 }, () => "10.0.0.2").join(",")
    assert.strictEqual(of("10.0.0.0/8", "10.0.0.1", `1.2.3.4,${many}`), "10.0.0.2")
  })

  it("remembers whom it trusts, and not without bound", () => {
    const { of } = ClientAddress.make(Either.getOrThrow(ClientAddress.parseTrusted("10.0.0.0/8")))
    for (let index = 0; index < 3000; index++) {
      const peer = `10.0.${index >> 8}.${index & 255}`
      assert.strictEqual(of(request(peer, "1.2.3.4")), "1.2.3.4")
      assert.strictEqual(of(request(`11.0.${index >> 8}.1`, "1.2.3.4")), `11.0.${index >> 8}.1`)
    }
  })
})

describe("what limits count by", () => {
  it.each([
    ["1.2.3.4", "1.2.3.4"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:db8::1:2:3:4:5", "2001:db8:0:1::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::2:3:4:5:6:7", "0:0:2:3::/64"],
    ["2001:db8:1::", "2001:db8:1:0::/64"],
    ["64:ff9b::1.2.3.4", "64:ff9b:0:0::/64"]
  ])("%s is in %s", (address, network) => {
    assert.strictEqual(ClientAddress.network(address), network)
  })
})

describe("TRUSTED_PROXIES", () => {
  const read = (entries: ReadonlyArray<readonly [string, string]>) =>
    Effect.withConfigProvider(ClientAddress.config, ConfigProvider.fromMap(new Map(entries)))

  it.effect("is nobody by default", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read([]), ClientAddress.nobody)
      assert.deepStrictEqual(yield* read([["TRUSTED_PROXIES", " "]]), ClientAddress.nobody)
    })
  )

  it.effect("names addresses, ranges and kinds", () =>
    Effect.gen(function* () {
      const { ranges, text } = yield* read([["TRUSTED_PROXIES", "10.1.0.0/16, fd00::1 , loopback,"]])
      assert.strictEqual(text, "10.1.0.0/16,fd00::1,loopback")
      assert.strictEqual(ranges.length, 4)
    })
  )

  it.effect.each(["10.0.0.0/33", "localhost", "10.0.0", "public", "*"])("refuses %s", (text) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(read([["TRUSTED_PROXIES", `loopback,${text}`]]))
      assert.include(String(error), `"${text}" is no address, range or name`)
    })
  )
})
