/**
 * Whose request it is: the address of the client, also where proxies stand in between.
 *
 * | key | default | allowed |
 * |---|---|---|
 * | `TRUSTED_PROXIES` | none: the client is who is connected | addresses and ranges such as `10.1.0.0/16, fd00::/8`, and the names `loopback` and `private`, separated by commas |
 *
 * A proxy adds the address that it was connected from to the right of `X-Forwarded-For`. What stands further left was there before, and anybody may have written it.
 * So the header is read from the right, and only for as long as what has been read is a proxy's that is trusted. `Forwarded` (RFC 7239) is not read: a proxy that does
 * not know it passes on what a client wrote there.
 *
 * @module
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Http from "node:http"
import * as Net from "node:net"
import * as ConfigText from "../lifecycle/ConfigText.js"
import * as IpAddress from "../net/IpAddress.js"

/** Who is believed. */
export interface Trusted {
  /** As it was written; empty where nobody is. */
  readonly text: string
  /** The same as ranges. */
  readonly ranges: ReadonlyArray<IpAddress.Range>
}

/** The service. */
export interface Shape {
  /**
   * The client's IP address: the peer's, or what trusted proxies say of it. An IPv4 address that came as IPv6 (`::ffff:10.1.2.3`) is given as IPv4; a zone is left out.
   * Empty when the connection is gone already. It never throws.
   */
  readonly of: (request: Http.IncomingMessage) => string
  /** Whether any proxy is believed. */
  readonly believes: boolean
}

/** Addresses of clients. */
export class ClientAddress extends Context.Tag("stellar-insights/http/ClientAddress")<
  ClientAddress,
  Shape
>() {}

/** Nobody is believed. */
export const nobody: Trusted = { text: "", ranges: [] }

const names: Record<string, ReadonlyArray<string>> = {
  loopback: ["127.0.0.0/8", "::1"],
  private: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]
}

/** Reads a list of who is trusted, or says in half a sentence what is wrong with it. */
export const parseTrusted = (text: string): Either.Either<Trusted, string> => {
  const ranges: Array<IpAddress.Range> = []
  const parts = text.split(",").map((part) => part.trim())
  for (const part of parts) {
    if (part === "") continue
    for (const one of names[part] ?? [part]) {
      const range = IpAddress.parseRange(one)
      if (range === undefined) {
        const allowed = "addresses, ranges such as 10.1.0.0/16, loopback and private, separated by commas"
        return Either.left(`"${part}" is no address, range or name; allowed are ${allowed}`)
      }
      ranges.push(range)
    }
  }
  return Either.right({ text: parts.filter((part) => part !== "").join(","), ranges })
}

/** `TRUSTED_PROXIES`. */
export const config: Config.Config<Trusted> = ConfigText.parsed("TRUSTED_PROXIES", parseTrusted, nobody)

/** An IPv4 address in the form that IPv6 sockets give it. */
const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/** The peer's address, in the form that all are compared in. */
const plain = (address: string): string => {
  if (!address.includes(":")) return address
  const four = mapped.exec(address)
  if (four !== null) return four[1]!
  const zone = address.indexOf("%")
  return zone < 0 ? address : address.slice(0, zone)
}

/** An entry of `X-Forwarded-For`, which some proxies write with the port; undefined when it is no address. */
const entry = (text: string): string | undefined => {
  if (Net.isIPv4(text)) return text
  const [, inBrackets, four] = /^(?:\[([^\]]+)\](?::\d+)?|([\d.]+):\d+)$/.exec(text) ?? []
  const bare = plain(inBrackets ?? four ?? text)
  if (Net.isIPv4(bare)) return bare
  return Net.isIPv6(bare)
    ? plain(new Net.SocketAddress({ address: bare, family: "ipv6" }).address)
    : undefined
}

/** How many proxies in a row are followed: nobody has more, and the header may be as long as the client likes. */
const mostHops = 16

/** How many addresses are remembered as trusted or not. */
const mostKnown = 1000

/** Addresses of clients, where these are trusted. */
export const make = ({ ranges }: Trusted): Shape => {
  const peer = (request: Http.IncomingMessage) => plain(request.socket.remoteAddress ?? "")
  if (ranges.length === 0) return { of: peer, believes: false }
  const known = new Map<string, boolean>()
  const isTrusted = (address: string): boolean => {
    const before = known.get(address)
    if (before !== undefined) return before
    const parsed = IpAddress.parse(address)
    const found = parsed !== undefined && ranges.some((range) => IpAddress.isIn(parsed, range))
    if (known.size >= mostKnown) known.clear()
    known.set(address, found)
    return found
  }
  return {
    believes: true,
    of: (request) => {
      let address = peer(request)
      const header = request.headers["x-forwarded-for"]
      if (header === undefined) return address
      const text = typeof header === "string" ? header : header.join(",")
      let end = text.length
      for (let hops = 0; hops < mostHops && end > 0 && isTrusted(address); hops++) {
        const comma = text.lastIndexOf(",", end - 1)
        const next = entry(text.slice(comma + 1, end).trim())
        if (next === undefined) break
        address = next
        end = comma
      }
      return address
    }
  }
}

/**
 * What limits count an address by: IPv4 as it is, of IPv6 the first 64 bits, since whoever has one such address has all that share them.
 */
export const network = (address: string): string => {
  if (!address.includes(":")) return address
  const [head = "", tail] = address.split("::")
  const before = head === "" ? [] : head.split(":")
  if (before.length < 4 && tail !== undefined) {
    const after = tail === "" ? 0 : tail.split(":").length + (tail.includes(".") ? 1 : 0)
    const zeros = Math.min(4, 8 - after) - before.length
    for (let index = 0; index < zeros; index++) before.push("0")
    if (before.length < 4) before.push(...tail.split(":"))
  }
  return `${before.slice(0, 4).join(":")}::/64`
}

/** With the given proxies. */
export const layer = (trusted: Trusted): Layer.Layer<ClientAddress> =>
  Layer.sync(ClientAddress, () => make(trusted))

/** With `TRUSTED_PROXIES`. Fails with `ConfigError`. */
export const layerConfig = Layer.effect(ClientAddress, Effect.map(config, make))
