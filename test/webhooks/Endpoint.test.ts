/** Where webhooks may not go: every kind of address, in every spelling, as the URL's host and as what its name leads to. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as IpAddress from "../../src/net/IpAddress.js"
import * as Address from "../../src/webhooks/Address.js"
import * as Endpoint from "../../src/webhooks/Endpoint.js"
import * as Resolver from "../../src/webhooks/Resolver.js"

const strict: Endpoint.Policy = { allowHttp: false, allowPrivate: false }

/** Addresses as name servers give them, and what is said of them. */
const inside: ReadonlyArray<readonly [address: string, what: string]> = [
  ["127.0.0.1", "a loopback address"],
  ["127.255.255.254", "a loopback address"],
  ["0.0.0.0", "an address of this machine"],
  ["0.1.2.3", "an address of this machine"],
  ["10.0.0.1", "a private address"],
  ["10.255.255.255", "a private address"],
  ["172.16.0.1", "a private address"],
  ["172.31.255.255", "a private address"],
  ["192.168.0.1", "a private address"],
  ["100.64.0.1", "an address behind a carrier's NAT"],
  ["100.127.255.255", "an address behind a carrier's NAT"],
  ["169.254.0.1", "a link-local address"],
  ["169.254.169.254", "the metadata service of a cloud"],
  ["100.100.100.200", "the metadata service of a cloud"],
  ["168.63.129.16", "the metadata service of a cloud"],
  ["224.0.0.1", "a multicast address"],
  ["239.255.255.255", "a multicast address"],
  ["240.0.0.1", "a reserved address"],
  ["255.255.255.255", "the broadcast address"],
  ["192.0.0.1", "a reserved address"],
  ["192.0.2.1", "an address for documentation"],
  ["198.51.100.1", "an address for documentation"],
  ["203.0.113.1", "an address for documentation"],
  ["198.18.0.1", "an address for benchmarks"],
  ["198.19.255.255", "an address for benchmarks"],
  ["192.88.99.1", "a reserved address"],
  ["::", "an address of this machine"],
  ["::1", "a loopback address"],
  ["fc00::1", "a private address"],
  ["fdff:ffff::1", "a private address"],
  ["fe80::1", "a link-local address"],
  ["fe80::1%eth0", "a link-local address"],
  ["febf::1", "a link-local address"],
  ["fec0::1", "a private address"],
  ["ff02::1", "a multicast address"],
  ["fd00:ec2::254", "the metadata service of a cloud"],
  ["fd20:ce::254", "the metadata service of a cloud"],
  ["2001:db8::1", "an address for documentation"],
  ["3fff::1", "an address for documentation"],
  ["100::1", "a reserved address"],
  ["2001::1", "a reserved address"],
  ["5f00::1", "a reserved address"],
  ["4000::1", "a reserved address"],
  // IPv4 inside: mapped, NAT64, 6to4, and the older forms.
  ["::ffff:127.0.0.1", "a loopback address"],
  ["::ffff:7f00:1", "a loopback address"],
  ["::ffff:169.254.169.254", "the metadata service of a cloud"],
  ["64:ff9b::10.0.0.1", "a private address"],
  ["64:ff9b::a9fe:a9fe", "the metadata service of a cloud"],
  ["64:ff9b:1::10.0.0.1", "a reserved address"],
  ["2002:7f00:1::", "a loopback address"],
  ["2002:c0a8:1::1", "a private address"],
  ["::127.0.0.1", "a reserved address"],
  ["::ffff:0:127.0.0.1", "a reserved address"]
]

const outside = [
  "1.1.1.1",
  "9.255.255.255",
  "11.0.0.1",
  "100.63.255.255",
  "100.128.0.1",
  "126.255.255.255",
  "128.0.0.1",
  "169.253.255.255",
  "172.15.255.255",
  "172.32.0.1",
  "192.167.255.255",
  "192.169.0.1",
  "198.17.255.255",
  "198.20.0.1",
  "223.255.255.255",
  "2606:4700:4700::1111",
  "2a00:1450:4001:81b::200e",
  "::ffff:8.8.8.8",
  "64:ff9b::8.8.8.8",
  "2002:808:808::1"
]

const host = (address: string) => (address.includes(":") ? `[${address}]` : address)

describe("an address", () => {
  it.each(inside)("%s is refused, as %s", (address, what) => {
    assert.strictEqual(Address.refusal(address, false), what)
  })

  it.each(outside)("%s is accepted", (address) => {
    assert.isUndefined(Address.refusal(address, false))
    assert.isTrue(Either.isRight(Endpoint.parse(`https://${host(address)}/`, strict)))
  })

  it("that leads inside is let through where its range is, and only there", () => {
    const allowed = ["10.1.0.0/16", "fd00::/8", "127.0.0.1"].map((text) => IpAddress.parseRange(text)!)
    for (const address of ["10.1.2.3", "fd00::1", "127.0.0.1", "::ffff:10.1.2.3"]) {
      assert.isUndefined(Address.refusal(address, allowed), address)
    }
    for (const address of ["10.2.0.1", "fc00::1", "127.0.0.2", "::1", "::ffff:10.2.0.1"]) {
      assert.isString(Address.refusal(address, allowed), address)
    }
    for (const [address] of inside) assert.isUndefined(Address.refusal(address, true), address)
    assert.strictEqual(Address.refusal("no address", true), "no address")
  })

  it("is in a range that is one", () => {
    for (const text of ["10.0.0.0/33", "10.0.0/8", "fd00::/129", "10.0.0.0/-1", "10.0.0.0/8/8", "x", ""]) {
      assert.isUndefined(IpAddress.parseRange(text), text)
    }
  })
})

