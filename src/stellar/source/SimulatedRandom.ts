/**
 * The chance of the simulated network: an unpredictable-looking sequence of numbers that depends on nothing but a text.
 *
 * The generator is xoshiro128** (Blackman and Vigna), seeded with SHA-256. It need not keep a secret, only be quick and always the same.
 */
import { createHash } from "node:crypto"

/** SHA-256 of a text's UTF-8 or of bytes. */
export const sha256 = (content: string | Uint8Array): Buffer => createHash("sha256").update(content).digest()

/** A source of chance; the order of the calls is part of what it depends on. */
export interface SimulatedRandom {
  /** An integer from 0 to `bound` - 1; `bound` is at most 2^32. */
  readonly below: (bound: number) => number
  /** True with a chance of `percent` in a hundred. */
  readonly chance: (percent: number) => boolean
  /** One of the items, which are not none. */
  readonly pick: <A>(items: ReadonlyArray<A>) => A
  /** That many bytes. */
  readonly bytes: (length: number) => Uint8Array
}

const rotate = (x: number, by: number) => (x << by) | (x >>> (32 - by))

/** The chance that belongs to a text. */
export const make = (text: string): SimulatedRandom => {
  const digest = sha256(text)
  let a = digest.readInt32LE(0)
  let b = digest.readInt32LE(4)
  let c = digest.readInt32LE(8)
  let d = digest.readInt32LE(12)
  const next = (): number => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9)
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotate(d, 11)
    return result >>> 0
  }
  const below = (bound: number) => Math.floor((next() / 0x1_0000_0000) * bound)
  return {
    below,
    chance: (percent) => below(100) < percent,
    pick: (items) => items[below(items.length)]!,
    bytes: (length) => {
      const bytes = Buffer.alloc((length + 3) & ~3)
      for (let at = 0; at < length; at += 4) bytes.writeUInt32LE(next(), at)
      return bytes.subarray(0, length)
    }
  }
}
