/**
 * Addresses of the internet and ranges of them, as numbers: what is written in many ways is compared in one.
 *
 * @module
 */
import * as Net from "node:net"

/** An address. */
export interface Address {
  /** Which kind. */
  readonly family: 4 | 6
  /** Its 32 or 128 bits. */
  readonly value: bigint
}

/** A range of addresses. */
export interface Range {
  /** The first address as a number of 32 or 128 bits. */
  readonly base: bigint
  /** How many of its leading bits count. */
  readonly prefix: number
  /** Which kind of address. */
  readonly family: 4 | 6
}

const parse4 = (text: string): bigint =>
  text.split(".").reduce((value, part) => (value << 8n) | BigInt(part), 0n)

const parse6 = (text: string): bigint => {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)
  const plain =
    dotted === null
      ? text
      : `${dotted[1]!}${(parse4(dotted[2]!) >> 16n).toString(16)}:${(parse4(dotted[2]!) & 0xffffn).toString(16)}`
  const groups = (part: string) => (part === "" ? [] : part.split(":"))
  const [head = "", tail] = plain.split("::")
  const [before, after] = [groups(head), groups(tail ?? "")]
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length
  return [...before, ...Array.from({ length: zeros }, () => "0"), ...after].reduce(
    (value, group) => (value << 16n) | BigInt(`0x${group}`),
    0n
  )
}

/** An address in its usual spelling; undefined for anything else. A zone (`%eth0`) is left out: it says through which door, not where to. */
export const parse = (text: string): Address | undefined => {
  if (Net.isIPv4(text)) return { family: 4, value: parse4(text) }
  if (!Net.isIPv6(text)) return undefined
  return { family: 6, value: parse6(text.replace(/%.*$/, "")) }
}

/** A range as `10.0.0.0/8`, `fd00::/8` or one address; undefined when it is neither. */
export const parseRange = (text: string): Range | undefined => {
  const [address = "", length, ...more] = text.split("/")
  const parsed = parse(address)
  if (parsed === undefined || more.length > 0) return undefined
  const bits = parsed.family === 4 ? 32 : 128
  const prefix = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN
  if (!(prefix >= 0 && prefix <= bits)) return undefined
  return { base: parsed.value, prefix, family: parsed.family }
}

/** Whether an address is in a range. Those of another family never are. */
export const isIn = ({ family, value }: Address, range: Range): boolean => {
  const shift = BigInt((family === 4 ? 32 : 128) - range.prefix)
  return family === range.family && value >> shift === range.base >> shift
}