const refusal = (url: string, policy: Endpoint.Policy = strict): string | undefined =>
  Either.match(Endpoint.parse(url, policy), { onLeft: ({ message }) => message, onRight: () => undefined })

describe("a URL", () => {
  it.each(inside.filter(([address]) => !address.includes("%")))(
    "to %s is refused, as %s",
    (address, what) => {
      assert.match(refusal(`https://${host(address)}/hook`) ?? "accepted", new RegExp(`${what}$`))
    }
  )

  it.each([
    ["decimal", "2130706433"],
    ["octal", "0177.0.0.1"],
    ["octal as a whole", "017700000001"],
    ["hexadecimal", "0x7f.0.0.1"],
    ["hexadecimal as a whole", "0x7f000001"],
    ["two parts", "127.1"],
    ["three parts", "127.0.1"],
    ["a final dot", "127.0.0.1."],
    ["a mixture with a final dot", "0x7f.1."],
    ["full-width digits", "１２７.０.０.１"],
    ["escapes", "%31%32%37.0.0.1"],
    ["other dots", "127。0。0。1"]
  ])("to 127.0.0.1 spelt with %s (%s) is refused", (_, spelt) => {
    assert.strictEqual(refusal(`https://${spelt}/`), "127.0.0.1 is a loopback address")
  })

  it.each([
    ["http://example.com/", "the URL's scheme must be https, not http"],
    ["ftp://example.com/", "the URL's scheme must be https, not ftp"],
    ["file:///etc/passwd", "the URL's scheme must be https, not file"],
    ["https://user@example.com/", "the URL must not carry a user or a password"],
    ["https://user:password@example.com/", "the URL must not carry a user or a password"],
    ["https://:password@example.com/", "the URL must not carry a user or a password"],
    ["https://example.com:22/", "port 22 is not one for webhooks: use 443, 80 or one from 1024 on"],
    ["https://example.com:0/", "port 0 is not one for webhooks: use 443, 80 or one from 1024 on"],
    ["https://example.com:25/", "port 25 is not one for webhooks: use 443, 80 or one from 1024 on"],
    ["https://example.com:6667/", "port 6667 is not one for webhooks: use 443, 80 or one from 1024 on"],
    ["https://example..com/", "example..com is no name of a host"],
    ["https://-example.com/", "-example.com is no name of a host"],
    ["https://", "the URL is not valid"],
    ["example.com", "the URL is not valid"],
    ["", "the URL is not valid"],
    [`https://example.com/${"x".repeat(2048)}`, "the URL is longer than 2048 characters"]
  ])("%s is refused", (url, message) => {
    assert.strictEqual(refusal(url), message)
  })

  it("may be http where that is allowed, and no other scheme", () => {
    const policy = { ...strict, allowHttp: true }
    assert.isUndefined(refusal("http://example.com:8080/hook?x=1", policy))
    assert.strictEqual(refusal("ws://example.com/", policy), "the URL's scheme must be https or http, not ws")
  })

  it("loses the final dot of its host and its fragment, and keeps the rest", () => {
    const kept = (url: string) => Either.getOrThrow(Endpoint.parse(url, strict)).href
    assert.strictEqual(kept("https://EXAMPLE.com./a?b=c#d"), "https://example.com/a?b=c")
    assert.strictEqual(kept("https://example.com:8443"), "https://example.com:8443/")
  })
})

describe("a URL that is given", () => {
  const check = (url: string, addresses: ReadonlyArray<string> | undefined, policy = strict) =>
    Endpoint.check(url, policy).pipe(
      Effect.provide(Resolver.layerTest(() => addresses)),
      Effect.merge,
      Effect.map((result) => (typeof result === "string" ? result : result.message))
    )

  it.effect.each(inside)("and whose name leads to %s is refused", ([address, what]) =>
    Effect.map(check("https://example.com/", [address]), (message) =>
      assert.strictEqual(message, `example.com leads to ${address}, which is ${what}`)
    )
  )

  it.effect("is refused when one of its name's addresses is", () =>
    Effect.map(check("https://example.com/", ["1.1.1.1", "::1"]), (message) =>
      assert.strictEqual(message, "example.com leads to ::1, which is a loopback address")
    )
  )

  it.effect("is refused when its name has no address, and accepted with a public one", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* check("https://example.com/", undefined),
        "example.com has no address (ENOTFOUND)"
      )
      assert.strictEqual(yield* check("https://example.com./x", ["1.1.1.1"]), "https://example.com/x")
    })
  )

  it.effect.each(["localhost", "LOCALHOST.", "hook.localhost"])("as %s is refused", (name) =>
    Endpoint.check(`https://${name}/`, strict).pipe(
      Effect.provide(Resolver.layer),
      Effect.flip,
      Effect.map(({ message }) =>
        assert.match(message, /leads to 127\.0\.0\.1, which is a loopback address$/)
      )
    )
  )
})
