/**
 * Addresses of the internet that a webhook may go to, and those that lead inside.
 *
 * Whoever may name a URL could have this service talk to its own machine, its network or the cloud's metadata. So what is not an address of the public internet
 * is refused, whichever of its spellings it comes in, and also where an IPv6 address carries such an IPv4 address inside.
 *
 * @module
 */
import * as IpAddress from "../net/IpAddress.js"

/** What is let through of the addresses that lead inside. */
export type Allowed =
  /** Nothing, or everything. */
  boolean | ReadonlyArray<IpAddress.Range>

/** The same as it is written in settings; of ranges how many there are. */
export const shown = (allowed: Allowed): string =>
  typeof allowed === "boolean" ? String(allowed) : `<${allowed.length} ranges>`

/** Every kind that is refused, the closer description first. From the registries of special-purpose addresses (RFC 6890 and its updates) and the clouds' handbooks. */
const refused: ReadonlyArray<readonly [range: string, what: string]> = [
  ["169.254.169.254/32", "the metadata service of a cloud"],
  ["100.100.100.200/32", "the metadata service of a cloud"],
  ["168.63.129.16/32", "the metadata service of a cloud"],
  ["fd00:ec2::254/128", "the metadata service of a cloud"],
  ["fd20:ce::254/128", "the metadata service of a cloud"],
  ["0.0.0.0/8", "an address of this machine"],
  ["127.0.0.0/8", "a loopback address"],
  ["10.0.0.0/8", "a private address"],
  ["172.16.0.0/12", "a private address"],
  ["192.168.0.0/16", "a private address"],
  ["100.64.0.0/10", "an address behind a carrier's NAT"],
  ["169.254.0.0/16", "a link-local address"],
  ["224.0.0.0/4", "a multicast address"],
  ["255.255.255.255/32", "the broadcast address"],
  ["240.0.0.0/4", "a reserved address"],
  ["192.0.0.0/24", "a reserved address"],
  ["192.0.2.0/24", "an address for documentation"],
  ["198.51.100.0/24", "an address for documentation"],
  ["203.0.113.0/24", "an address for documentation"],
  ["192.88.99.0/24", "a reserved address"],
  ["198.18.0.0/15", "an address for benchmarks"],
  ["::/128", "an address of this machine"],
  ["::1/128", "a loopback address"],
  ["fc00::/7", "a private address"],
  ["fe80::/10", "a link-local address"],
  ["fec0::/10", "a private address"],
  ["ff00::/8", "a multicast address"],
  ["2001:db8::/32", "an address for documentation"],
  ["3fff::/20", "an address for documentation"],
  ["5f00::/16", "a reserved address"],
  ["100::/64", "a reserved address"],
  ["2001::/23", "a reserved address"]
]

let parsed: ReadonlyArray<{ readonly range: IpAddress.Range; readonly what: string }> | undefined

/** Read when the first address is looked at: a start need not wait for it. */
const ranges = () =>
  (parsed ??= refused.map(([range, what]) => ({ range: IpAddress.parseRange(range)!, what })))

/** The part of IPv6 that is given out as public addresses; what is outside of it is reserved, or carries an IPv4 address. */
const global6 = IpAddress.parseRange("2000::/3")!

const last32 = 0xffffffffn

/** Addresses that lead to the IPv4 address that they carry (mapped, NAT64, 6to4), and how many bits from their end it stands. */
const carriers: ReadonlyArray<readonly [range: IpAddress.Range, shift: bigint]> = [
  ["::ffff:0:0/96", 0n],
  ["64:ff9b::/96", 0n],
  ["2002::/16", 80n]
].map(([range, shift]) => [IpAddress.parseRange(range as string)!, shift as bigint] as const)

/** The IPv4 address inside, if there is one. */
const carried = (address: IpAddress.Address): IpAddress.Address | undefined => {
  if (address.family === 4) return undefined
  const carrier = carriers.find(([range]) => IpAddress.isIn(address, range))
  return carrier === undefined ? undefined : { family: 4, value: (address.value >> carrier[1]) & last32 }
}

const kindOf = (address: IpAddress.Address): string | undefined => {
  const known = ranges().find(({ range }) => IpAddress.isIn(address, range))?.what
  if (known !== undefined) return known
  const inside = carried(address)
  if (inside !== undefined) return kindOf(inside)
  // That includes the older forms that carry one, and prefixes for NAT64 within one network.
  return address.family === 6 && !IpAddress.isIn(address, global6) ? "a reserved address" : undefined
}

/**
 * Why a webhook may not go to an address, in words that follow "is"; undefined when it may. What is allowed counts for the address itself and for one that it carries.
 */
export const refusal = (text: string, allowed: Allowed): string | undefined => {
  const address = IpAddress.parse(text)
  if (address === undefined) return "no address"
  const kind = kindOf(address)
  if (kind === undefined || allowed === true) return undefined
  const inside = carried(address)
  const passes = (range: IpAddress.Range) =>
    IpAddress.isIn(address, range) || (inside !== undefined && IpAddress.isIn(inside, range))
  return allowed !== false && allowed.some(passes) ? undefined : kind
}
